"""Timing of the stages of live video from outside, by wrapping their methods: the stages themselves have no timers."""

from __future__ import annotations

import functools
import statistics
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import av

from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.vision.analyzer import VideoAnalyzer
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Image
from emojify.vision.smoothing import Smoother
from emojify.vision.tracker import FaceTracker

FPS = 30
Times = dict[str, "array[float]"]
"""Milliseconds of each frame, by stage."""

_STAGES = ((FaceTracker, "update", "detect"), (Classifier, "classify", "classify"), (Smoother, "update", "smooth"))
_ANALYSIS = (VideoAnalyzer, "analyze", "analysis")


@contextmanager
def _timed(owner: type, method: str, total_ms: dict[str, float], stage: str) -> Iterator[None]:
    """Add the time spent in ``owner.method`` to ``total_ms[stage]`` until the block ends."""
    original = getattr(owner, method)

    @functools.wraps(original)
    def timed(*arguments: Any, **named: Any) -> Any:
        started_s = time.perf_counter()
        try:
            return original(*arguments, **named)
        finally:
            total_ms[stage] += (time.perf_counter() - started_s) * 1000

    setattr(owner, method, timed)
    try:
        yield
    finally:
        setattr(owner, method, original)


class StageTimer:
    """A video processor that records the time of each stage. Use it in a ``with`` statement, one at a time.

    Stages: ``convert`` (to BGR, mirror, gray and back), ``detect``, ``classify``, ``smooth``, ``draw``; ``analysis``
    is detect, classify, smooth and the code between them; ``whole`` is everything.

    Example:
        >>> with StageTimer(settings) as timer:
        ...     timer.process(image)
        >>> timer.times["detect"]
    """

    def __init__(self, settings: LiveSettings) -> None:
        self.times: Times = {}
        self._now_s = 0.0
        self._processor = EmojiVideoProcessor(settings, clock_s=lambda: self._now_s)
        self._annotator = type(settings.annotator)
        self._total_ms: dict[str, float] = {}
        self._patches = ExitStack()

    def __enter__(self) -> StageTimer:
        for owner, method, stage in (*_STAGES, _ANALYSIS, (self._annotator, "annotate", "draw")):
            self._patches.enter_context(_timed(owner, method, self._total_ms, stage))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def process(self, image: Image) -> None:
        """Process (H, W, 3) uint8 BGR as the next frame, 1 / 30 s after the last one."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        for stage in ("detect", "classify", "smooth", "analysis", "draw"):
            self._total_ms[stage] = 0.0
        started_s = time.perf_counter()
        self._processor.process(frame)
        whole_ms = (time.perf_counter() - started_s) * 1000
        self._now_s += 1 / FPS
        parts = {"convert": whole_ms - self._total_ms["analysis"] - self._total_ms["draw"], "whole": whole_ms}
        for stage, spent_ms in (self._total_ms | parts).items():
            self.times.setdefault(stage, array("d")).append(spent_ms)

    @property
    def faces(self) -> int:
        """The number of faces in the newest frame."""
        return len(self._processor.status().readings)


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return the median ("p50") and the 90th percentile ("p90"), rounded to hundredths; 0 without values."""
    if len(values) < 2:
        return {"p50": round(values[0], 2), "p90": round(values[0], 2)} if values else {"p50": 0.0, "p90": 0.0}
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return {"p50": round(tenths[4], 2), "p90": round(tenths[8], 2)}


def run_sessions(
    settings: LiveSettings, frames: Sequence[Image], sessions: int, seconds: float
) -> list[dict[str, Any]]:
    """Simulate several cameras of 30 frames/s, each with its own processor and thread that takes the newest frame.

    Returns:
        For each session ``fps``, ``dropped``, and ``late_ms``, the time from a frame's arrival until it is drawn.
    """
    results: list[dict[str, Any]] = [{} for _ in range(sessions)]
    started_s = time.perf_counter() + 0.1

    def run_camera(session: int) -> None:
        results[session] = _run_camera(EmojiVideoProcessor(settings), frames, started_s, seconds)

    threads = [threading.Thread(target=run_camera, args=(session,)) for session in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _run_camera(
    processor: EmojiVideoProcessor, frames: Sequence[Image], started_s: float, seconds: float
) -> dict[str, Any]:
    done, dropped, late_ms = -1, 0, []
    while (now_s := time.perf_counter()) < started_s + seconds:
        newest = int((now_s - started_s) * FPS) if now_s >= started_s else -1
        if newest == done:
            time.sleep(max(0.0, started_s + (done + 1) / FPS - time.perf_counter()))
            continue
        dropped += newest - done - 1
        done = newest
        processor.process(av.VideoFrame.from_ndarray(frames[done % len(frames)], format="bgr24"))
        late_ms.append((time.perf_counter() - started_s - done / FPS) * 1000)
    return {"fps": round(len(late_ms) / seconds, 1), "dropped": dropped, "late_ms": quantiles(late_ms)}
