from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from emojify.emotions import LABELS, Emotion
from emojify.video.timeline import MAX_BINS, Timeline, seconds_csv
from emojify.vision.readings import Box, Face, Reading


def reading(emotion: Emotion, sure: bool = True) -> Reading:
    probabilities = np.zeros(7, np.float32)
    probabilities[emotion] = 1
    return Reading(Face(Box(0, 0, 9, 9), 1), probabilities, emotion, sure)


def test_timeline_bins_of_steady_face_are_full() -> None:
    timeline = Timeline()
    for number in range(72):
        timeline.add(reading(Emotion.HAPPY), number / 30, 1 / 30)
    bins = np.array(timeline.to_json()["bins"])
    assert bins.shape == (24, 7)
    assert np.allclose(bins[:, Emotion.HAPPY], 1, atol=0.002)


def test_timeline_seconds_count_what_was_shown() -> None:
    timeline = Timeline()
    timeline.add(reading(Emotion.SAD), 0.0, 1.5)
    timeline.add(None, 1.5, 0.5)
    timeline.add(reading(Emotion.NEUTRAL, sure=False), 2.0, 0.25)
    assert {label: value for label, value in timeline.seconds.items() if value} == {
        "sad": 1.5,
        "no face": 0.5,
        "unsure": 0.25,
    }
    assert np.array(timeline.to_json()["bins"])[15:20].sum() == 0


@pytest.mark.parametrize("hours", [0.1, 2, 30])
def test_timeline_bins_are_limited_and_cover_video(hours: float) -> None:
    timeline = Timeline()
    step_s = hours * 3600 / 2000
    for number in range(2000):
        timeline.add(reading(Emotion.ANGRY), number * step_s, step_s)
    found = timeline.to_json()
    bins = np.array(found["bins"])
    assert MAX_BINS / 2 - 1 <= len(bins) <= MAX_BINS
    assert bins[:, Emotion.ANGRY].sum() * found["bin_s"] == pytest.approx(hours * 3600, rel=0.001)


def test_seconds_csv_has_every_emotion_and_share() -> None:
    seconds = dict.fromkeys((*LABELS, "unsure", "no face"), 0.0) | {"happy": 3.0, "no face": 1.0}
    rows = list(csv.DictReader(io.StringIO(seconds_csv(seconds))))
    assert [row["emotion"] for row in rows] == [*LABELS, "unsure", "no face"]
    assert [(row["seconds"], row["share"]) for row in rows if float(row["seconds"])] == [
        ("3.00", "0.7500"),
        ("1.00", "0.2500"),
    ]


def test_seconds_csv_of_zero_seconds() -> None:
    assert "happy,0.00,0.0000" in seconds_csv({"happy": 0.0})
