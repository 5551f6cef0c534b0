"""The video processor: a camera's frame in, the emojified frame out; readings and statistics on request."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import av
import cv2
import numpy as np

from emojify.live.frame_size import MAX_FRAME_PIXELS, MAX_UNPROCESSED_PIXELS, limit_size
from emojify.live.frame_tap import FrameTap, ProcessedFrame
from emojify.live.process import release_memory
from emojify.live.session_limiter import SessionLimiter, shared_session_limiter
from emojify.vision.analyzer import VideoAnalyzer
from emojify.vision.annotators import Annotator
from emojify.vision.classifier import Classifier
from emojify.vision.detectors.haar import DetectorSettings
from emojify.vision.readings import Image, Reading
from emojify.vision.smoothing import SmoothingSettings

logger = logging.getLogger(__name__)

# Each session has its own thread. With OpenCV's thread pool on top of them several sessions run slower, not faster.
cv2.setNumThreads(1)

RATE_WINDOW_S = 2.0
SMOOTH_FPS = 15  # below this rate, and below three quarters of the camera's, the page warns that the machine is busy
JUDGED_AFTER_S = 6.0  # browser and connection take some seconds to reach the camera's rate
TIMED_FRAMES = 60
# The browser is asked for 640x480. Some cameras send 1080p or 4K all the same, which would take five times as long.
MAX_SIDE_PX = 1280
SHRUNK_SIDE_PX = 960


@dataclass(frozen=True)
class LiveSettings:
    """Everything a user can change while the video runs."""

    classifier: Classifier
    annotator: Annotator
    mirror: bool = True
    detection: DetectorSettings = field(default_factory=DetectorSettings)
    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)


@dataclass(frozen=True)
class LiveStatus:
    """The state of a processor at one moment.

    Attributes:
        readings: of the newest frame.
        processed, dropped, failed: numbers of frames since the stream began.
        fps: processed frames per second, over the last :data:`RATE_WINDOW_S`.
        camera_fps: received frames per second, over the same time.
        latency_ms: median processing time of the last :data:`TIMED_FRAMES` frames, without network and browser.
        problem: why the newest failed frame failed; None if none did.
        refused: True if the newest frame was returned unprocessed because too many sessions run live video.
        running_s: time since the stream's first frame came, in seconds.
    """

    readings: tuple[Reading, ...]
    processed: int
    dropped: int
    failed: int
    fps: float
    camera_fps: float
    latency_ms: float
    problem: str | None
    refused: bool = False
    running_s: float = 0.0

    @property
    def is_behind(self) -> bool:
        """True if this machine is too busy to show smooth video. False in the first seconds, when rates still rise."""
        return self.running_s >= JUDGED_AFTER_S and 0 < self.fps < min(SMOOTH_FPS, 0.75 * self.camera_fps)


class EmojiVideoProcessor:
    """Emojifies the video of one session. Thread-safe; one instance per session.

    Pass :meth:`recv_queued` and :meth:`on_ended` to ``webrtc_streamer`` as callbacks.

    Args:
        settings: the first settings; change them with :meth:`configure`.
        taps: receive every finished frame, in this order.
        clock_s: returns a monotonic time in seconds.
        limiter: asked before each frame; the process's limiter by default.

    Example:
        >>> processor = EmojiVideoProcessor(LiveSettings(classifier, Sticker(emoji)))
        >>> shown = processor.process(frame)
        >>> processor.status().readings
    """

    def __init__(
        self,
        settings: LiveSettings,
        *,
        taps: Sequence[FrameTap] = (),
        clock_s: Callable[[], float] = time.monotonic,
        limiter: SessionLimiter | None = None,
    ) -> None:
        self.limiter = limiter or shared_session_limiter()
        self._settings = settings
        self._taps = tuple(taps)
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._latest_image: Image | None = None
        self._reset()

    def _reset(self) -> None:
        self._analyzer: VideoAnalyzer | None = None
        self._applied_settings: LiveSettings | None = None
        self._readings: tuple[Reading, ...] = ()
        self._processed = self._dropped = self._failed = 0
        self._problem: str | None = None
        self._refused = False
        self._finished_s: deque[float] = deque()
        self._received_s: deque[float] = deque()
        self._began_s: float | None = None
        self._latencies_ms: deque[float] = deque(maxlen=TIMED_FRAMES)

    def configure(self, settings: LiveSettings) -> None:
        """Use other settings from the next frame on."""
        with self._lock:
            self._settings = settings

    async def recv_queued(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Process the newest of the frames that arrived since the last call, and drop the others."""
        with self._lock:
            self._dropped += len(frames) - 1
            now_s = self._clock_s()
            if self._began_s is None:
                self._began_s = now_s
            self._received_s.extend([now_s] * len(frames))
            self._drop_old_times()
        return [self.process(frames[-1])]

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Emojify one frame. Never raises: a frame that cannot be processed is returned as it is, a large one smaller.

        So is a frame that arrives while too many sessions run live video.
        """
        self._refused = not self.limiter.acquire(self)
        if self._refused:
            return limit_size(frame, MAX_UNPROCESSED_PIXELS)
        started_s = self._clock_s()
        try:
            processed = self._annotate(frame, started_s)
            drawn = av.VideoFrame.from_ndarray(self._pass_through_taps(processed), format="bgr24")
            result = limit_size(drawn, MAX_FRAME_PIXELS)  # the emoji beside the camera doubles the width
        except Exception as error:  # noqa: BLE001 - an exception that leaves this method ends the stream for good
            self._record_failure(error)
            return limit_size(frame, MAX_UNPROCESSED_PIXELS)
        now_s = self._clock_s()
        with self._lock:
            self._latest_image, self._readings = processed.image, processed.readings
            self._processed += 1
            self._latencies_ms.append((now_s - started_s) * 1000)
            self._finished_s.append(now_s)
            self._drop_old_times()
        return result

    def _annotate(self, frame: av.VideoFrame, now_s: float) -> ProcessedFrame:
        with self._lock:
            settings, applied, analyzer = self._settings, self._applied_settings, self._analyzer
        if analyzer is None:
            analyzer = VideoAnalyzer(settings.classifier, settings.detection, settings.smoothing)
        elif settings is not applied:
            analyzer.configure(settings.classifier, settings.detection, settings.smoothing)
        with self._lock:
            self._applied_settings, self._analyzer = settings, analyzer
        image = _to_bgr(frame)
        if settings.mirror:
            image = np.asarray(cv2.flip(image, 1), np.uint8)
        readings = analyzer.analyze(image, now_s)
        annotated = np.ascontiguousarray(settings.annotator.annotate(image, readings))
        return ProcessedFrame(annotated, tuple(readings), analyzer.latest_gray, now_s)

    def _pass_through_taps(self, frame: ProcessedFrame) -> Image:
        for tap in self._taps:
            shown = tap.add_frame(frame)
            if shown is not frame.image:
                frame = replace(frame, image=shown)
        return frame.image

    def _record_failure(self, error: Exception) -> None:
        problem = f"{type(error).__name__}: {error}"
        with self._lock:
            first = self._problem is None
            self._failed += 1
            self._problem = problem
            self._readings = ()
        if first:
            logger.error("A frame could not be processed; the video goes on. %s", problem, exc_info=error)

    def on_ended(self) -> None:
        """Handle the end of the stream: reset everything except the snapshot, and free memory."""
        self.limiter.release(self)
        with self._lock:
            self._reset()
        for tap in self._taps:
            tap.end_stream()
        release_memory()

    def status(self) -> LiveStatus:
        """Return readings and statistics that are consistent with each other."""
        with self._lock:
            self._drop_old_times()
            return LiveStatus(
                readings=self._readings,
                processed=self._processed,
                dropped=self._dropped,
                failed=self._failed,
                fps=len(self._finished_s) / RATE_WINDOW_S,
                camera_fps=len(self._received_s) / RATE_WINDOW_S,
                latency_ms=statistics.median(self._latencies_ms) if self._latencies_ms else 0.0,
                problem=self._problem,
                refused=self._refused,
                running_s=0.0 if self._began_s is None else self._clock_s() - self._began_s,
            )

    def _drop_old_times(self) -> None:
        now_s = self._clock_s()
        for times_s in (self._finished_s, self._received_s):
            while times_s and now_s - times_s[0] > RATE_WINDOW_S:
                times_s.popleft()

    def snapshot(self) -> Image | None:
        """Return a copy of the newest annotated picture, (H, W, 3) uint8 BGR; None before the first frame."""
        with self._lock:
            return None if self._latest_image is None else self._latest_image.copy()


def _to_bgr(frame: av.VideoFrame) -> Image:
    """Return a frame as (H, W, 3) uint8 BGR; a frame over :data:`MAX_SIDE_PX` shrunk to :data:`SHRUNK_SIDE_PX`."""
    longer_px = max(frame.width, frame.height)
    if longer_px <= MAX_SIDE_PX:
        return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    width, height = (max(1, round(side * SHRUNK_SIDE_PX / longer_px)) for side in (frame.width, frame.height))
    small = frame.reformat(width=width, height=height, format="bgr24", interpolation="AREA")
    return np.asarray(small.to_ndarray(), np.uint8)
