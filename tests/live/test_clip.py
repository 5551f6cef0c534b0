from __future__ import annotations

import errno
import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageSequence

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.live.clip import FPS, MAX_PIXELS, MAX_S, STICKER_PX, Clip, ClipRecorder, render_transparent
from emojify.video.sink import OUTPUT_FORMATS
from emojify.vision.annotators import SideBySide, StaticEmoji, Sticker
from emojify.vision.readings import Box, Face, Reading
from tests.helpers.failing_disk import FailingDisk, failing
from tests.helpers.live_frames import processed_frame
from tests.helpers.sample_videos import decode

pytestmark = pytest.mark.slow

RED_DISC = np.zeros((64, 64, 4), np.uint8)
RED_DISC[np.hypot(*(np.indices((64, 64)) - 31.5)) < 31] = (0, 0, 255, 255)
EMOJI = StaticEmoji(dict.fromkeys(Emotion, RED_DISC))


def reading(x: int = 200) -> Reading:
    return Reading(Face(Box(x, 150, 120, 120), 1), np.full(7, 1 / 7, np.float32), Emotion.HAPPY, True)


def record(seconds: float = 2.0, size: tuple[int, int] = (480, 640), faces: bool = True) -> ClipRecorder:
    """Record 30 frames/s for slightly longer than ``seconds``. The picture gets lighter and the face moves."""
    recorder = ClipRecorder()
    recorder.start(seconds)
    for number in range(round(seconds * 30) + 5):
        readings = (reading(200 + number),) if faces else ()
        recorder.add_frame(
            processed_frame(np.full((*size, 3), 2 * number % 256, np.uint8), 100 + number / 30, readings, (480, 640))
        )
    return recorder


def clip_of(recorder: ClipRecorder) -> Clip:
    clip = recorder.clip
    assert clip is not None
    return clip


def frames_of(content: bytes) -> tuple[list[NDArray[np.uint8]], list[int]]:
    """Decode an animation into RGBA pictures and their durations in ms."""
    picture = PillowImage.open(io.BytesIO(content))
    frames, times_ms = [], []
    for frame in ImageSequence.Iterator(picture):
        frame.load()
        times_ms.append(int(frame.info["duration"]))
        frames.append(np.asarray(frame.convert("RGBA"), np.uint8).copy())
    return frames, times_ms


def test_recorder_stops_after_the_requested_time() -> None:
    recorder = record(2.0)
    clip = clip_of(recorder)
    assert recorder.left_s is None
    assert len(clip.frames) == 2 * FPS
    assert clip.duration_s == pytest.approx(2.0, abs=0.02)


def test_recorder_has_no_clip_before_the_end() -> None:
    recorder = ClipRecorder()
    recorder.add_frame(processed_frame(np.zeros((48, 64, 3), np.uint8), 1.0))
    assert (recorder.clip, recorder.left_s) == (None, None)
    recorder.start(2.0)
    recorder.add_frame(processed_frame(np.zeros((48, 64, 3), np.uint8), 2.0))
    recorder.add_frame(processed_frame(np.zeros((48, 64, 3), np.uint8), 3.0))
    assert recorder.clip is None
    assert recorder.left_s == pytest.approx(1.0)


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (480, 1120), (3, 5)])
def test_clip_size_is_bounded(size: tuple[int, int]) -> None:
    clip = clip_of(record(MAX_S, size))
    assert len(clip.frames) <= MAX_S * FPS
    assert sum(frame.planes.nbytes for frame in clip.frames) <= MAX_S * FPS * MAX_PIXELS * 1.55


@pytest.mark.parametrize("seconds", [0, -1, MAX_S + 1])
def test_start_rejects_impossible_lengths(seconds: float) -> None:
    with pytest.raises(EmojifyError, match="up to 6 seconds"):
        ClipRecorder().start(seconds)


def test_end_stream_keeps_recorded_frames() -> None:
    recorder = ClipRecorder()
    recorder.start(4)
    recorder.end_stream()
    assert (recorder.clip, recorder.left_s) == (None, None)
    recorder.start(4)
    recorder.add_frame(processed_frame(np.zeros((48, 64, 3), np.uint8), 1.0))
    recorder.end_stream()
    assert len(clip_of(recorder).frames) == 1


