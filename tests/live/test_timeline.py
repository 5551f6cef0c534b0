"""The emotions of a video, second by second."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from emojify.emotions import Emotion
from emojify.live.timeline import MAX_SECONDS, Second, Timeline, to_csv
from emojify.vision.readings import Box, Face, Reading
from tests.helpers.live_frames import processed_frame

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
IMAGE = np.zeros((24, 32, 3), np.uint8)


def reading(emotion: Emotion, probability: float) -> Reading:
    probabilities = np.full(len(Emotion), (1 - probability) / 6, np.float32)
    probabilities[emotion] = probability
    return Reading(Face(Box(4, 4, 12, 12), 1), probabilities, emotion, True)


def make_timeline(*seconds: Sequence[tuple[Reading, ...]]) -> Timeline:
    """Return a timeline after seconds of ten frames, each with its readings."""
    times = iter(NOON + timedelta(seconds=number) for number in range(-1, 1_000_000))
    timeline = Timeline(lambda: next(times))
    for number, frames in enumerate(seconds):
        for frame, readings in enumerate(frames):
            timeline.add_frame(processed_frame(IMAGE, 100 + number + frame / 10, readings))
    timeline.end_stream()
    return timeline


def test_each_second_has_its_mean_emotion_and_time() -> None:
    happy, sad = reading(Emotion.HAPPY, 0.9), reading(Emotion.SAD, 0.5)
    timeline = make_timeline([(happy,)] * 10, [(happy,)] * 2 + [(sad,)] * 8, [(happy, sad)] * 10)
    first, second, third = timeline.seconds()
    assert (first.time, first.emotion) == (NOON, Emotion.HAPPY)
    assert abs(first.probability - 0.9) < 1e-6
    assert (second.time, second.emotion) == (NOON + timedelta(seconds=1), Emotion.SAD)
    assert third.emotion is Emotion.HAPPY  # the main face


def test_second_without_a_face_in_most_frames_has_no_emotion() -> None:
    happy = reading(Emotion.HAPPY, 0.9)
    first, second = make_timeline([(happy,)] * 5 + [()] * 5, [(happy,)] * 6 + [()] * 4).seconds()
    assert (first.emotion, first.probability) == (None, 0.0)
    assert second.emotion is Emotion.HAPPY


def test_frames_pass_unchanged_and_the_present_second_is_not_listed() -> None:
    timeline = Timeline()
    assert timeline.add_frame(processed_frame(IMAGE, 1.0)) is IMAGE
    assert timeline.seconds() == []


def test_only_the_last_hour_is_kept() -> None:
    timeline = make_timeline(*[[()] for _ in range(MAX_SECONDS + 5)])
    assert len(timeline.seconds()) == MAX_SECONDS
    assert timeline.seconds()[0].time == NOON + timedelta(seconds=5)


def test_csv_has_a_line_for_each_second() -> None:
    seconds = [Second(NOON, Emotion.HAPPY, 0.81234), Second(NOON + timedelta(seconds=1), None)]
    assert to_csv(seconds).decode().splitlines() == [
        "time,emotion,probability",
        "2026-11-26T12:00:00+00:00,happy,0.812",
        "2026-11-26T12:00:01+00:00,,",
    ]
