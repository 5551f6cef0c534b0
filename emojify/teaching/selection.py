"""Select pictures worth keeping: diverse ones without duplicates."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL_PX = 24
DUPLICATE_CORRELATION = 0.995
"""Correlation from which two crops count as duplicates: a model learns nothing from the second one."""


def normalize(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return one unit vector for each crop. The inner product of two vectors is the correlation of their crops.

    Correlation ignores differences in brightness and contrast.

    Args:
        crops: (n, 48, 48) uint8.

    Returns:
        (n, 576) float32.
    """
    small = [cv2.resize(crop, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA).ravel() for crop in crops]
    rows = np.asarray(small, np.float32).reshape(len(crops), SMALL_PX**2)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def pick_diverse(crops: NDArray[np.uint8], limit: int) -> list[int]:
    """Pick the crops that differ most, without duplicates.

    Starts with the first crop and then picks, again and again, the one whose highest correlation with the picked ones
    is the lowest (farthest-point sampling).

    Args:
        crops: (n, 48, 48) uint8.
        limit: how many to pick at most.

    Returns:
        Rows of ``crops`` in ascending order.
    """
    if len(crops) == 0:
        return []
    rows = normalize(crops)
    picked = [0]
    correlation = rows @ rows[0]  # of each crop with the most similar picked one
    while len(picked) < min(limit, len(crops)):
        candidate = int(correlation.argmin())
        if correlation[candidate] >= DUPLICATE_CORRELATION:
            break
        picked.append(candidate)
        correlation = np.maximum(correlation, rows @ rows[candidate])
    return sorted(picked)


def find_duplicates(crops: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each of ``crops`` whether it is a duplicate of one of ``others``.

    Args:
        crops: (n, 48, 48) uint8.
        others: (m, 48, 48) uint8.

    Returns:
        (n,) bool.
    """
    if len(crops) == 0 or len(others) == 0:
        return np.zeros(len(crops), np.bool_)
    return np.asarray((normalize(crops) @ normalize(others).T).max(axis=1) >= DUPLICATE_CORRELATION)
