"""The training commands."""

import argparse
import json
import shutil
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.runs.networks import NETWORKS
from emojify.training.cli import add_commands
from emojify.training.evaluate_cli import add_figures_command
from emojify.training.export import export_run


def call(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    options = parser.parse_args([str(argument) for argument in arguments])
    return options.run(options) or 0


def use_recipe(monkeypatch: pytest.MonkeyPatch, recipe: dict[str, Any]) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", replace(NETWORKS["tiny"], recipe=recipe))


def test_parser_imports_no_large_packages() -> None:
    code = "import sys, emojify.training.cli; print({'tensorflow', 'keras', 'cv2', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_train_export_evaluate(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "models"))
    use_recipe(monkeypatch, {"learning_rate": 1e-3, "shift": 0.2})
    run, settings = tmp_path / "run", ("--epochs", 1, "--set", "flip=true", "--set", "shift=0.1")
    assert call("train", "--data", faces, "--run", run, "--network", "tiny", *settings) == 0
    config = json.loads((run / "config.json").read_text())
    assert (config["network"], config["epochs"], config["flip"]) == ("tiny", 1, True)
    assert (config["learning_rate"], config["shift"]) == (1e-3, 0.1)  # from the recipe, and from the option
    assert call("export", run, "--id", "drawn") == 0
    assert call("evaluate", "--data", faces, "--model", "drawn", "--clean", "--picture", tmp_path / "c.png") == 0
    assert "macro recall" in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "c.png")) is not None
    assert call("evaluate", "--data", faces, "--model", "drawn", "--split", "public", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert {"split", "clean", "n", "accuracy", "recall", "model"} <= set(figures)
    assert (figures["split"], figures["clean"], figures["n"], figures["model"]) == ("public", False, 42, "drawn")


def test_train_begins_with_model_or_run(
    finished_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "models"))
    use_recipe(monkeypatch, {"learning_rate": 1e-9})
    export_run(finished_run, faces, tmp_path / "models", "one")
    for name, begin_with in (("of-model", "one"), ("of-run", finished_run)):
        assert call("train", "--data", faces, "--run", tmp_path / name, "--from", begin_with, "--epochs", 1) == 0
        config = json.loads((tmp_path / name / "config.json").read_text())
        assert (config["network"], Path(config["begin_with"]).exists()) == ("tiny", True)
    shutil.copytree(tmp_path / "models" / "one", tmp_path / "models" / "me")
    card = json.loads((tmp_path / "models" / "me" / "card.json").read_text())
    (tmp_path / "models" / "me" / "card.json").write_text(json.dumps(card | {"id": "me", "based_on": "one"}))
    with pytest.raises(EmojifyError, match=r"me was taught one person's face .* Use one"):
        call("train", "--data", faces, "--from", "me")
    (tmp_path / "models" / "one" / "weights.npz").unlink()
    with pytest.raises(EmojifyError, match="has no weights"):
        call("train", "--data", faces, "--from", "one")
    with pytest.raises(EmojifyError, match="There is no model 'nobody'"):
        call("train", "--data", faces, "--from", "nobody")
    with pytest.raises(EmojifyError, match="is a network 'tiny', not 'seed'"):
        call("train", "--data", faces, "--from", finished_run, "--network", "seed")


def test_evaluate_refuses_changed_model_file(
    finished_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path))
    with (export_run(finished_run, faces, tmp_path, "one") / "model.tflite").open("ab") as file:
        file.write(b"x")
    with pytest.raises(EmojifyError, match="damaged"):
        call("evaluate", "--data", faces, "--model", "one")


def test_data_check_prints_text_or_json(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("data", "check", faces)
    assert "224 pictures" in capsys.readouterr().out
    call("data", "check", faces, "--json")
    assert json.loads(capsys.readouterr().out)["counts"]["public"]["sad"] == 6


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("warp=1", "no setting 'warp'"),
        ("flip=maybe", "flip must be true or false"),
        ("shift=far", "shift must be a number, not 'far'"),
        ("shift=3", "shift is 3.0; it must lie between 0 and 1"),
        ("epochs=3", "no setting 'epochs' for --set"),  # it has its own flag
    ],
)
def test_train_refuses_invalid_settings(setting: str, sentence: str, faces: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        call("train", "--data", faces, "--run", tmp_path / "run", "--set", setting)
    assert not (tmp_path / "run").exists()


def test_train_refuses_settings_with_resume(finished_run: Path) -> None:
    with pytest.raises(EmojifyError, match="keeps its own settings"):
        call("train", "--resume", finished_run, "--epochs", 100)


def test_train_refuses_to_resume_other_folders(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="no training run"):
        call("train", "--resume", tmp_path)


def test_download_explains_missing_kagglehub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(EmojifyError, match=r"pip install kagglehub.*download it yourself"):
        call("data", "download")


def test_download_explains_missing_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(handle: str) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(dataset_download=unreachable))
    with pytest.raises(EmojifyError, match=r"no route to host.*Check the connection"):
        call("data", "download")


def test_download_prints_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(dataset_download=lambda handle: "/data/fer"))
    call("data", "download")
    assert capsys.readouterr().out.strip() == "/data/fer"


def test_evaluate_all_reads_any_folder_by_class(
    faces: Path,
    models_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    shutil.copytree(faces / "test" / "happy", tmp_path / "set" / "Happy")
    shutil.copytree(faces / "test" / "sad", tmp_path / "set" / "other")
    cv2.imwrite(str(tmp_path / "set" / "Happy" / "large.png"), np.full((300, 300), 90, np.uint8))
    assert call("evaluate", "--data", tmp_path / "set", "--split", "all", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["split"], figures["n"], figures["no_face_n"], figures["ferplus_n"]) == ("all", 12, 1, 0)
    assert call("evaluate", "--data", tmp_path / "set", "--split", "all") == 0
    text = capsys.readouterr().out
    assert "left out: 1 pictures in which no face was found" in text
    assert "left out: 12 pictures in folders that are not named after an emotion" in text


def test_data_check_accepts_set_that_lacks_emotions(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(faces / "train" / "happy", tmp_path / "mine" / "happy")
    call("data", "check", tmp_path / "mine")
    assert "It can be added to another data set" in capsys.readouterr().out


def test_train_takes_two_data_sets_at_most(faces: Path) -> None:
    with pytest.raises(EmojifyError, match="--data can be given twice at most"):
        call("train", *["--data", faces] * 3)


def test_models_figures_prints_and_writes_cards(
    faces: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    parser = argparse.ArgumentParser()
    add_figures_command(parser.add_subparsers())

    def figures(*arguments: object) -> str:
        options = parser.parse_args(["figures", *map(str, arguments)])
        options.run(options)
        return capsys.readouterr().out

    assert "| private | 42 |" not in figures()
    assert "| private | 42 |" in figures("--data", faces)
    assert "| private | 42 |" not in figures()
    figures("seed", "--data", faces, "--write")
    assert "| private | 42 |" in figures("seed")
    with pytest.raises(EmojifyError, match="--write needs --data"):
        figures("--write")
