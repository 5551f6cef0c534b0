"""The look-ahead: emoji from the first frame on, prompt switches, no flicker, and no emoji after a cut."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.video.lookahead import LOOK_AHEAD_S, MAX_HELD_BYTES, LookAhead
from emojify.video.source import TICKS_PER_S, Frame
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Image, Reading
from tests.helpers.sample_videos import astronaut, wall

pytestmark = pytest.mark.slow

FPS = 25
HAPPY, NEUTRAL = 0.85, 1.0


def run(classifier: Classifier, image: Callable[[float], Image], seconds: float = 4.0) -> list[list[Reading]]:
    """Return the readings of each frame."""
    ahead = LookAhead(classifier)
    emitted: list[tuple[Frame, list[Reading]]] = []
    times_s = [number / FPS for number in range(round(seconds * FPS))]
    for time_s in times_s:
        emitted += ahead.push(Frame(image(time_s), round(time_s * TICKS_PER_S), TICKS_PER_S // FPS))
    emitted += ahead.finish()
    assert [frame.time_s for frame, _ in emitted] == pytest.approx(times_s)  # each once, in order
    return [readings for _, readings in emitted]


def shown(readings: list[list[Reading]]) -> list[tuple[str, int]]:
    """Return what the main face showed, and for how many frames."""
    labels = [found[0].emotion.label if found else "no face" for found in readings]
    return [(label, len(list(group))) for label, group in groupby(labels)]


def test_face_has_emoji_in_every_frame(classifier: Classifier) -> None:
    assert shown(run(classifier, lambda time_s: astronaut())) == [("neutral", 100)]


def test_emotion_switches_with_face(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: astronaut(NEUTRAL if time_s < 2 else HAPPY)))
    assert [label for label, _ in found] == ["neutral", "happy"]
    assert found[0][1] == pytest.approx(2 * FPS, abs=1)


def test_short_emotion_is_not_shown(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: astronaut(HAPPY if 2 <= time_s < 2.15 else NEUTRAL)))
    assert found == [("neutral", 100)]


def test_lasting_emotion_is_shown_while_it_lasts(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: astronaut(HAPPY if 1 <= time_s < 2.2 else NEUTRAL)))
    assert [label for label, _ in found] == ["neutral", "happy", "neutral"]
    assert found[1][1] == pytest.approx(1.2 * FPS, abs=4)


def test_noise_causes_no_flicker(classifier: Classifier) -> None:
    rng = np.random.default_rng(5)
    brightness = rng.choice([HAPPY, NEUTRAL], 100, p=[0.25, 0.75])
    found = shown(run(classifier, lambda time_s: astronaut(brightness[round(time_s * FPS)])))
    assert found == [("neutral", 100)]


def test_emoji_ends_and_starts_at_cuts(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: wall() if 1 <= time_s < 2.5 else astronaut()))
    assert found == [("neutral", 25), ("no face", 38), ("neutral", 37)]


def test_briefly_undetected_face_keeps_emoji(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: wall() if 2 <= time_s < 2.1 else astronaut()))
    assert found == [("neutral", 100)]


def test_box_follows_moving_face(classifier: Classifier) -> None:
    def image(time_s: float) -> Image:
        return np.roll(astronaut(), round(15 * time_s), axis=1)

    centers = [found[0].box.center[0] for found in run(classifier, image, 2.0)]
    start = centers[0]
    assert centers == pytest.approx([start + 15 * number / FPS for number in range(50)], abs=5)
    assert np.abs(np.diff(centers)).max() < 4


def test_low_frame_rate_is_covered_from_start(classifier: Classifier) -> None:
    ahead = LookAhead(classifier)
    emitted = []
    for number in range(40):
        emitted += ahead.push(Frame(astronaut(), number * TICKS_PER_S // 5, TICKS_PER_S // 5))
    emitted += ahead.finish()
    assert all(readings for _, readings in emitted)


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (2160, 3840)])
def test_held_frames_are_limited_in_bytes(classifier: Classifier, height: int, width: int) -> None:
    ahead = LookAhead(classifier)
    image = np.zeros((height, width, 3), np.uint8)
    for number in range(60):
        ahead.push(Frame(image, number * TICKS_PER_S // 30, TICKS_PER_S // 30))
    held = sum(held_frame.frame is not None for held_frame in ahead._held)
    assert held * image.nbytes <= MAX_HELD_BYTES
    assert held <= LOOK_AHEAD_S * 30 + 2


def test_finish_emits_short_video(classifier: Classifier) -> None:
    assert [len(readings) for readings in run(classifier, lambda time_s: wall(), 0.08)] == [0, 0]


def test_reading_is_sure_and_normalized(classifier: Classifier) -> None:
    (reading,) = run(classifier, lambda time_s: astronaut(), 1.0)[10]
    assert reading.sure
    assert reading.probabilities.argmax() == Emotion.NEUTRAL
    assert reading.probabilities.sum() == pytest.approx(1, abs=1e-3)
