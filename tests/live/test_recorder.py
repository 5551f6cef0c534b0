"""Recording from the video: 3, 2, 1, thirty crops, and a sentence when there is nothing to keep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.recorder import COUNTDOWN_S, CROPS, RECORDING_S, Phase, Recorder
from emojify.vision.analyzer import to_gray
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier, crop_face
from emojify.vision.readings import Box, Face, Image, Reading
from tests.live.test_processor import Clock, feed

BOX = Box(100, 80, 120, 120)


class Untouched:
    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        return scene


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> Recorder:
    return Recorder(Untouched(), clock)


def reading(box: Box = BOX) -> Reading:
    return Reading(Face(box, 1), np.eye(7, dtype=np.float32)[3], Emotion.HAPPY, sure=True)


def play(
    recorder: Recorder, clock: Clock, seconds: float, readings: Sequence[Reading], scene: Image | None = None
) -> None:
    chance = np.random.default_rng(0)
    for _ in range(round(seconds * 30)):
        clock.now_s += 1 / 30
        shown = chance.integers(0, 255, (480, 640, 3)).astype(np.uint8) if scene is None else scene.copy()
        recorder.annotate(shown, readings)


def test_first_a_countdown_then_thirty_crops_in_three_seconds(recorder: Recorder, clock: Clock) -> None:
    assert recorder.progress().phase is Phase.IDLE
    recorder.begin(Emotion.SAD)
    seen = []
    clock.now_s += 0.01  # the clock adds thirtieths, not exactly
    for _ in range(3):
        seen.append(recorder.progress().seconds_left)
        play(recorder, clock, COUNTDOWN_S / 3, [reading()])
        assert recorder.progress().crops <= 1
    assert seen == [3, 2, 1]
    play(recorder, clock, RECORDING_S + 0.2, [reading()])
    assert recorder.progress().phase is Phase.DONE
    emotion, crops = recorder.take()
    assert emotion is Emotion.SAD
    assert CROPS - 2 <= len(crops) <= CROPS
    assert recorder.progress().phase is Phase.IDLE


def test_a_crop_is_what_the_classifier_saw_before_anything_was_drawn(clock: Clock) -> None:
    recorder = Recorder(BoxLabel(), clock)
    scene = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    recorder.begin(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + 1, [reading()], scene)
    clock.now_s += RECORDING_S
    _, crops = recorder.take()
    assert np.array_equal(crops[0].crop(0.0), crop_face(to_gray(scene), BOX))


def test_the_countdown_and_the_dot_are_drawn_and_nothing_while_idle(recorder: Recorder, clock: Clock) -> None:
    scene = np.full((240, 320, 3), 90, np.uint8)
    assert (recorder.annotate(scene.copy(), []) == 90).all()
    recorder.begin(Emotion.HAPPY)
    assert (recorder.annotate(scene.copy(), []) != 90).any()
    clock.now_s += COUNTDOWN_S + 0.1
    assert (recorder.annotate(scene.copy(), []) != 90).any()


@pytest.mark.parametrize(
    ("readings", "shade", "sentence"),
    [
        ([], None, "No face was found"),
        ([reading(), reading(Box(300, 80, 100, 100))], None, "several faces"),
        ([], 3, "Is it covered"),
    ],
    ids=["no face", "two faces", "a covered camera"],
)
def test_what_is_no_recording_is_refused_in_a_sentence(
    recorder: Recorder, clock: Clock, readings: list[Reading], shade: int | None, sentence: str
) -> None:
    scene = None if shade is None else np.full((480, 640, 3), shade, np.uint8)
    recorder.begin(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + RECORDING_S + 0.1, readings, scene)
    with pytest.raises(EmojifyError, match=sentence):
        recorder.take()
    assert recorder.progress().phase is Phase.IDLE


def test_a_video_that_stood_still_is_refused(recorder: Recorder, clock: Clock) -> None:
    recorder.begin(Emotion.HAPPY)
    clock.now_s += COUNTDOWN_S + RECORDING_S + 1
    assert recorder.progress().phase is Phase.DONE
    with pytest.raises(EmojifyError, match="stood still"):
        recorder.take()


def test_somebody_who_walks_through_does_not_spoil_it(recorder: Recorder, clock: Clock) -> None:
    recorder.begin(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + RECORDING_S * 0.8, [reading()])
    play(recorder, clock, RECORDING_S * 0.2 + 0.1, [reading(), reading(Box(300, 80, 100, 100))])
    _, crops = recorder.take()
    assert 20 <= len(crops) <= 25


def test_a_small_face_behind_is_nobody_beside_and_never_cropped(recorder: Recorder, clock: Clock) -> None:
    poster = Box(300, 80, round(BOX.width * 0.4), round(BOX.height * 0.4))
    scene = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    recorder.begin(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + RECORDING_S + 0.1, [reading(poster), reading()], scene)
    _, crops = recorder.take()
    assert len(crops) >= CROPS - 2
    assert all(np.array_equal(crop.crop(0.0), crop_face(to_gray(scene), BOX)) for crop in crops)


def test_cancelling_forgets_what_was_recorded(recorder: Recorder, clock: Clock) -> None:
    recorder.begin(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + 1, [reading()])
    recorder.cancel()
    assert recorder.progress() == Recorder(Untouched(), clock).progress()


def test_it_records_what_the_processor_gives_it(clock: Clock, tiny_model: bytes, astronaut: Image) -> None:
    recorder = Recorder(BoxLabel(), clock)
    processor = EmojiVideoProcessor(LiveSettings(Classifier(tiny_model), recorder), clock)
    feed(processor, astronaut, clock, 6)
    recorder.begin(Emotion.HAPPY)
    clock.now_s += COUNTDOWN_S
    feed(processor, astronaut, clock, 30)
    clock.now_s += RECORDING_S
    _, crops = recorder.take()
    assert 8 <= len(crops) <= 11
    assert processor.status().failed == 0
