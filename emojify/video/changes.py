"""How much a frame of a video differs from the one before: not at all, by motion, or by a cut."""

from __future__ import annotations

from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

CELLS = 48
"""Frames are compared as thumbnails of this many cells a side: a face of 3 % of the longer side fills two or more."""
MEAN_LEVEL = 128.0
"""Thumbnails are scaled to this mean, so that a flash or a new exposure is no cut."""
MIN_MEAN = 8.0
STILL_CELL = 3.0
"""In a still picture no cell changes by this many levels; noise and compression average out in a cell."""
SLIDE_CELL = 12.0
"""After a still picture, a cell that changes by this much is the next slide, or the start of motion."""
CUT_MEAN, STRONG_CUT_MEAN = 8.0, 25.0
CUT_RATIO = 3.0
"""A cut changes the cells by CUT_MEAN on average and this many times as much as the frames before did."""


class Change(Enum):
    """What happened since the frame before."""

    STILL = "still"
    MOTION = "motion"
    CUT = "cut"


class ChangeDetector:
    """Compares each frame of a video with the one before. ::

    change = detector.compare(gray)
    """

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._was_still = True
        self._usual_mean = 0.0

    def compare(self, gray: NDArray[np.uint8]) -> Change:
        """Return the change from the last frame to this one, (H, W) uint8. The first frame is a cut."""
        cells = cv2.resize(gray, (CELLS, CELLS), interpolation=cv2.INTER_AREA).astype(np.float32)
        cells *= MEAN_LEVEL / max(MIN_MEAN, float(cells.mean()))
        before, self._before = self._before, cells
        if before is None:
            return Change.CUT
        differences = np.abs(cells - before)
        mean, largest = float(differences.mean()), float(differences.max())
        was_still, self._was_still = self._was_still, largest < STILL_CELL
        if self._was_still:
            return Change.STILL
        is_strong = mean > STRONG_CUT_MEAN or (mean > CUT_MEAN and mean > CUT_RATIO * self._usual_mean)
        if is_strong or (was_still and largest > SLIDE_CELL):
            return Change.CUT
        self._usual_mean += 0.3 * (mean - self._usual_mean)
        return Change.MOTION
