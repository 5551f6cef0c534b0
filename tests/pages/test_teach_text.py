"""Sentences and tables of the teaching page."""

from __future__ import annotations

import pytest

from emojify.emotions import Emotion
from emojify.teaching.hints import ReadingStats
from pages.parts.teach_text import accuracy_sentence, comparison_table, count_pictures, emotion_option, recording_time


@pytest.mark.parametrize(
    ("accuracy", "confused_with", "sentence"),
    [
        (1.0, None, "It gets all of these right."),
        (0.96, Emotion.SAD, "It gets 96% of these right."),
        (0.25, Emotion.NEUTRAL, "It gets 25% of these right and mostly sees neutral instead."),
        (0.0, Emotion.NEUTRAL, "It gets none of these right and mostly sees neutral instead."),
    ],
)
def test_accuracy_sentence_names_the_confusion(accuracy: float, confused_with: Emotion | None, sentence: str) -> None:
    assert accuracy_sentence(ReadingStats(8, accuracy, confused_with)) == sentence


@pytest.mark.parametrize(
    ("folder", "time"),
    [("20260304-050607-1", "04 March, 05:06"), ("mine", "mine"), ("20261399-00", "20261399-00")],
)
def test_recording_time_falls_back_to_name(folder: str, time: str) -> None:
    assert recording_time(folder) == time


def test_comparison_table_lists_own_emotions() -> None:
    own = {"n": 20, "before": 0.5, "after": 0.9, "emotions": {"sad": {"n": 20, "before": 0.5, "after": 0.9}}}
    table = comparison_table({"own": own, "others": {"n": 700, "before": 0.712, "after": 0.708}})
    assert table.splitlines()[2:] == [
        "| **You**, held-out recordings | 20 | 50% | 90% |",
        f"| {Emotion.SAD.symbol} sad | 20 | 50% | 90% |",
        "| **Everyone else**, held-out faces | 700 | 71.2% | 70.8% |",
    ]


def test_comparison_table_without_own_figures() -> None:
    table = comparison_table({"own": None, "others": {"n": 700, "before": 0.7, "after": 0.7}})
    assert "You" not in table


def test_counts_and_options_use_singular() -> None:
    assert [count_pictures(number) for number in (1, 2)] == ["1 picture", "2 pictures"]
    assert [emotion_option(Emotion.SAD, number) for number in (0, 3)] == [
        f"{Emotion.SAD.symbol} sad", f"{Emotion.SAD.symbol} sad · 3",
    ]  # fmt: skip
