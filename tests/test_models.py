"""The model store: which model is live, and what replaces a model that can't be opened."""

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
    """A store of three equal models: seed, better and newest."""
    for name in ("better", "newest"):
        shutil.copytree(models_folder / "seed", models_folder / name)
    return ModelStore(models_folder)


def change_card(folder: Path, **values: Any) -> None:
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    (folder / "card.json").write_text(json.dumps(card | values), encoding="utf-8")


def replace_file(folder: Path, content: bytes) -> None:
    """Replace the model's file, and its SHA-256 in the card."""
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


DAMAGES = [
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


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES)
def test_open_damaged_model_says_what_is_wrong(
    damage: Callable[[Path], object], sentence: str, models_folder: Path
) -> None:
    damage(models_folder / "seed")
    with pytest.raises(EmojifyError, match=sentence):
        ModelStore(models_folder).get("seed").open()


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES)
def test_open_replaces_damaged_live_model(damage: Callable[[Path], object], sentence: str, store: ModelStore) -> None:
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
def test_open_refuses_network_with_other_shapes(
    file: str, sentence: str, models_folder: Path, data_folder: Path
) -> None:
    replace_file(models_folder / "seed", (data_folder / f"{file}.tflite").read_bytes())
    with pytest.raises(EmojifyError, match=f"The model seed .*{sentence}"):
        ModelStore(models_folder).get("seed").open()


def test_open_uses_crop_margin_of_card(models_folder: Path) -> None:
    change_card(models_folder / "seed", crop_margin=0.1)
    opened = ModelStore(models_folder).open()
    assert opened.problems == ()
    assert opened.classifier.crop_margin == 0.1
    assert opened.classifier.classify(np.full((48, 48), 128, np.uint8)).argmax() == 3


def test_model_name_and_accuracy_from_card(models_folder: Path) -> None:
    model = ModelStore(models_folder).get("seed")
    assert model.name == "Seed"
    assert model.accuracy("private") == 0.5
    assert model.accuracy("public") is None


@pytest.mark.parametrize("figures", [None, [], {"private": None}, {"private": {"accuracy": "high"}}])
def test_accuracy_is_none_for_invalid_figures(figures: object, models_folder: Path) -> None:
    change_card(models_folder / "seed", figures=figures)
    assert ModelStore(models_folder).get("seed").accuracy("private") is None


def test_card_cannot_name_file_outside_folder(models_folder: Path) -> None:
    (models_folder / "seed" / "model.tflite").rename(models_folder / "model.tflite")
    change_card(models_folder / "seed", tflite={"file": "../model.tflite", "sha256": "0" * 64})
    with pytest.raises(EmojifyError, match="cannot be read"):
        ModelStore(models_folder).get("seed").open()


def test_models_ignores_hidden_and_empty_folders(store: ModelStore) -> None:
    shutil.copytree(store.folder / "seed", store.folder / ".seed.half-written")
    (store.folder / "empty").mkdir()
    assert [model.id for model in store.models()] == ["better", "newest", "seed"]


def test_get_unknown_model_lists_known_models(store: ModelStore) -> None:
    with pytest.raises(EmojifyError, match=r"no model '\.\./seed'.*There are: better, newest, seed\."):
        store.get("../seed")


