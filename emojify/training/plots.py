"""Images of a network's errors: a confusion matrix, and the misread faces with the greatest confidence."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.training.dataset import Dataset

MOST_WRONG = 27
"""How many faces :func:`most_wrong` returns at most."""

_CELL_PX, _MARGIN_PX = 72, 120
_BLACK, _WHITE, _BLUE = (40, 40, 40), (255, 255, 255), (178, 114, 0)  # BGR; the blue is from Okabe and Ito's palette


def confusion_plot(confusion: list[list[int]]) -> NDArray[np.uint8]:
    """Draw a confusion matrix: a row per label, a column per reading, darker for a larger share of the row.

    Args:
        confusion: 7 x 7 counts, as in :class:`~emojify.training.figures.Figures`.

    Returns:
        (h, w, 3) uint8 BGR.
    """
    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = _MARGIN_PX + _CELL_PX * len(LABELS) + 16
    plot = np.full((side, side, 3), _WHITE, np.uint8)
    _write(plot, "read as", (_MARGIN_PX, 24), scale=0.5)
    _write(plot, "labeled", (8, _MARGIN_PX - 12), scale=0.5)
    for row, label in enumerate(LABELS):
        start = _MARGIN_PX + row * _CELL_PX
        _write(plot, label, (8, start + _CELL_PX // 2 + 5))
        _write(plot, label, (start + 2, _MARGIN_PX - 12 - 28 * (row % 2)), scale=0.42)
        for column in range(len(LABELS)):
            corner = (_MARGIN_PX + column * _CELL_PX, start)
            _draw_cell(plot, corner, float(shares[row, column]), int(counts[row, column]))
    return plot


def _draw_cell(plot: NDArray[np.uint8], corner: tuple[int, int], share: float, count: int) -> None:
    left, top = corner
    color = [float(white + (blue - white) * share) for white, blue in zip(_WHITE, _BLUE, strict=True)]
    cv2.rectangle(plot, corner, (left + _CELL_PX - 2, top + _CELL_PX - 2), color, -1)
    text_color = _WHITE if share > 0.65 else _BLACK
    _write(plot, f"{share:.0%}", (left + 16, top + 34), color=text_color, scale=0.55)
    _write(plot, f"{count}", (left + 16, top + 56), color=text_color)


def _write(
    plot: NDArray[np.uint8],
    text: str,
    position: tuple[int, int],
    *,
    color: tuple[int, int, int] = _BLACK,
    scale: float = 0.45,
) -> None:
    cv2.putText(plot, text, position, cv2.FONT_HERSHEY_SIMPLEX, scale, color, 1, cv2.LINE_AA)


def most_wrong(probabilities: NDArray[np.float32], data: Dataset) -> list[dict[str, Any]]:
    """Return the pictures whose label was missed with the greatest confidence, the worst first, ready for JSON.

    Args:
        probabilities: (n, 7), a row for each of the data set's pictures.
        data: the pictures.

    Returns:
        Dictionaries with ``file``, ``label``, ``read``, ``confidence`` (0 to 1) and ``png`` (base64).
    """
    read = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(read != data.labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST_WRONG]
    return [
        {
            "file": str(data.files[row]),
            "label": LABELS[data.labels[row]],
            "read": LABELS[read[row]],
            "confidence": round(float(confidence[row]), 4),
            "png": png_base64(data.images[row]),
        }
        for row in worst
    ]


def png_base64(image: NDArray[np.uint8]) -> str:
    """Encode an image as PNG in base64, which fits into JSON."""
    return base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()
