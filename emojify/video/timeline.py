"""The emotions of a video's main face over time: shares for a chart, and seconds for a table."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np

from emojify.emotions import LABELS, Emotion
from emojify.vision.readings import Reading

MAX_BINS = 400
"""About as many as a chart of a page's width can show. A longer video has longer bins."""
FIRST_BIN_S = 0.1
NO_FACE, UNSURE = "no face", "unsure"


class Timeline:
    """Adds readings up into bins of equal length. Its size does not depend on the length of the video. ::

    timeline = Timeline()
    timeline.add(main_reading(readings), frame.time_s, duration_s)
    print(timeline.seconds["happy"])
    """

    def __init__(self) -> None:
        self._bin_s = FIRST_BIN_S
        self._bins = np.zeros((MAX_BINS, len(Emotion)))  # seconds times probability
        self._end_s = 0.0
        self._seconds = dict.fromkeys((*LABELS, UNSURE, NO_FACE), 0.0)

    def add(self, reading: Reading | None, start_s: float, duration_s: float) -> None:
        """Add one frame.

        Args:
            reading: of the main face; None if the frame has no face.
            start_s: when the frame appears, in seconds since the video's beginning.
            duration_s: how long it is shown.
        """
        self._end_s = max(self._end_s, start_s + duration_s)
        if reading is None:
            self._seconds[NO_FACE] += duration_s
            return
        self._seconds[reading.caption] += duration_s
        while self._end_s > self._bin_s * MAX_BINS:
            pairs = self._bins[0::2] + self._bins[1::2]
            self._bins = np.vstack([pairs, np.zeros_like(pairs)])
            self._bin_s *= 2
        edges = np.arange(MAX_BINS + 1) * self._bin_s
        first = max(0, int(start_s / self._bin_s) - 1)
        last = min(MAX_BINS, int(self._end_s / self._bin_s) + 2)
        overlap_s = np.minimum(edges[first + 1 : last + 1], start_s + duration_s) - np.maximum(
            edges[first:last], start_s
        )
        self._bins[first:last] += np.maximum(overlap_s, 0)[:, None] * reading.probabilities

    @property
    def seconds(self) -> dict[str, float]:
        """How long each emotion was shown, how long the face was unsure, and how long there was none, in seconds."""
        return dict(self._seconds)

    def to_json(self) -> dict[str, Any]:
        """Return the timeline for a report.

        Returns:
            ``bin_s``, the length of a bin in seconds; ``bins``, for each bin the shares of the seven emotions in the
            order of :class:`~emojify.emotions.Emotion`; ``seconds``, see :attr:`seconds`.
        """
        used = min(MAX_BINS, math.ceil(self._end_s / self._bin_s - 1e-6))
        shares = np.round(self._bins[:used] / self._bin_s, 3)
        return {"bin_s": self._bin_s, "bins": shares.tolist(), "seconds": self.seconds}


def seconds_csv(seconds: dict[str, float]) -> str:
    """Return :attr:`Timeline.seconds` as a CSV file with the columns emotion, seconds and share of the video."""
    total = sum(seconds.values())
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["emotion", "seconds", "share"])
    for label, value in seconds.items():
        writer.writerow([label, f"{value:.2f}", f"{value / total if total else 0:.4f}"])
    return buffer.getvalue()
