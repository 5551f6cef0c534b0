"""The face recorder: countdown, crops, and an error for an unusable recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.live.face_recorder import COUNTDOWN_S, MAX_CROPS, RECORDING_S, FaceRecorder, Phase
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.vision.alignment import crop_upright
from emojify.vision.analyzer import to_gray
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier, crop_face
from emojify.vision.readings import Box, Face, Image, Reading
from tests.helpers.live_frames import Clock, feed, processed_frame

pytestmark = pytest.mark.slow

BOX = Box(100, 80, 120, 120)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> FaceRecorder:
    return FaceRecorder(clock)


def reading(box: Box = BOX) -> Reading:
    return Reading(Face(box, 1), np.eye(7, dtype=np.float32)[3], Emotion.HAPPY, sure=True)


def play(
    recorder: FaceRecorder, clock: Clock, seconds: float, readings: Sequence[Reading], scene: Image | None = None
) -> None:
    """Give the recorder ``seconds`` of frames: of ``scene``, or of noise."""
    rng = np.random.default_rng(0)
    for _ in range(round(seconds * 30)):
        clock.now_s += 1 / 30
        shown = rng.integers(0, 255, (480, 640, 3)).astype(np.uint8) if scene is None else scene
        recorder.add_frame(processed_frame(shown, clock.now_s, readings))


def test_recorder_counts_down_then_takes_thirty_crops(recorder: FaceRecorder, clock: Clock) -> None:
    assert recorder.progress().phase is Phase.IDLE
    recorder.start(Emotion.SAD)
    seen = []
    clock.now_s += 0.01  # the sum of thirtieths is not exact
    for _ in range(3):
        seen.append(recorder.progress().seconds_left)
        play(recorder, clock, COUNTDOWN_S / 3, [reading()])
        assert recorder.progress().crops <= 1
    assert seen == [3, 2, 1]
    play(recorder, clock, RECORDING_S + 0.2, [reading()])
    assert recorder.progress().phase is Phase.DONE
    emotion, crops = recorder.collect()
    assert emotion is Emotion.SAD
    assert MAX_CROPS - 2 <= len(crops) <= MAX_CROPS
    assert recorder.progress().phase is Phase.IDLE


def test_recorder_crops_like_the_classifier(recorder: FaceRecorder, clock: Clock) -> None:
    scene = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    recorder.start(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + 1, [reading()], scene)
    clock.now_s += RECORDING_S
    _, crops = recorder.collect()
    assert np.array_equal(crops[0].crop(0.0), crop_face(to_gray(scene), BOX))


def test_recorder_draws_countdown_and_dot(recorder: FaceRecorder, clock: Clock) -> None:
    scene = np.full((240, 320, 3), 90, np.uint8)
    frame = processed_frame(scene, clock.now_s)
    assert recorder.add_frame(frame) is scene
    recorder.start(Emotion.HAPPY)
    assert (recorder.add_frame(frame) != 90).any()
    clock.now_s += COUNTDOWN_S + 0.1
    assert (recorder.add_frame(frame) != 90).any()
    assert (scene == 90).all()


@pytest.mark.parametrize(
    ("readings", "shade", "sentence"),
    [
        ([], None, "No face was found"),
        ([reading(), reading(Box(300, 80, 100, 100))], None, "several faces"),
        ([], 3, "Is it covered"),
    ],
    ids=["no face", "two faces", "a covered camera"],
)
def test_collect_rejects_unusable_recordings(
    recorder: FaceRecorder, clock: Clock, readings: list[Reading], shade: int | None, sentence: str
) -> None:
    scene = None if shade is None else np.full((480, 640, 3), shade, np.uint8)
    recorder.start(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + RECORDING_S + 0.1, readings, scene)
    with pytest.raises(EmojifyError, match=sentence):
        recorder.collect()
    assert recorder.progress().phase is Phase.IDLE


def test_collect_rejects_recording_without_frames(recorder: FaceRecorder, clock: Clock) -> None:
    recorder.start(Emotion.HAPPY)
    clock.now_s += COUNTDOWN_S + RECORDING_S + 1
    assert recorder.progress().phase is Phase.DONE
    with pytest.raises(EmojifyError, match="stood still"):
        recorder.collect()


def test_recorder_tolerates_a_second_face_briefly(recorder: FaceRecorder, clock: Clock) -> None:
    recorder.start(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + RECORDING_S * 0.8, [reading()])
    play(recorder, clock, RECORDING_S * 0.2 + 0.1, [reading(), reading(Box(300, 80, 100, 100))])
    _, crops = recorder.collect()
    assert 20 <= len(crops) <= 25


def test_recorder_ignores_small_background_faces(recorder: FaceRecorder, clock: Clock) -> None:
    poster = Box(300, 80, round(BOX.width * 0.4), round(BOX.height * 0.4))
    scene = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    recorder.start(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + RECORDING_S + 0.1, [reading(poster), reading()], scene)
    _, crops = recorder.collect()
    assert len(crops) >= MAX_CROPS - 2
    assert all(np.array_equal(crop.crop(0.0), crop_face(to_gray(scene), BOX)) for crop in crops)


def test_cancel_drops_the_recording(recorder: FaceRecorder, clock: Clock) -> None:
    recorder.start(Emotion.HAPPY)
    play(recorder, clock, COUNTDOWN_S + 1, [reading()])
    recorder.cancel()
    assert recorder.progress() == FaceRecorder(clock).progress()


def test_recorder_taps_frames_before_annotation(clock: Clock, tiny_model: bytes, astronaut: Image) -> None:
    recorder = FaceRecorder(clock)
    live = LiveSettings(Classifier(tiny_model), BoxLabel(), mirror=False)
    processor = EmojiVideoProcessor(live, taps=[recorder], clock_s=clock)
    feed(processor, astronaut, clock, 6)
    recorder.start(Emotion.HAPPY)
    clock.now_s += COUNTDOWN_S
    feed(processor, astronaut, clock, 30)
    clock.now_s += RECORDING_S
    _, crops = recorder.collect()
    assert 8 <= len(crops) <= 11
    assert processor.status().failed == 0
    face = processor.status().readings[0].face
    expected = crop_upright(to_gray(astronaut), face.box, face.roll)
    # Without the label's box. The crop is a few frames older than the face, so its roll may differ a little.
    assert np.corrcoef(crops[-1].crop(0.0).ravel(), expected.ravel())[0, 1] > 0.95
