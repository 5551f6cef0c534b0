"""Timing the stages of the real thing, from outside: nothing in the hot path knows of it."""

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
def _watched(owner: type, method: str, total_ms: dict[str, float], stage: str) -> Iterator[None]:
    """While this lasts, the time spent in ``owner.method`` is added to ``total_ms[stage]``."""
    original = getattr(owner, method)

    @functools.wraps(original)
    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return original(*arguments, **named)
        finally:
            total_ms[stage] += (time.perf_counter() - began) * 1000

    setattr(owner, method, timed)
    try:
        yield
    finally:
        setattr(owner, method, original)


class StageTimer:
    """A processor that tells where each frame's time went. Use it in a ``with``, one at a time.

    Stages: ``convert`` (to BGR, mirror, gray and back), ``detect``, ``classify``, ``smooth``, ``draw``; ``analysis``
    is detect, classify, smooth and what lies between them; ``whole`` is all of it.
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
            self._patches.enter_context(_watched(owner, method, self._total_ms, stage))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def process(self, frame: av.VideoFrame) -> None:
        """One frame, a thirtieth of a second after the one before."""
        for stage in ("detect", "classify", "smooth", "analysis", "draw"):
            self._total_ms[stage] = 0.0
        began = time.perf_counter()
        self._processor.process(frame)
        whole_ms = (time.perf_counter() - began) * 1000
        self._now_s += 1 / FPS
        parts = {"convert": whole_ms - self._total_ms["analysis"] - self._total_ms["draw"], "whole": whole_ms}
        for stage, spent_ms in (self._total_ms | parts).items():
            self.times.setdefault(stage, array("d")).append(spent_ms)

    @property
    def faces(self) -> int:
        """Faces in the newest frame."""
        return len(self._processor.status().readings)


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Median and 90th percentile, to a hundredth."""
    if len(values) < 2:
        return {"p50": round(values[0], 2), "p90": round(values[0], 2)} if values else {"p50": 0.0, "p90": 0.0}
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    return {"p50": round(tenths[4], 2), "p90": round(tenths[8], 2)}


def run_sessions(
    settings: LiveSettings, frames: Sequence[Image], sessions: int, seconds: float
) -> list[dict[str, Any]]:
    """Several cameras at 30 frames a second, each with a processor and a thread of its own; the newest frame wins.

    Returns:
        For each session ``fps``, ``dropped`` and ``late_ms``: from a frame's arrival until it is drawn.
    """
    results: list[dict[str, Any]] = [{} for _ in range(sessions)]
    began = time.perf_counter() + 0.1

    def camera(session: int) -> None:
        processor, done, dropped, late_ms = EmojiVideoProcessor(settings), -1, 0, []
        while (now := time.perf_counter()) < began + seconds:
            newest = int((now - began) * FPS) if now >= began else -1
            if newest == done:
                time.sleep(max(0.0, began + (done + 1) / FPS - time.perf_counter()))
                continue
            dropped += newest - done - 1
            done = newest
            processor.process(av.VideoFrame.from_ndarray(frames[done % len(frames)], format="bgr24"))
            late_ms.append((time.perf_counter() - began - done / FPS) * 1000)
        results[session] = {"fps": round(len(late_ms) / seconds, 1), "dropped": dropped, "late_ms": quantiles(late_ms)}

    threads = [threading.Thread(target=camera, args=(session,)) for session in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
