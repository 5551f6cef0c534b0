"""The command ``sweep`` up to the first fit."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emojify import cli
from emojify.sweeps.plan import FOLDER


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOJIFY_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "epochs=5"], "Nothing varies"),
        (["--same-recipe"], "belong together"),
        (["--seeds", "3"], "belong together"),
        (["--same-recipe", "--seeds", "3", "--trials", "3"], "exclude each other"),
        (["--set", "epochs=5,6", "--concurrent", "0"], "at least 1"),
        (["--set", "epochs=5,6", "--trials", "0"], "1 to 1000"),
        (["--set", "epochs=5,6", "--name", "../x"], "no name for a sweep"),
        (["--data", "gone.zip", "--set", "epochs=5,6"], "no gone.zip"),
        (["--set", "epochs=5,6"], "holds no pictures"),
    ],
)
def test_bad_arguments_change_nothing(
    arguments: list[str], sentence: str, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["sweep", "--data", str(tmp_path), *arguments]) == cli.BAD_INPUT
    assert sentence in capsys.readouterr().err
    assert not runs.exists()


def test_continued_sweep_keeps_its_settings(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sweep", "--resume", "first", "--trials", "3"]) == cli.BAD_INPUT
    assert "keeps its own settings" in capsys.readouterr().err


def test_missing_ray_is_said_before_anything_is_written(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert cli.run(["sweep", "--data", str(tmp_path), "--set", "epochs=5,6", "--name", "first"]) == cli.BAD_INPUT
    assert "requirements-cluster" in capsys.readouterr().err
    assert not (runs / FOLDER / "first").exists()