@pytest.mark.parametrize("exists", [True, False], ids=["empty folder", "no folder"])
def test_open_without_models_says_what_to_do(exists: bool, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    if exists:
        folder.mkdir()
    with pytest.raises(EmojifyError, match=r"No model can be opened\..*There are: none\. Restore the folder models/"):
        ModelStore(folder).open()


def test_open_names_every_damaged_model(store: ModelStore) -> None:
    for name in ("seed", "better", "newest"):
        flip_a_bit(store.folder / name)
    with pytest.raises(EmojifyError, match=r"The model seed is.*The model better is.*The model newest is"):
        store.open()


def test_shipped_model_is_live_until_promotion(store: ModelStore) -> None:
    assert store.live_id == "seed"
    store.promote("better")
    assert ModelStore(store.folder).live_id == "better"  # as another process reads it
    assert store.open().model.id == "better"


def test_open_named_model_keeps_live_model(store: ModelStore) -> None:
    assert store.open("newest").model.id == "newest"
    assert store.live_id == "seed"


def test_open_missing_model_opens_live_model(store: ModelStore) -> None:
    store.promote("better")
    opened = store.open("mine")
    assert opened.model.id == "better"
    assert opened.problems[0].startswith("There is no model 'mine'")


def test_rollback_returns_through_history(store: ModelStore) -> None:
    store.promote("better")
    store.promote("newest")
    store.promote("newest")  # a second promotion adds no second step
    assert store.rollback() == "better"
    assert store.rollback() == "seed"
    with pytest.raises(EmojifyError, match="no model to go back to from seed"):
        store.rollback()
    assert store.live_id == "seed"


def test_open_prefers_previous_live_model(store: ModelStore) -> None:
    store.promote("newest")
    store.promote("better")
    flip_a_bit(store.folder / "better")
    assert store.open().model.id == "newest"


@pytest.mark.parametrize("model_id", ["newest", "missing"], ids=["broken", "unknown"])
def test_promote_failure_keeps_live_model(model_id: str, store: ModelStore) -> None:
    store.promote("better")
    flip_a_bit(store.folder / "newest")
    with pytest.raises(EmojifyError):
        store.promote(model_id)
    assert store.live_id == "better"


def test_rollback_failure_keeps_live_model(store: ModelStore) -> None:
    store.promote("better")
    flip_a_bit(store.folder / "seed")
    with pytest.raises(EmojifyError, match="seed is damaged"):
        store.rollback()
    assert store.live_id == "better"


@pytest.mark.parametrize(
    "content",
    [b"", b'{"history": ["bet', b"[]", b'{"history": []}', b'{"history": [3]}', b'{"history": "better"}', b"\xff\xfe"],
)
def test_invalid_live_file_means_shipped_model(content: bytes, store: ModelStore) -> None:
    (store.folder / "live.json").write_bytes(content)
    assert store.live_id == "seed"
    assert store.open().model.id == "seed"
    store.promote("better")
    assert store.live_id == "better"


def test_first_shipped_model_is_live_by_default(models_folder: Path) -> None:
    store = ModelStore(models_folder)
    assert store.live_id == "seed"
    shutil.copytree(models_folder / "seed", models_folder / "residual")
    assert store.live_id == "residual"
    store.promote("seed")
    assert store.live_id == "seed"


def test_withdraw_removes_model_from_history(store: ModelStore) -> None:
    for model_id in ("better", "newest", "better"):
        store.promote(model_id)
    store.withdraw("better")
    assert store.live_id == "newest"
    assert store.rollback() == "seed"
    store.withdraw("seed")  # no promoted model is left, so the shipped one is live
    assert store.live_id == "seed"


@pytest.mark.parametrize(
    ("model_id", "sentence"),
    [
        ("better", "better is live: put another"),
        ("seed", "comes with Emojify and can't be removed"),
        ("missing", "no model 'missing'"),
    ],
)
def test_remove_refuses_live_and_shipped_models(store: ModelStore, model_id: str, sentence: str) -> None:
    store.promote("better")
    with pytest.raises(EmojifyError, match=sentence):
        store.remove(model_id)
    assert {model.id for model in store.models()} == {"seed", "better", "newest"}


def test_open_classifier_warns_about_replaced_live_model(store: ModelStore) -> None:
    store.promote("newest")
    flip_a_bit(store.folder / "newest")
    problems: list[str] = []
    assert store.open_classifier(None, problems.append).name == "seed"
    (problem,) = problems
    assert problem.startswith("The model newest is damaged")
    assert problem.endswith("Using seed instead.")


def test_open_classifier_never_replaces_named_model(store: ModelStore) -> None:
    flip_a_bit(store.folder / "newest")
    with pytest.raises(EmojifyError, match="newest is damaged"):
        store.open_classifier("newest", lambda problem: pytest.fail(problem))
