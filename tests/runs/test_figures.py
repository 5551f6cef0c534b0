"""Sentences about figures."""

from __future__ import annotations

from typing import Any

import pytest

from emojify.emotions import LABELS
from emojify.runs.figures import changes, judge, out_of_100

BY_LABELS = {"n": 70, "accuracy": 0.65, "macro_recall": 0.6, "recall": dict.fromkeys(LABELS, 0.6)}
BY_VOTES = BY_LABELS | {
    "ferplus_n": 60,
    "ferplus_accuracy": 0.84,
    "ferplus_macro_recall": 0.8,
    "ferplus_recall": {**dict.fromkeys(LABELS, 0.8), "disgusted": None},
}


def test_judge_prefers_what_people_see() -> None:
    judged = judge(BY_VOTES)
    assert judged is not None
    assert judged.headline == "Right in 84 of 100 faces on which people agree"
    assert (judged.n, "disgusted" in judged.recall, judged.recall["sad"]) == (60, False, 0.8)
    assert judged.near_guessing == ""


def test_judge_falls_back_to_labels() -> None:
    judged = judge(BY_LABELS)
    assert judged is not None
    assert judged.headline == "Right in 65 of 100 faces, by the data set's labels"


@pytest.mark.parametrize(
    "figures",
    [
        None,
        [],
        {},
        {"n": 70, "accuracy": 0.5},
        BY_LABELS | {"accuracy": "good"},
        BY_LABELS | {"accuracy": float("nan")},
        BY_LABELS | {"macro_recall": 7},
        BY_LABELS | {"recall": [1]},
        BY_LABELS | {"n": "many"},
    ],
)
def test_judge_ignores_missing_and_edited_figures(figures: Any) -> None:
    assert judge(figures) is None


@pytest.mark.parametrize(
    ("accuracy", "macro_recall", "near"), [(0.207, 0.2, True), (0.4, 0.2, True), (0.25, 0.3, True), (0.3, 0.26, False)]
)
def test_near_guessing_needs_accuracy_and_macro_recall(accuracy: float, macro_recall: float, near: bool) -> None:
    judged = judge(BY_LABELS | {"accuracy": accuracy, "macro_recall": macro_recall})
    assert judged is not None
    assert bool(judged.near_guessing) is near


def test_near_guessing_says_how_near() -> None:
    judged = judge(BY_LABELS | {"accuracy": 0.207, "macro_recall": 0.16})
    assert judged is not None
    assert judged.near_guessing.startswith("This model is near guessing: it is right in 21 of 100 faces")


def test_changes_compare_by_votes_if_both_have_them() -> None:
    after = BY_VOTES | {"ferplus_recall": dict.fromkeys(LABELS, 0.9)}
    by_emotion = {change.emotion: (change.before, change.after) for change in changes(BY_VOTES, after)}
    assert (by_emotion["sad"], by_emotion["disgusted"]) == ((0.8, 0.9), (None, 0.9))
    by_labels = changes(BY_LABELS, after)
    assert {(change.before, change.after) for change in by_labels} == {(0.6, 0.6)}
    assert changes(None, after) == []


@pytest.mark.parametrize(("rate", "number"), [(0.0, 0), (0.84, 84), (0.999, 99), (1.0, 100)])
def test_out_of_100_never_rounds_to_all(rate: float, number: int) -> None:
    assert out_of_100(rate) == number
