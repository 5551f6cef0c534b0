"""What a model reads, as pictures: a confusion matrix, and the faces that it gets most wrong."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.training.dataset import Dataset

MOST_WRONG = 27

_CELL, _MARGIN = 72, 120
_INK, _PAPER, _BLUE = (40, 40, 40), (255, 255, 255), (178, 114, 0)  # BGR; the blue is Okabe and Ito's


def confusion_plot(confusion: list[list[int]]) -> NDArray[np.uint8]:
    """A row per label, a column per reading; the darker, the larger the share of its row.

    Args:
        confusion: 7 x 7 counts, as in :class:`~emojify.training.evaluate.Figures`.

    Returns:
        (h, w, 3) uint8 BGR.
    """
    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = _MARGIN + _CELL * len(LABELS) + 16
    picture = np.full((side, side, 3), _PAPER, np.uint8)
    _write(picture, "read as", (_MARGIN, 24), scale=0.5)
    _write(picture, "labelled", (8, _MARGIN - 12), scale=0.5)
    for row, label in enumerate(LABELS):
        _write(picture, label, (8, _MARGIN + row * _CELL + _CELL // 2 + 5))
        _write(picture, label, (_MARGIN + row * _CELL + 2, _MARGIN - 12 - 28 * (row % 2)), scale=0.42)
        for column in range(len(LABELS)):
            share = shares[row, column]
            left, top = _MARGIN + column * _CELL, _MARGIN + row * _CELL
            color = [float(paper + (blue - paper) * share) for paper, blue in zip(_PAPER, _BLUE, strict=True)]
            cv2.rectangle(picture, (left, top), (left + _CELL - 2, top + _CELL - 2), color, -1)
            _write(picture, f"{share:.0%}", (left + 16, top + 34), ink=_PAPER if share > 0.65 else _INK, scale=0.55)
            _write(picture, f"{counts[row, column]}", (left + 16, top + 56), ink=_PAPER if share > 0.65 else _INK)
    return picture


def most_wrong(probabilities: NDArray[np.float32], data: Dataset) -> list[dict[str, Any]]:
    """The pictures that were read wrongly with the greatest confidence, the worst first, ready for JSON.

    Args:
        probabilities: (n, 7), a row for each of the data set's pictures.
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
    """A picture as PNG in base64, which JSON can hold."""
    return base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()


def _write(
    picture: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    *,
    ink: tuple[int, int, int] = _INK,
    scale: float = 0.45,
) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
