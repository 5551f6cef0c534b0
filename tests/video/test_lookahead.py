"""What looking ahead is worth: no bare first pictures, no late switches, no flicker, no ghosts after a cut."""

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
from tests.helpers.films import astronaut, wall

FPS = 25
HAPPY, NEUTRAL = 0.85, 1.0


def run(classifier: Classifier, image: Callable[[float], Image], seconds: float = 4.0) -> list[list[Reading]]:
    """The readings of each picture."""
    ahead = LookAhead(classifier)
    done: list[tuple[Frame, list[Reading]]] = []
    times_s = [number / FPS for number in range(round(seconds * FPS))]
    for time_s in times_s:
        done += ahead.push(Frame(image(time_s), round(time_s * TICKS_PER_S), TICKS_PER_S // FPS))
    done += ahead.finish()
    assert [picture.time_s for picture, _ in done] == pytest.approx(times_s)  # each once, in order
    return [readings for _, readings in done]


def shown(readings: list[list[Reading]]) -> list[tuple[str, int]]:
    """What the main face showed, and for how many pictures."""
    words = [found[0].emotion.label if found else "nobody" for found in readings]
    return [(word, len(list(group))) for word, group in groupby(words)]


def test_a_face_wears_its_emoji_from_the_first_picture_to_the_last(classifier: Classifier) -> None:
    assert shown(run(classifier, lambda time_s: astronaut())) == [("neutral", 100)]


def test_the_switch_comes_with_the_face(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: astronaut(NEUTRAL if time_s < 2 else HAPPY)))
    assert [word for word, _ in found] == ["neutral", "happy"]
    assert found[0][1] == pytest.approx(2 * FPS, abs=1)


def test_what_does_not_last_is_not_shown(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: astronaut(HAPPY if 2 <= time_s < 2.15 else NEUTRAL)))
    assert found == [("neutral", 100)]


def test_what_lasts_is_shown_as_long_as_it_lasts(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: astronaut(HAPPY if 1 <= time_s < 2.2 else NEUTRAL)))
    assert [word for word, _ in found] == ["neutral", "happy", "neutral"]
    assert found[1][1] == pytest.approx(1.2 * FPS, abs=4)


def test_noise_does_not_flicker(classifier: Classifier) -> None:
    rng = np.random.default_rng(5)
    lights = rng.choice([HAPPY, NEUTRAL], 100, p=[0.25, 0.75])
    found = shown(run(classifier, lambda time_s: astronaut(lights[round(time_s * FPS)])))
    assert found == [("neutral", 100)]


def test_after_a_cut_no_ghost_stays_and_before_one_no_bare_face(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: wall() if 1 <= time_s < 2.5 else astronaut()))
    assert found == [("neutral", 25), ("nobody", 38), ("neutral", 37)]


def test_a_face_that_cannot_be_found_for_a_moment_keeps_its_emoji(classifier: Classifier) -> None:
    found = shown(run(classifier, lambda time_s: wall() if 2 <= time_s < 2.1 else astronaut()))
    assert found == [("neutral", 100)]


def test_boxes_follow_a_face_that_moves(classifier: Classifier) -> None:
    def image(time_s: float) -> Image:
        return np.roll(astronaut(), round(15 * time_s), axis=1)

    centers = [found[0].box.center[0] for found in run(classifier, image, 2.0)]
    start = centers[0]
    assert centers == pytest.approx([start + 15 * number / FPS for number in range(50)], abs=5)
    assert np.abs(np.diff(centers)).max() < 4


def test_a_video_of_few_pictures_a_second_is_covered_from_the_first_too(classifier: Classifier) -> None:
    ahead = LookAhead(classifier)
    done = []
    for number in range(40):
        done += ahead.push(Frame(astronaut(), number * TICKS_PER_S // 5, TICKS_PER_S // 5))
    done += ahead.finish()
    assert all(readings for _, readings in done)


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (2160, 3840)])
def test_what_is_held_is_bounded_in_bytes(classifier: Classifier, height: int, width: int) -> None:
    ahead = LookAhead(classifier)
    image = np.zeros((height, width, 3), np.uint8)
    for number in range(60):
        ahead.push(Frame(image, number * TICKS_PER_S // 30, TICKS_PER_S // 30))
    held = sum(held_frame.frame is not None for held_frame in ahead._held)
    assert held * image.nbytes <= MAX_HELD_BYTES
    assert held <= LOOK_AHEAD_S * 30 + 2


def test_a_short_video_is_handed_out_at_its_end(classifier: Classifier) -> None:
    assert [len(readings) for readings in run(classifier, lambda time_s: wall(), 0.08)] == [0, 0]


def test_the_emotion_is_one_of_a_reading_that_is_sure(classifier: Classifier) -> None:
    (reading,) = run(classifier, lambda time_s: astronaut(), 1.0)[10]
    assert reading.sure
    assert reading.probabilities.argmax() == Emotion.NEUTRAL
    assert reading.probabilities.sum() == pytest.approx(1, abs=1e-3)
