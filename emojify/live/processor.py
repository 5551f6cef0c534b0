"""The video processor: a camera's frame in, the emojified frame out, readings and figures on the side."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import av
import cv2
import numpy as np

from emojify.live._compat import release_memory
from emojify.live.booth import PhotoBooth
from emojify.live.clip import ClipRecorder
from emojify.live.session_limiter import SessionLimiter, shared_session_limiter
from emojify.vision.analyzer import VideoAnalyzer
from emojify.vision.annotators import Annotator
from emojify.vision.classifier import Classifier
from emojify.vision.detector import DetectorSettings
from emojify.vision.readings import Image, Reading
from emojify.vision.smoothing import SmoothingSettings

logger = logging.getLogger(__name__)

# Each session has a thread of its own; OpenCV's pool on top of them makes several sessions slower, not faster.
cv2.setNumThreads(1)

RATE_WINDOW_S = 2.0
FLUENT_FPS = 15  # below this, and below three quarters of what the camera sends, somebody should be told
TIMED_FRAMES = 60


@dataclass(frozen=True)
class LiveSettings:
    """All that a person can change while the video runs."""

    classifier: Classifier
    annotator: Annotator
    mirror: bool = True
    detection: DetectorSettings = field(default_factory=DetectorSettings)
    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)


@dataclass(frozen=True)
class LiveStatus:
    """What the processor knows at one moment.

    Attributes:
        readings: of the newest frame.
        processed, dropped, failed: frames since the stream began.
        fps: processed frames a second, over the last two seconds.
        camera_fps: frames that came a second, over the same time.
        latency_ms: median time a frame spent here, of the last 60; the network and the browser come on top.
        problem: why the newest failed frame failed; None if none did.
        refused: whether the newest frame was not looked at because all seats were taken.
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

    @property
    def is_behind(self) -> bool:
        """Whether the picture is no longer fluent because this machine has too much to do."""
        return 0 < self.fps < min(FLUENT_FPS, 0.75 * self.camera_fps)


class EmojiVideoProcessor:
    """One instance a session. Its methods may be called from different threads.

    Pass :meth:`recv_queued` and :meth:`on_ended` to ``webrtc_streamer`` as callbacks.

    Args:
        seats: asked before each frame; those of the process by default.

    Attributes:
        clip, booth: get every finished picture; what they keep of it is theirs.
    """

    def __init__(
        self,
        settings: LiveSettings,
        clock_s: Callable[[], float] = time.monotonic,
        limiter: SessionLimiter | None = None,
    ) -> None:
        self._settings = settings
        self.limiter = limiter or shared_session_limiter()
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self.clip, self.booth = ClipRecorder(), PhotoBooth()
        self._begin()

    def _begin(self) -> None:
        self._analyzer: VideoAnalyzer | None = None
        self._applied: LiveSettings | None = None
        self._readings: tuple[Reading, ...] = ()
        self._picture: Image | None = None
        self._processed = self._dropped = self._failed = 0
        self._problem: str | None = None
        self._turned_away = False
        self._finished_s: deque[float] = deque()
        self._came_s: deque[float] = deque()
        self._latencies_ms: deque[float] = deque(maxlen=TIMED_FRAMES)

    def configure(self, settings: LiveSettings) -> None:
        """Take changed settings from the next frame on."""
        with self._lock:
            self._settings = settings

    async def recv_queued(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """All frames that came while the last one was worked on: the newest is done, the others are dropped."""
        with self._lock:
            self._dropped += len(frames) - 1
            self._came_s.extend([self._clock_s()] * len(frames))
            self._forget_old_times()
        return [self.process(frames[-1])]

    def process(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Emojify one frame. Never raises: a frame that cannot be analysed comes back as it was.

        So does every one while all seats are taken.
        """
        self._turned_away = not self.limiter.acquire(self)
        if self._turned_away:
            return frame
        started_s = self._clock_s()
        try:
            image, readings = self._annotated(frame, started_s)
            self.clip.add_frame(image, readings, (frame.height, frame.width), started_s)
            shown = self.booth.add_frame(image, started_s)
            result = av.VideoFrame.from_ndarray(shown, format="bgr24")
        except Exception as error:  # noqa: BLE001 - one that left this method would end the stream for good
            self._note_failure(error)
            return frame
        now_s = self._clock_s()
        with self._lock:
            self._picture, self._readings = image, readings
            self._processed += 1
            self._latencies_ms.append((now_s - started_s) * 1000)
            self._finished_s.append(now_s)
            self._forget_old_times()
        return result

    def _annotated(self, frame: av.VideoFrame, now_s: float) -> tuple[Image, tuple[Reading, ...]]:
        with self._lock:
            settings, applied, analyzer = self._settings, self._applied, self._analyzer
        if analyzer is None:
            analyzer = VideoAnalyzer(settings.classifier, settings.detection, settings.smoothing)
        elif settings is not applied:
            analyzer.configure(settings.classifier, settings.detection, settings.smoothing)
        with self._lock:
            self._applied, self._analyzer = settings, analyzer
        image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        if settings.mirror:
            image = np.asarray(cv2.flip(image, 1), np.uint8)
        readings = analyzer.analyze(image, now_s)
        return np.ascontiguousarray(settings.annotator.annotate(image, readings)), tuple(readings)

    def _note_failure(self, error: Exception) -> None:
        problem = f"{type(error).__name__}: {error}"
        with self._lock:
            first = self._problem is None
            self._failed += 1
            self._problem = problem
            self._readings = ()
        if first:
            logger.error("A frame could not be analysed; the video goes on without. %s", problem, exc_info=error)

    def on_ended(self) -> None:
        """The stream is over: the next one starts with nothing remembered, but the last picture stays."""
        self.limiter.release(self)
        with self._lock:
            picture = self._picture
            self._begin()
            self._picture = picture
        self.clip.end()
        self.booth.end()
        release_memory()

    def status(self) -> LiveStatus:
        """Readings and figures, consistent with each other."""
        with self._lock:
            self._forget_old_times()
            return LiveStatus(
                readings=self._readings,
                processed=self._processed,
                dropped=self._dropped,
                failed=self._failed,
                fps=len(self._finished_s) / RATE_WINDOW_S,
                camera_fps=len(self._came_s) / RATE_WINDOW_S,
                latency_ms=statistics.median(self._latencies_ms) if self._latencies_ms else 0.0,
                problem=self._problem,
                refused=self._turned_away,
            )

    def _forget_old_times(self) -> None:
        now_s = self._clock_s()
        for times_s in (self._finished_s, self._came_s):
            while times_s and now_s - times_s[0] > RATE_WINDOW_S:
                times_s.popleft()

    def snapshot(self) -> Image | None:
        """The newest finished picture, (H, W, 3) uint8 BGR; None before the first."""
        with self._lock:
            return None if self._picture is None else self._picture.copy()
