"""What runs learned, on the training page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers.training_pages import CHECKPOINT, add_data, add_run, charts, view


def test_the_best_run_is_looked_into(page: AppTest, workspace: Path) -> None:
    add_run(
        workspace, "1-good", checkpoint={"epoch": 2, "best_epoch": 2, "best_public_accuracy": 0.7, "weights": "w.h5"}
    )
    add_run(workspace, "2-bad")
    said = view(page, "Understand")
    assert "1-good, epoch 2" in said
    assert charts(page) == 3  # curves, confusion, classes
    assert "sad, read as **happy** 98%" in said
    assert list(page.dataframe[0].value["run"]) == ["2-bad", "1-good"]


def test_marked_runs_are_laid_over_each_other_and_their_differences_named(page: AppTest, workspace: Path) -> None:
    add_run(workspace, "1-one")
    add_run(workspace, "2-other", config={"data": "x", "epochs": 9, "learning_rate": 0.5})
    page.session_state["marked"] = ["2-other", "1-one"]
    said = view(page, "Understand")
    assert "What differs in their settings" in said
    assert list(page.dataframe[1].value["setting"]) == ["data", "learning rate"]


def test_what_is_marked_stays_so_when_another_run_comes(page: AppTest, workspace: Path) -> None:
    for name in ("1-best", "2-marked"):
        add_run(workspace, name, checkpoint=CHECKPOINT | {"best_public_accuracy": 0.9 if "best" in name else 0.5})
    page.session_state["marked"] = ["2-marked"]
    assert "2-marked, epoch 2" in view(page, "Understand")
    add_run(workspace, "3-new")
    assert "2-marked, epoch 2" in view(page, "Understand")
    view(page, "Data")
    assert "2-marked, epoch 2" in view(page, "Understand")


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
def test_figures_and_faces_that_were_edited_are_left_out(
    page: AppTest, workspace: Path, edited: dict[str, Any]
) -> None:
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
