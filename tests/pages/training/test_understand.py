"""The view "Understand" of the training page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers.training_pages import CHECKPOINT, add_data, add_run, charts, view

pytestmark = pytest.mark.slow


def test_best_run_is_shown_in_depth(page: AppTest, workspace: Path) -> None:
    add_run(
        workspace, "1-good", checkpoint={"epoch": 2, "best_epoch": 2, "best_public_accuracy": 0.7, "weights": "w.h5"}
    )
    add_run(workspace, "2-bad")
    text = view(page, "Understand")
    assert "1-good, epoch 2" in text
    assert charts(page) == 3  # curves, confusion, classes
    assert "sad, read as **happy** 98%" in text
    assert list(page.dataframe[0].value["run"]) == ["2-bad", "1-good"]


def test_marked_runs_are_compared(page: AppTest, workspace: Path) -> None:
    add_run(workspace, "1-one")
    add_run(workspace, "2-other", config={"data": "x", "epochs": 9, "learning_rate": 0.5})
    page.session_state["marked"] = ["2-other", "1-one"]
    text = view(page, "Understand")
    assert "Different settings" in text
    assert list(page.dataframe[1].value["setting"]) == ["data", "learning rate"]


def test_marks_stay_when_a_run_is_added(page: AppTest, workspace: Path) -> None:
    for name in ("1-best", "2-marked"):
        add_run(workspace, name, checkpoint=CHECKPOINT | {"best_public_accuracy": 0.9 if "best" in name else 0.5})
    page.session_state["marked"] = ["2-marked"]
    assert "2-marked, epoch 2" in view(page, "Understand")
    add_run(workspace, "3-new")
    assert "2-marked, epoch 2" in view(page, "Understand")
    view(page, "Data")
    assert "2-marked, epoch 2" in view(page, "Understand")


def test_headline_comes_first_and_rest_is_folded(page: AppTest, workspace: Path) -> None:
    votes = {"ferplus_n": 60, "ferplus_accuracy": 0.84, "ferplus_macro_recall": 0.8}
    figures = {"n": 70, "accuracy": 0.65, "macro_recall": 0.6, **votes, "ferplus_recall": {"happy": 0.91, "sad": 0.7}}
    add_run(workspace, "1-run", best={"epoch": 2, "figures": figures})
    text = view(page, "Understand")
    assert "Right in 84 of 100 faces on which people agree" in text
    assert "happy **91**" in text
    assert [expander.label for expander in page.expander] == ["All figures", "Faces that it got wrong"]


def test_changes_against_live_model_are_shown(page: AppTest, workspace: Path) -> None:
    before, after = {"recall": {"happy": 0.8, "sad": 0.5}}, {"n": 70, "recall": {"happy": 0.7, "sad": 0.9}}
    live = {"model": "residual", "name": "Residual", "figures": before, "added_figures": before}
    best = {"epoch": 2, "figures": after, "added_figures": after}
    add_run(workspace, "1-run", best=best, live_figures=live)
    assert "What changed against Residual" in view(page, "Understand")
    table = page.dataframe[-1].value
    assert list(table["emotion"]) == ["happy", "sad"]
    assert list(table["change"]) == [-10, 40]


NO_FACE = {"label": "sad", "read": "happy", "confidence": 0.9, "png": base64.b64encode(b"no picture").decode()}


@pytest.mark.parametrize(
    "edited",
    [
        {"figures": {"accuracy": "good", "confusion": "none"}, "wrong": [{"png": 7}, "face"]},
        {"figures": {"n": "many", "recall": [1], "precision": {"sad": "all"}}},
        {"figures": {"n": None, "confusion": [1] * 7}},
        {"figures": {"confusion": [[1]] * 7}},
        {"figures": {"confusion": [["one"] * 7] * 7}},
        {"figures": {}, "wrong": [NO_FACE]},
    ],
    ids=["other kinds", "text", "no table", "rows too short", "cells of text", "no picture"],
)
def test_edited_figures_and_faces_are_left_out(page: AppTest, workspace: Path, edited: dict[str, Any]) -> None:
    add_run(workspace, "1-edited", best={"epoch": 2, **edited})
    assert "1-edited, epoch 2" in view(page, "Understand")


def test_hundreds_of_runs_are_listed(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    for number in range(200):
        add_run(workspace, f"{number:03}-run")
    view(page, "Understand")
    assert len(page.dataframe[0].value) == 200
    view(page, "Train")
    assert page.selectbox[-1].options[0].startswith("199-run · stopped")
