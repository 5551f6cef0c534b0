from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.live.frame_tap import FrameTap, ProcessedFrame
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.session import LiveSession
from emojify.live.session_limiter import SessionLimiter
from emojify.vision.analyzer import to_gray
from emojify.vision.annotators import BoxLabel, SideBySide, StaticEmoji, Sticker
from emojify.vision.classifier import Classifier
from emojify.vision.detectors.haar import DetectorSettings
from emojify.vision.readings import Image, Reading
from emojify.vision.smoothing import SmoothingSettings
from tests.helpers.event_loop import run
from tests.helpers.live_frames import Clock, Untouched, feed, frame_of, pixels_of

RED = np.full((8, 8, 4), (0, 0, 255, 255), np.uint8)
PICTURES = dict.fromkeys(Emotion, RED)


class Failing:
    """An annotator that fails while ``failing`` is True."""

    def __init__(self) -> None:
        self.failing = True

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        if self.failing:
            raise RuntimeError("drawing failed")
        return scene


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def live(tiny_model: bytes) -> LiveSettings:
    return LiveSettings(Classifier(tiny_model), Sticker(StaticEmoji(PICTURES)), mirror=False)


def test_emoji_is_drawn_on_the_face_only(live: LiveSettings, clock: Clock, astronaut: Image) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    seen = feed(processor, astronaut, clock, frames=6)
    box = processor.status().readings[0].box
    x, y = (round(value) for value in box.center)
    assert seen[y, x].tolist() == [0, 0, 255]
    far = np.ones(seen.shape[:2], bool)
    far[max(0, y - box.height) : y + box.height, max(0, x - box.width) : x + box.width] = False
    assert np.array_equal(seen[far], astronaut[far])


def test_mirror_flips_the_frame_before_analysis(live: LiveSettings, clock: Clock, astronaut: Image) -> None:
    straight, mirrored = EmojiVideoProcessor(live, clock_s=clock), EmojiVideoProcessor(live, clock_s=clock)
    mirrored.configure(LiveSettings(live.classifier, Untouched(), mirror=True))
    feed(straight, astronaut, clock, 6)
    seen = feed(mirrored, astronaut, clock, 6)
    assert np.array_equal(seen, astronaut[:, ::-1])
    x, _ = straight.status().readings[0].box.center
    mirrored_x, _ = mirrored.status().readings[0].box.center
    assert mirrored_x == pytest.approx(astronaut.shape[1] - x, abs=6)


def test_recv_queued_processes_the_newest_frame(live: LiveSettings, clock: Clock) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    frames = [frame_of(np.full((60, 80, 3), shade, np.uint8)) for shade in (10, 20, 30)]
    (result,) = run(processor.recv_queued(frames))
    assert pixels_of(result)[0, 0, 0] == 30
    assert (processor.status().processed, processor.status().dropped) == (1, 2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 640), (481, 639), (3, 5), (720, 1280), (640, 360)])
@pytest.mark.parametrize(
    "annotator",
    [Sticker(StaticEmoji(PICTURES)), SideBySide(StaticEmoji(PICTURES)), BoxLabel()],
    ids=lambda a: type(a).__name__,
)
def test_process_accepts_any_frame_size(
    tiny_model: bytes, clock: Clock, shape: tuple[int, int], annotator: Sticker | SideBySide | BoxLabel
) -> None:
    processor = EmojiVideoProcessor(LiveSettings(Classifier(tiny_model), annotator), clock_s=clock)
    seen = feed(processor, np.zeros((*shape, 3), np.uint8), clock)
    assert seen.shape[0] == shape[0]
    assert seen.shape[1] >= shape[1]
    assert processor.status().failed == 0


