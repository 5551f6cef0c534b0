"""Export: the model folder holds the trained network, and appears whole or not at all."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.training import export as exporting
from emojify.training.dataset import Dataset, load
from emojify.training.evaluate import evaluate, predict_in_subprocess
from emojify.training.export import ExportOptions, convert, export, export_run, recipe_of, selection_score
from emojify.training.figures import measure
from emojify.training.weights import build_network, load_network, save_weights


@pytest.fixture(scope="module")
def data(faces: Path) -> Dataset:
    return load(faces)


@pytest.fixture(scope="module")
def model(finished_run: Path, faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_run(finished_run, faces, tmp_path_factory.mktemp("models"), "drawn", ExportOptions("Drawn faces"))


def test_save_weights_round_trip_keeps_outputs(finished_run: Path, data: Dataset, tmp_path: Path) -> None:
    trained = load_network("tiny", finished_run / "best.weights.h5")
    save_weights(trained, tmp_path / "weights.npz")
    back = load_network("tiny", tmp_path / "weights.npz")
    pixels = data.images[:50, :, :, None]
    np.testing.assert_allclose(back.predict(pixels, verbose=0), trained.predict(pixels, verbose=0), atol=5e-3)


def test_save_weights_of_seed_is_below_6_mb(tmp_path: Path) -> None:
    save_weights(build_network("seed"), tmp_path / "weights.npz")
    assert (tmp_path / "weights.npz").stat().st_size < 6_000_000


@pytest.mark.parametrize(
    ("network", "content", "sentence"),
    [
        ("nothing", b"", "no network called 'nothing'"),
        ("tiny", b"not a zip", "damaged"),
        ("seed", None, "does not hold the weights of the network 'seed'"),  # another network's
    ],
)
def test_load_network_explains_wrong_weights(
    network: str, content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "weights.npz"
    if content is None:
        save_weights(build_network("tiny"), path)
    else:
        path.write_bytes(content)
    with pytest.raises(EmojifyError, match=sentence):
        load_network(network, path)


def test_convert_float_matches_network(finished_run: Path, data: Dataset, tmp_path: Path) -> None:
    network = load_network("tiny", finished_run / "best.weights.h5")
    expected = network.predict(data.images[:60, :, :, None], verbose=0)
    (tmp_path / "model.tflite").write_bytes(convert(network))
    np.testing.assert_allclose(predict_in_subprocess(tmp_path / "model.tflite", data.images[:60]), expected, atol=1e-5)


def test_convert_int8_is_close_to_network(finished_run: Path, data: Dataset, tmp_path: Path) -> None:
    network = load_network("tiny", finished_run / "best.weights.h5")
    pictures = data.split("private").images
    expected = network.predict(pictures[..., None], verbose=0)
    (tmp_path / "model.tflite").write_bytes(convert(network, data.split("train").images))
    read = predict_in_subprocess(tmp_path / "model.tflite", pictures)
    assert np.abs(read - expected).mean() < 0.02
    assert (read.argmax(1) == expected.argmax(1)).mean() > 0.9


def test_recipe_names_origin_without_local_paths() -> None:
    config = FitConfig("/home/ada/faces", network="tiny", begin_with="/home/ada/runs/first/best.weights.h5")
    recipe = recipe_of(config, {"epoch": 4, "best_epoch": 3})
    assert (recipe["begin_with"], recipe["epochs_done"], recipe["best_epoch"]) == ("first", 4, 3)
    assert "/home" not in json.dumps(recipe)


def test_export_run_writes_complete_card(model: Path, data: Dataset) -> None:
    card = json.loads((model / "card.json").read_text())
    assert sorted(path.name for path in model.iterdir()) == [
        "card.json",
        "model.tflite",
        "rehearsal.npz",
        "weights.npz",
    ]
    for key in ("tflite", "weights", "rehearsal"):
        content = (model / card[key]["file"]).read_bytes()
        assert card[key]["bytes"] == len(content)
        assert card[key]["sha256"] == hashlib.sha256(content).hexdigest()
    assert (card["id"], card["name"], card["network"]) == ("drawn", "Drawn faces", "tiny")
    assert card["emotions"] == list(LABELS)
    assert card["crop_margin"] == 0.0
    assert card["parameters"] == build_network("tiny").count_params()
    assert card["data"]["train_n"] == len(data.split("train"))
    assert (card["recipe"]["optimizer"], card["recipe"]["epochs_done"], card["recipe"]["chosen_on"]) == (
        "adam",
        8,
        "public",
    )
    assert "data" not in card["recipe"]  # a local path
    assert set(card["figures"]) == {"public", "private", "private_clean"}
    assert card["figures"]["private"] == evaluate(model / "model.tflite", data, "private").as_dict()
    assert card["caveats"]
    assert not set(card["reads_well"]) & set(card["reads_badly"])


def test_export_run_chooses_int8_if_as_good(model: Path) -> None:
    tflite = json.loads((model / "card.json").read_text())["tflite"]
    loss = tflite["public_score"]["float32"] - tflite["public_score"]["int8"]
    assert tflite["chosen_by"] == "labels"
    assert tflite["quantization"] == ("int8" if loss <= 0.005 else "float32")


def test_export_run_chooses_float_if_int8_is_worse(
    finished_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MAX_INT8_LOSS", -1.0)
    card = json.loads((export_run(finished_run, faces, tmp_path, "float") / "card.json").read_text())
    assert card["tflite"]["quantization"] == "float32"


def test_export_adds_logit_bias_to_network_and_card(
    model: Path, finished_run: Path, faces: Path, data: Dataset, tmp_path: Path
) -> None:
    biased = export_run(finished_run, faces, tmp_path, "biased", ExportOptions(logit_bias={"fearful": 0.7}))
    pixels = data.split("public").images[..., None]
    plain, biased_logits = (
        np.log(load_network("tiny", folder / "weights.npz").predict(pixels, verbose=0)) for folder in (model, biased)
    )
    more = (biased_logits - plain) - (biased_logits - plain)[:, :1]  # softmax ignores a constant added to all logits
    np.testing.assert_allclose(more, np.eye(7)[[2]].repeat(len(pixels), 0) * 0.7, atol=0.01)
    assert json.loads((biased / "card.json").read_text())["recipe"]["logit_bias"] == {"fearful": 0.7}


@pytest.mark.parametrize(
    ("logit_bias", "sentence"),
    [
        ({"afraid": 0.1}, "no emotion called 'afraid'"),
        ({"sad": float("nan")}, "logit bias of sad is nan"),
        ({"sad": 9}, "is 9"),
    ],
)
def test_export_run_rejects_bad_logit_bias(logit_bias: dict[str, float], sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        ExportOptions(logit_bias=logit_bias)


def test_export_run_refuses_existing_id(model: Path, finished_run: Path, faces: Path) -> None:
    before = (model / "card.json").read_bytes()
    with pytest.raises(EmojifyError, match="'drawn' already"):
        export_run(finished_run, faces, model.parent, "drawn")
    assert (model / "card.json").read_bytes() == before


def test_selection_score_prefers_votes_to_labels() -> None:
    probabilities = np.eye(7, dtype=np.float32)[[3, 5]]
    votes = np.zeros((2, 10), np.uint8)
    votes[:, 3] = 10
    assert selection_score(measure(probabilities, np.array([3, 5]))) == 1
    assert selection_score(measure(probabilities, np.array([3, 5]), votes)) == 0.5


@pytest.mark.parametrize("model_id", ["", "../up", "a/b", ".hidden", "With Space", "x" * 65])
def test_export_run_refuses_invalid_id(model_id: str, finished_run: Path, faces: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="can't name a model"):
        export_run(finished_run, faces, tmp_path / "models", model_id)
    assert not (tmp_path / "models").exists()


def test_export_run_explains_missing_run(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="no training run"):
        export_run(tmp_path, faces, tmp_path / "models", "one")


def test_export_leaves_nothing_if_it_fails(
    finished_run: Path, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*args: object) -> bytes:
        raise OSError("No space left on device")

    monkeypatch.setattr(exporting, "convert", full_disk)
    with pytest.raises(OSError, match="No space"):
        export("tiny", finished_run / "best.weights.h5", data, tmp_path / "one", {}, ExportOptions())
    assert list(tmp_path.iterdir()) == []


def test_export_run_leaves_nothing_if_weights_are_broken(finished_run: Path, faces: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(finished_run, tmp_path / "run")
    (broken / "best.weights.h5").write_bytes(b"half a file")
    with pytest.raises(EmojifyError, match="damaged"):
        export_run(broken, faces, tmp_path / "models", "one")
    assert list((tmp_path / "models").iterdir()) == []
