"""The commands: plain words or JSON out, and nothing heavy before one runs."""

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
import pytest

from emojify.errors import EmojifyError
from emojify.runs.networks import NETWORKS
from emojify.training.cli import add_commands
from emojify.training.export import export_run


def call(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    options = parser.parse_args([str(argument) for argument in arguments])
    return options.run(options) or 0


def use_recipe(monkeypatch: pytest.MonkeyPatch, recipe: dict[str, Any]) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", replace(NETWORKS["tiny"], recipe=recipe))


def test_the_parser_imports_nothing_heavy() -> None:
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
    assert (config["learning_rate"], config["shift"]) == (1e-3, 0.1)  # the recipe's, and what was asked for
    assert call("export", run, "--id", "drawn") == 0
    assert call("evaluate", "--data", faces, "--model", "drawn", "--clean", "--picture", tmp_path / "c.png") == 0
    assert "macro recall" in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "c.png")) is not None
    assert call("evaluate", "--data", faces, "--model", "drawn", "--split", "public", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert {"split", "clean", "n", "accuracy", "recall", "model"} <= set(figures)
    assert (figures["split"], figures["clean"], figures["n"], figures["model"]) == ("public", False, 42, "drawn")


def test_train_begins_with_a_model_or_a_run(
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


def test_a_model_whose_file_was_changed_is_not_evaluated(
    finished_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path))
    with (export_run(finished_run, faces, tmp_path, "one") / "model.tflite").open("ab") as file:
        file.write(b"x")
    with pytest.raises(EmojifyError, match="damaged"):
        call("evaluate", "--data", faces, "--model", "one")


def test_data_check(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
        ("epochs=3", "no setting 'epochs' for --set"),  # it has a flag of its own
    ],
)
def test_settings_that_can_not_be_meant_are_refused(setting: str, sentence: str, faces: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        call("train", "--data", faces, "--run", tmp_path / "run", "--set", setting)
    assert not (tmp_path / "run").exists()


def test_a_resumed_run_keeps_its_settings(finished_run: Path) -> None:
    with pytest.raises(EmojifyError, match="keeps its own settings"):
        call("train", "--resume", finished_run, "--epochs", 100)


def test_resuming_what_is_no_run_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="no training run"):
        call("train", "--resume", tmp_path)


def test_download_without_kagglehub_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(EmojifyError, match=r"pip install kagglehub.*download it yourself"):
        call("data", "download")


def test_download_without_a_connection_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(handle: str) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(dataset_download=unreachable))
    with pytest.raises(EmojifyError, match=r"no route to host.*Check the connection"):
        call("data", "download")


def test_download_names_the_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(dataset_download=lambda handle: "/data/fer"))
    call("data", "download")
    assert capsys.readouterr().out.strip() == "/data/fer"
