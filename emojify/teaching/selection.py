"""Which of many pictures are worth keeping: varied ones, no find_duplicates, none that says two things at once."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL_PX = 24
DUPLICATE_CORRELATION = 0.995
"""Correlation of two crops from which one tells nothing that the other does not."""


def normalize(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 48, 48) uint8 to (n, 576) float32, whose inner products are correlations; light and contrast are left out."""
    small = [cv2.resize(crop, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA).ravel() for crop in crops]
    rows = np.asarray(small, np.float32).reshape(len(crops), SMALL_PX**2)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def pick_diverse(crops: NDArray[np.uint8], limit: int) -> list[int]:
    """The pictures that differ most, in their own order: each next one is the one least like all that were picked.

    Returns:
        Rows of ``crops``, at most ``limit``; none is a copy (``DUPLICATE_CORRELATION``) of another.
    """
    if len(crops) == 0:
        return []
    rows = normalize(crops)
    picked = [0]
    nearest = rows @ rows[0]
    while len(picked) < min(limit, len(crops)):
        candidate = int(nearest.argmin())
        if nearest[candidate] >= DUPLICATE_CORRELATION:
            break
        picked.append(candidate)
        nearest = np.maximum(nearest, rows @ rows[candidate])
    return sorted(picked)


def find_duplicates(crops: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """For each of ``crops`` whether it is a copy of one of ``others``."""
    if len(crops) == 0 or len(others) == 0:
        return np.zeros(len(crops), np.bool_)
    return np.asarray((normalize(crops) @ normalize(others).T).max(axis=1) >= DUPLICATE_CORRELATION)