@pytest.mark.parametrize(("shape", "expected"), [((1080, 1920), (540, 960)), ((3840, 2160), (960, 540))])
def test_process_shrinks_frames_of_large_cameras(
    live: LiveSettings, clock: Clock, shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    image = np.zeros((*shape, 3), np.uint8)
    image[: shape[0] // 2] = (10, 120, 240)
    seen = feed(processor, image, clock)
    assert seen.shape[:2] == expected
    assert np.abs(seen[20, 20].astype(int) - (10, 120, 240)).max() <= 8
    assert processor.status().failed == 0


def test_process_accepts_a_change_of_size(live: LiveSettings, clock: Clock, astronaut: Image) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    feed(processor, astronaut, clock, 6)
    seen = feed(processor, np.ascontiguousarray(astronaut[:384, :400]), clock, 6)
    assert seen.shape == (384, 400, 3)
    assert len(processor.status().readings) == 1


@pytest.mark.parametrize("format_name", ["yuv420p", "rgb24", "gray", "nv12", "yuv444p"])
def test_process_accepts_any_pixel_format(live: LiveSettings, clock: Clock, astronaut: Image, format_name: str) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    for _ in range(6):
        clock.now_s += 1 / 30
        processor.process(frame_of(astronaut).reformat(format=format_name))
    assert len(processor.status().readings) == 1


def test_failing_frame_is_returned_unchanged(
    tiny_model: bytes, clock: Clock, astronaut: Image, caplog: pytest.LogCaptureFixture
) -> None:
    annotator = Failing()
    processor = EmojiVideoProcessor(LiveSettings(Classifier(tiny_model), annotator, mirror=False), clock_s=clock)
    seen = feed(processor, astronaut, clock, 5)
    assert np.array_equal(seen, astronaut)
    status = processor.status()
    assert (status.failed, status.processed) == (5, 0)
    assert status.problem == "RuntimeError: drawing failed"
    assert len(caplog.records) == 1  # logged once, not thirty times a second
    annotator.failing = False
    feed(processor, astronaut, clock)
    assert processor.status().processed == 1


def test_unprocessed_frame_is_sent_back_small(tiny_model: bytes, clock: Clock) -> None:
    limiter, other = SessionLimiter(1, clock), EmojiVideoProcessor(LiveSettings(Classifier(tiny_model), Failing()))
    failing = EmojiVideoProcessor(
        LiveSettings(Classifier(tiny_model), Failing(), mirror=False), clock_s=clock, limiter=limiter
    )
    large = frame_of(np.zeros((1080, 1920, 3), np.uint8))
    assert failing.process(large).width <= 740
    assert failing.status().failed == 1
    failing.on_ended()
    limiter.acquire(other)
    assert failing.process(large).width <= 740
    assert failing.status().refused


def test_configure_applies_to_the_next_frame(
    live: LiveSettings, tiny_model: bytes, clock: Clock, astronaut: Image
) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    doubtful = (astronaut * 0.7).astype(np.uint8)  # between fearful and happy for the tiny model
    feed(processor, doubtful, clock, 6)
    track_id = processor.status().readings[0].face.track_id
    unsure = LiveSettings(
        Classifier(tiny_model),
        SideBySide(StaticEmoji(PICTURES)),
        mirror=False,
        detection=DetectorSettings(min_neighbors=3),
        smoothing=SmoothingSettings(threshold=1.0),
    )
    processor.configure(unsure)
    seen = feed(processor, doubtful, clock)
    assert seen.shape[1] > astronaut.shape[1]
    (reading,) = processor.status().readings
    assert not reading.sure
    assert reading.face.track_id == track_id  # the video was not restarted


def test_fps_covers_the_last_two_seconds(live: LiveSettings, clock: Clock) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    feed(processor, np.zeros((48, 64, 3), np.uint8), clock, 90)
    assert processor.status().fps == pytest.approx(30, abs=1)
    clock.now_s += 10
    assert processor.status().fps == 0
    assert processor.status().processed == 90


@pytest.mark.parametrize(("waiting", "behind"), [(1, False), (2, False), (3, True), (6, True)])
def test_is_behind_compares_with_the_cameras_rate(live: LiveSettings, clock: Clock, waiting: int, behind: bool) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    frame = frame_of(np.zeros((48, 64, 3), np.uint8))
    for number in range(240 // waiting):
        clock.now_s += waiting / 30
        run(processor.recv_queued([frame] * waiting))
        if number == 90 // waiting:
            assert not processor.status().is_behind  # too early to tell
    status = processor.status()
    assert status.camera_fps == pytest.approx(30, abs=3)
    assert status.fps == pytest.approx(30 / waiting, abs=1)
    assert status.is_behind is behind


def test_frame_times_are_kept_for_two_seconds(live: LiveSettings, clock: Clock) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    frame = frame_of(np.zeros((48, 64, 3), np.uint8))
    for _ in range(300):
        clock.now_s += 1 / 30
        run(processor.recv_queued([frame]))
    assert len(processor._received_s) + len(processor._finished_s) <= 2 * 62


def test_end_of_stream_resets_all_but_snapshot(live: LiveSettings, clock: Clock, astronaut: Image) -> None:
    processor = EmojiVideoProcessor(live, clock_s=clock)
    assert processor.snapshot() is None
    seen = feed(processor, astronaut, clock, 6)
    processor.on_ended()
    status = processor.status()
    assert (status.readings, status.processed, status.fps) == ((), 0, 0)
    snapshot = processor.snapshot()
    assert snapshot is not None
    assert np.array_equal(snapshot, seen)


def test_process_returns_frame_unchanged_without_a_slot(live: LiveSettings, clock: Clock, astronaut: Image) -> None:
    limiter = SessionLimiter(1, clock)
    first, second = (
        EmojiVideoProcessor(live, clock_s=clock, limiter=limiter),
        EmojiVideoProcessor(live, clock_s=clock, limiter=limiter),
    )
    feed(first, astronaut, clock, 6)
    seen = feed(second, astronaut, clock, 6)
    assert np.array_equal(seen, astronaut)
    assert (second.status().refused, second.status().processed, second.snapshot()) == (True, 0, None)
    assert not first.status().refused
    first.on_ended()
    feed(second, astronaut, clock, 6)
    assert (second.status().refused, second.status().processed) == (False, 6)


class RecordingTap(FrameTap):
    """Keeps what it receives and draws a shade on it."""

    def __init__(self, shade: int) -> None:
        self.shade, self.frames, self.ended = shade, list[ProcessedFrame](), 0

    def add_frame(self, frame: ProcessedFrame) -> Image:
        self.frames.append(frame)
        return np.full_like(frame.image, self.shade)

    def end_stream(self) -> None:
        self.ended += 1


def test_taps_receive_frames_in_order(live: LiveSettings, clock: Clock, astronaut: Image) -> None:
    first, second = RecordingTap(40), RecordingTap(80)
    processor = EmojiVideoProcessor(live, taps=[first, second], clock_s=clock)
    shown = feed(processor, astronaut, clock, 6)
    assert (shown == 80).all()
    received = first.frames[-1]
    assert received.readings == processor.status().readings != ()
    assert np.array_equal(received.gray, to_gray(astronaut))
    assert received.time_s == clock.now_s
    assert (second.frames[-1].image == 40).all()
    snapshot = processor.snapshot()
    assert snapshot is not None
    assert np.array_equal(snapshot, received.image)  # what the taps draw is not in the snapshot


def test_end_of_stream_reaches_the_taps(live: LiveSettings, clock: Clock) -> None:
    tap = RecordingTap(0)
    EmojiVideoProcessor(live, taps=[tap], clock_s=clock).on_ended()
    assert tap.ended == 1


def test_failing_tap_does_not_end_the_video(live: LiveSettings, clock: Clock, astronaut: Image) -> None:
    class FailingTap(FrameTap):
        def add_frame(self, frame: ProcessedFrame) -> Image:
            raise RuntimeError("the tap failed")

    processor = EmojiVideoProcessor(live, taps=[FailingTap()], clock_s=clock)
    assert np.array_equal(feed(processor, astronaut, clock), astronaut)
    assert processor.status().problem == "RuntimeError: the tap failed"


def test_session_clip_has_no_countdown(tiny_model: bytes) -> None:
    session = LiveSession.create(LiveSettings(Classifier(tiny_model), Untouched(), mirror=False))
    session.clip.start(seconds=4)
    session.booth.start()
    shown = pixels_of(session.processor.process(frame_of(np.zeros((240, 320, 3), np.uint8))))
    session.processor.on_ended()
    clip = session.clip.clip
    assert clip is not None
    assert shown.max() == 255  # the countdown
    assert clip.frames[0].planes[:240].max() < 30  # black in I420
