"""The emotions of live video, one for each second, for the strip under the video and for a CSV file."""

from __future__ import annotations

import csv
import io
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.live.frame_tap import FrameTap, ProcessedFrame
from emojify.vision.readings import Image, main_reading

MAX_SECONDS = 3600  # an hour; older seconds are dropped


@dataclass(frozen=True)
class Second:
    """What was read in one second.

    Attributes:
        time: when the second began, UTC.
        emotion: the most probable one of the main face, on average; None if most frames show no face.
        probability: its mean probability, 0 to 1; 0 without a face.
    """

    time: datetime
    emotion: Emotion | None
    probability: float = 0.0


class Timeline(FrameTap):
    """Collects the emotion of each second of a video. Thread-safe. Keeps the last hour, also after the video's end.

    Args:
        utc_now: returns the present time.

    Example:
        >>> timeline = Timeline()
        >>> shown = timeline.add_frame(frame)  # for every frame
        >>> timeline.seconds()[-60:]
    """

    def __init__(self, utc_now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._utc_now = utc_now
        self._lock = threading.Lock()
        self._seconds: deque[Second] = deque(maxlen=MAX_SECONDS)
        self._began_s: float | None = None  # of the unfinished second
        self._time = utc_now()
        self._sum: NDArray[np.float64] = np.zeros(len(Emotion))
        self._frames = self._faces = 0

    def add_frame(self, frame: ProcessedFrame) -> Image:
        """Take the next frame; return its picture unchanged."""
        main = main_reading(frame.readings)
        with self._lock:
            if self._began_s is not None and frame.time_s >= self._began_s + 1:
                self._finish_second()
            if self._began_s is None:
                self._began_s, self._time = frame.time_s, self._utc_now()
            self._frames += 1
            if main is not None:
                self._faces += 1
                self._sum += main.probabilities
        return frame.image

    def end_stream(self) -> None:
        """Finish the present second. The next stream may count its time anew."""
        with self._lock:
            if self._frames:
                self._finish_second()

    def _finish_second(self) -> None:
        if 2 * self._faces > self._frames:
            mean = self._sum / self._faces
            second = Second(self._time, Emotion(int(mean.argmax())), float(mean.max()))
        else:
            second = Second(self._time, None)
        self._seconds.append(second)
        self._began_s, self._frames, self._faces = None, 0, 0
        self._sum = np.zeros(len(Emotion))

    def seconds(self) -> list[Second]:
        """Return the finished seconds, the oldest first."""
        with self._lock:
            return list(self._seconds)


def to_csv(seconds: list[Second]) -> bytes:
    """Return seconds as a CSV file with the columns time (ISO 8601, UTC), emotion and probability."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "emotion", "probability"])
    for second in seconds:
        label = "" if second.emotion is None else second.emotion.label
        probability = "" if second.emotion is None else f"{second.probability:.3f}"
        writer.writerow([second.time.isoformat(timespec="seconds"), label, probability])
    return text.getvalue().encode()
