"""Models on disk: which is live, and that a broken one never takes the app down with it."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.models import ModelStore


@pytest.fixture
def store(models_folder: Path) -> ModelStore:
    """Three models: seed, and the same as better and newest."""
    for name in ("better", "newest"):
        shutil.copytree(models_folder / "seed", models_folder / name)
    return ModelStore(models_folder)


def change_card(folder: Path, **values: Any) -> None:
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    (folder / "card.json").write_text(json.dumps(card | values), encoding="utf-8")


def replace_file(folder: Path, content: bytes) -> None:
    """Another model's file, with its own right SHA-256 in the card."""
    (folder / "model.tflite").write_bytes(content)
    change_card(folder, tflite={"file": "model.tflite", "sha256": hashlib.sha256(content).hexdigest()})


def cut_short(folder: Path) -> None:
    path = folder / "model.tflite"
    path.write_bytes(path.read_bytes()[:500])


def flip_a_bit(folder: Path) -> None:
    path = folder / "model.tflite"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


BREAKAGES = [
    pytest.param(lambda f: (f / "model.tflite").unlink(), r"seed cannot be read: model\.tflite: no such", id="no file"),
    pytest.param(cut_short, "seed is damaged: model.tflite is not the file its card describes", id="cut short"),
    pytest.param(flip_a_bit, r"seed is damaged.*SHA-256", id="one bit differs"),
    pytest.param(lambda f: replace_file(f, b"PK a keras file"), "seed does not open", id="no LiteRT model"),
    pytest.param(lambda f: replace_file(f, b""), "seed does not open", id="empty file"),
    pytest.param(lambda f: (f / "card.json").write_text("{"), "seed has no readable card.json", id="card cut short"),
    pytest.param(lambda f: (f / "card.json").write_text("[]"), "seed has no readable card.json", id="card is a list"),
    pytest.param(lambda f: (f / "card.json").write_bytes(b"\xff"), "no readable card.json", id="card is no text"),
    pytest.param(
        lambda f: change_card(f, tflite={"file": "model.tflite"}), "no readable card", id="no SHA in the card"
    ),
    pytest.param(lambda f: change_card(f, tflite=None), "no readable card.json", id="no model in the card"),
    pytest.param(lambda f: change_card(f, crop_margin="wide"), "no readable card.json", id="margin is no number"),
]


@pytest.mark.parametrize(("damage", "sentence"), BREAKAGES)
def test_a_broken_model_says_what_is_wrong(
    damage: Callable[[Path], object], sentence: str, models_folder: Path
) -> None:
    damage(models_folder / "seed")
    with pytest.raises(EmojifyError, match=sentence):
        ModelStore(models_folder).get("seed").open()


@pytest.mark.parametrize(("damage", "sentence"), BREAKAGES)
def test_a_broken_live_model_falls_back_to_a_good_one_and_says_so(
    damage: Callable[[Path], object], sentence: str, store: ModelStore
) -> None:
    damage(store.folder / "seed")
    opened = store.open()
    assert opened.model.id == "better"
    assert opened.classifier.name == "better"
    assert [bool(re.search(sentence, problem)) for problem in opened.problems] == [True]


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (
            "takes_24x24",
            r"takes \(1, 24, 24, 1\) uint8 and gives \(1, 7\); .* models take raw uint8 \(1, 48, 48, 1\)",
        ),
        ("takes_floats", r"takes \(1, 48, 48, 1\) float32"),
        ("gives_five", r"gives \(1, 5\)"),
    ],
)
def test_a_sound_model_of_another_kind_is_refused(
    file: str, sentence: str, models_folder: Path, data_folder: Path
) -> None:
    replace_file(models_folder / "seed", (data_folder / f"{file}.tflite").read_bytes())
    with pytest.raises(EmojifyError, match=f"The model seed .*{sentence}"):
        ModelStore(models_folder).get("seed").open()


def test_a_good_model_opens_with_its_crop_margin(models_folder: Path) -> None:
    change_card(models_folder / "seed", crop_margin=0.1)
    opened = ModelStore(models_folder).open()
    assert opened.problems == ()
    assert opened.classifier.crop_margin == 0.1
    assert opened.classifier.classify(np.full((48, 48), 128, np.uint8)).argmax() == 3


def test_a_card_tells_name_and_accuracy_where_it_was_measured(models_folder: Path) -> None:
    model = ModelStore(models_folder).get("seed")
    assert model.name == "Seed"
    assert model.accuracy("private") == 0.5
    assert model.accuracy("public") is None


@pytest.mark.parametrize("figures", [None, [], {"private": None}, {"private": {"accuracy": "high"}}])
def test_a_card_without_sound_figures_has_no_accuracy(figures: object, models_folder: Path) -> None:
    change_card(models_folder / "seed", figures=figures)
    assert ModelStore(models_folder).get("seed").accuracy("private") is None


def test_a_card_cannot_point_out_of_its_folder(models_folder: Path) -> None:
    (models_folder / "seed" / "model.tflite").rename(models_folder / "model.tflite")
    change_card(models_folder / "seed", tflite={"file": "../model.tflite", "sha256": "0" * 64})
    with pytest.raises(EmojifyError, match="cannot be read"):
        ModelStore(models_folder).get("seed").open()