def test_clip_stays_until_the_next_one_is_finished() -> None:
    recorder = record(1.0)
    before = clip_of(recorder)
    recorder.start(1.0)
    recorder.add_frame(processed_frame(np.zeros((48, 64, 3), np.uint8), 1.0))
    assert recorder.clip is before
    recorder.cancel()
    assert (recorder.clip, recorder.left_s) == (before, None)
    recorder.discard()
    assert recorder.clip is None


def test_countdown_is_shown_but_not_recorded() -> None:
    recorder = ClipRecorder()
    recorder.start(1.0, countdown_s=2.0)
    image = np.zeros((240, 320, 3), np.uint8)
    shown = [recorder.add_frame(processed_frame(image, number / 30)) for number in range(100)]
    counted = [picture is not image for picture in shown]
    assert counted == [number < 60 for number in range(100)]
    frames = clip_of(recorder).frames
    assert len(frames) == FPS
    assert all((frame.planes == frames[0].planes).all() for frame in frames)


def test_mp4_has_the_recorded_frames_and_times(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(clip_of(record()).encode(".mp4"))
    seen = decode(tmp_path / "clip.mp4")
    assert len(seen.frames) == 30
    assert seen.end_s == pytest.approx(2.0, abs=0.05)
    assert [int(picture.mean()) for picture in seen.frames] == pytest.approx([4 * n for n in range(30)], abs=4)


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_looping_pictures_have_the_clips_duration(ending: str) -> None:
    frames, times_ms = frames_of(clip_of(record()).encode(ending))
    assert sum(times_ms) == pytest.approx(2000, abs=80)
    assert 10 <= len(frames) <= 30  # WebP merges pictures that look the same
    assert max(frames[0].shape) == 480


@pytest.mark.parametrize("ending", OUTPUT_FORMATS)
def test_encode_writes_nothing_to_disk(ending: str) -> None:
    clip = clip_of(record())
    with failing(FailingDisk(Path("/"), errno.EROFS, allowed=0)) as disk:
        assert clip.encode(ending)
        assert clip.sticker(ending, Sticker(EMOJI)) if ending in (".webp", ".gif") else True
    assert not disk.failures


@pytest.mark.parametrize("ending", [".webp", ".gif"])
def test_sticker_is_transparent_and_animated(ending: str) -> None:
    frames, times_ms = frames_of(clip_of(record()).sticker(ending, Sticker(EMOJI)))
    assert sum(times_ms) == pytest.approx(2000, abs=80)
    centers = []
    for frame in frames:
        height, width = frame.shape[:2]
        assert height == width <= STICKER_PX
        solid = frame[:, :, 3] > 128
        assert 0.1 < solid.mean() < 0.8
        assert not solid[0].any()
        assert not solid[-1].any()
        red = frame[solid][:, :3].astype(int)
        assert (np.abs(red - (255, 0, 0)).mean(axis=0) < 12).all()
        centers.append(np.nonzero(solid)[1].mean())
    assert np.diff(centers).min() > 0  # moves to the right, like the face
    assert centers[-1] - centers[0] > 20


def test_sticker_without_a_face_is_rejected() -> None:
    clip = clip_of(record(faces=False))
    assert not clip.has_faces
    with pytest.raises(EmojifyError, match="No face was in view"):
        clip.sticker(".webp", Sticker(EMOJI))


def test_sticker_is_empty_without_a_face() -> None:
    recorder = ClipRecorder()
    recorder.start(1.0)
    for number in range(40):
        readings = () if 10 <= number < 20 else (reading(),)
        recorder.add_frame(processed_frame(np.zeros((480, 640, 3), np.uint8), number / 30, readings, (480, 640)))
    frames, _ = frames_of(clip_of(recorder).sticker(".webp", Sticker(EMOJI)))
    seen = [bool((frame[:, :, 3] > 128).any()) for frame in frames]
    assert set(seen) == {True, False}


def test_render_transparent_returns_what_an_annotator_draws() -> None:
    picture = render_transparent(Sticker(EMOJI), (reading(),), (480, 640))
    assert picture[210, 260].tolist() == [0, 0, 255, 255]
    assert not picture[:100].any()
    assert render_transparent(SideBySide(EMOJI), (reading(),), (480, 640)).shape == (480, 1120, 4)
