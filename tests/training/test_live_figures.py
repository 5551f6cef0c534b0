"""Comparing a fit with an added data set with the live model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emojify.runs.config import FitConfig
from emojify.runs.figures import changes
from emojify.training.dataset import load_joined
from emojify.training.fit import start
from emojify.training.live_figures import write_live_figures
from tests.helpers.drawn_faces import write_faces


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of drawn pictures by emotion, without splits."""
    write_faces(tmp_path / "drawn", train=10, test=0, seed=5)
    return (tmp_path / "drawn" / "train").rename(tmp_path / "mine")


def test_fit_with_added_data_writes_comparison(
    faces: Path, own: Path, tmp_path: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    run = tmp_path / "run"
    start(FitConfig(str(faces), added_data=str(own), network="tiny", epochs=1, batch_size=16), run)
    live, best = (json.loads((run / name).read_text()) for name in ("live_figures.json", "best.json"))
    pictures = json.loads((run / "environment.json").read_text())["pictures"]
    assert live["model"] == "seed"
    assert (pictures["train"], pictures["public"]) == (140 + 56, 42 + 7)
    assert (live["figures"]["n"], live["added_figures"]["n"]) == (49, 7)
    assert (best["figures"]["n"], best["added_figures"]["n"]) == (49, 7)
    assert len(changes(live["added_figures"], best["added_figures"])) == 7


def test_write_live_figures_without_any_model_writes_nothing(
    faces: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "none"))
    write_live_figures(tmp_path, load_joined(faces, own).split("public"))
    assert not (tmp_path / "live_figures.json").exists()