def test_models_are_listed_by_id_and_hidden_or_empty_folders_are_not_models(store: ModelStore) -> None:
    shutil.copytree(store.folder / "seed", store.folder / ".seed.half-written")
    (store.folder / "empty").mkdir()
    assert [model.id for model in store.models()] == ["better", "newest", "seed"]


def test_an_unknown_model_is_refused_with_those_that_exist(store: ModelStore) -> None:
    with pytest.raises(EmojifyError, match=r"no model '\.\./seed'.*There are: better, newest, seed\."):
        store.get("../seed")


@pytest.mark.parametrize("there", [True, False], ids=["empty folder", "no folder"])
def test_without_any_model_the_sentence_says_how_to_get_one(there: bool, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    if there:
        folder.mkdir()
    with pytest.raises(EmojifyError, match=r"No model can be opened\..*There are: none\. Restore the folder models/"):
        ModelStore(folder).open()


def test_when_all_are_broken_each_is_named(store: ModelStore) -> None:
    for name in ("seed", "better", "newest"):
        flip_a_bit(store.folder / name)
    with pytest.raises(EmojifyError, match=r"The model seed is.*The model better is.*The model newest is"):
        store.open()


def test_the_one_that_ships_is_live_until_another_is_promoted(store: ModelStore) -> None:
    assert store.live_id == "seed"
    store.promote("better")
    assert ModelStore(store.folder).live_id == "better"  # a new process sees it too
    assert store.open().model.id == "better"


def test_a_model_can_be_asked_for_without_being_live(store: ModelStore) -> None:
    assert store.open("newest").model.id == "newest"
    assert store.live_id == "seed"


def test_asking_for_a_model_that_is_gone_opens_the_live_one_and_says_so(store: ModelStore) -> None:
    store.promote("better")
    opened = store.open("mine")
    assert opened.model.id == "better"
    assert opened.problems[0].startswith("There is no model 'mine'")


def test_rollback_goes_back_through_all_that_were_live(store: ModelStore) -> None:
    store.promote("better")
    store.promote("newest")
    store.promote("newest")  # again: not a second step of its own
    assert store.rollback() == "better"
    assert store.rollback() == "seed"
    with pytest.raises(EmojifyError, match="no model to go back to from seed"):
        store.rollback()
    assert store.live_id == "seed"


def test_the_last_good_one_is_the_one_that_was_live_before(store: ModelStore) -> None:
    store.promote("newest")
    store.promote("better")
    flip_a_bit(store.folder / "better")
    assert store.open().model.id == "newest"


@pytest.mark.parametrize("model_id", ["newest", "nobody"], ids=["broken", "unknown"])
def test_promoting_what_does_not_open_keeps_the_live_one(model_id: str, store: ModelStore) -> None:
    store.promote("better")
    flip_a_bit(store.folder / "newest")
    with pytest.raises(EmojifyError):
        store.promote(model_id)
    assert store.live_id == "better"


def test_rolling_back_to_what_does_not_open_keeps_the_live_one(store: ModelStore) -> None:
    store.promote("better")
    flip_a_bit(store.folder / "seed")
    with pytest.raises(EmojifyError, match="seed is damaged"):
        store.rollback()
    assert store.live_id == "better"


@pytest.mark.parametrize(
    "content",
    [b"", b'{"history": ["bet', b"[]", b'{"history": []}', b'{"history": [3]}', b'{"history": "better"}', b"\xff\xfe"],
)
def test_a_broken_live_file_means_the_one_that_ships(content: bytes, store: ModelStore) -> None:
    (store.folder / "live.json").write_bytes(content)
    assert store.live_id == "seed"
    assert store.open().model.id == "seed"
    store.promote("better")
    assert store.live_id == "better"


def test_until_somebody_promotes_another_the_best_that_ships_is_live(models_folder: Path) -> None:
    store = ModelStore(models_folder)
    assert store.live_id == "seed"
    shutil.copytree(models_folder / "seed", models_folder / "residual")
    assert store.live_id == "residual"
    store.promote("seed")
    assert store.live_id == "seed"


def test_what_is_withdrawn_was_never_live(store: ModelStore) -> None:
    for model_id in ("better", "newest", "better"):
        store.promote(model_id)
    store.withdraw("better")
    assert store.live_id == "newest"
    assert store.rollback() == "seed"
    store.withdraw("seed")  # nothing else was ever live: what ships is
    assert store.live_id == "seed"


@pytest.mark.parametrize(
    ("model_id", "sentence"),
    [
        ("better", "better is live: put another"),
        ("seed", "comes with Emojify and can't be removed"),
        ("nobody", "no model 'nobody'"),
    ],
)
def test_a_model_that_must_stay_is_not_removed(store: ModelStore, model_id: str, sentence: str) -> None:
    store.promote("better")
    with pytest.raises(EmojifyError, match=sentence):
        store.remove(model_id)
    assert {model.id for model in store.models()} == {"seed", "better", "newest"}
