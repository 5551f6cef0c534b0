"""What the main face of a video showed, and when: for a chart, and in seconds for a table."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np

from emojify.emotions import LABELS, Emotion
from emojify.vision.readings import Reading

MAX_BINS = 400  # about what a chart as wide as a page can show; a longer video has longer bins
FIRST_BIN_S = 0.1
NO_FACE, UNSURE = "no face", "unsure"


class Timeline:
    """Adds up readings into bins of equal length. Small, however long the video is."""

    def __init__(self) -> None:
        self._bin_s = FIRST_BIN_S
        self._bins = np.zeros((MAX_BINS, len(Emotion)))  # seconds times probability
        self._end_s = 0.0
        self._seconds = dict.fromkeys((*LABELS, UNSURE, NO_FACE), 0.0)

    def add(self, reading: Reading | None, start_s: float, duration_s: float) -> None:
        """The main face of one picture, and how long that picture is shown."""
        self._end_s = max(self._end_s, start_s + duration_s)
        if reading is None:
            self._seconds[NO_FACE] += duration_s
            return
        self._seconds[reading.caption] += duration_s
        while self._end_s > self._bin_s * MAX_BINS:
            halves = self._bins[0::2] + self._bins[1::2]
            self._bins = np.vstack([halves, np.zeros_like(halves)])
            self._bin_s *= 2
        edges = np.arange(MAX_BINS + 1) * self._bin_s
        first = max(0, int(start_s / self._bin_s) - 1)
        last = min(MAX_BINS, int(self._end_s / self._bin_s) + 2)
        shared = np.minimum(edges[first + 1 : last + 1], start_s + duration_s) - np.maximum(edges[first:last], start_s)
        self._bins[first:last] += np.maximum(shared, 0)[:, None] * reading.probabilities

    @property
    def seconds(self) -> dict[str, float]:
        """How long each of the seven was shown, how long there was doubt, and how long nobody was in sight."""
        return dict(self._seconds)

    def to_json(self) -> dict[str, Any]:
        """``bin_s``, the length of a bin; ``bins``, for each seven shares of it, in the order of the emotions."""
        used = min(MAX_BINS, math.ceil(self._end_s / self._bin_s - 1e-6))
        shares = np.round(self._bins[:used] / self._bin_s, 3)
        return {"bin_s": self._bin_s, "bins": shares.tolist(), "seconds": self.seconds}


def seconds_csv(seconds: dict[str, float]) -> str:
    """The table as a CSV file: emotion, seconds, share of the video."""
    total = sum(seconds.values())
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(["emotion", "seconds", "share"])
    for label, value in seconds.items():
        table.writerow([label, f"{value:.2f}", f"{value / total if total else 0:.4f}"])
    return buffer.getvalue()
