"""The stable Python API: what other programs may import, as ``from emojify import read_faces``."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.models import ModelStore
from emojify.settings import Settings
from emojify.vision.analyzer import analyze_photo
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Reading

logger = logging.getLogger(__name__)


def read_faces(image: NDArray[np.uint8]) -> list[Reading]:
    """Find the faces in a picture and read their emotions with the live model.

    The model is loaded by the first call and again when another model is promoted. Thread-safe.

    Args:
        image: (H, W, 3) uint8 BGR, as ``cv2.imread`` returns it. It is not changed.

    Returns:
        One reading per face, largest face first; an empty list if no face is found. A reading has, among others:

        - ``box``: x, y, width and height in pixels of ``image``;
        - ``face.roll``: degrees by which the head is turned clockwise; ``box`` itself is not turned;
        - ``emotion``: the most probable :class:`~emojify.emotions.Emotion`, or neutral if none is probable enough;
        - ``probabilities``: (7,) float32 in the order of ``Emotion``, summing to 1.

    Raises:
        EmojifyError: if ``image`` has another type or shape, or if no model can be opened.

    Example:
        >>> import cv2
        >>> from emojify import read_faces
        >>> from emojify.emotions import Emotion
        >>> reading = read_faces(cv2.imread("photo.jpg"))[0]
        >>> reading.box
        Box(x=176, y=66, width=95, height=95)
        >>> reading.emotion.label, float(reading.probabilities[Emotion.HAPPY])
        ('happy', 0.97)
    """
    _check(image)
    folder = Settings.from_environment().models
    return analyze_photo(image, _open_live_model(folder, fingerprint(folder)))


def _check(image: object) -> None:
    if not isinstance(image, np.ndarray):
        raise EmojifyError(
            f"read_faces needs a NumPy array, not {type(image).__name__}. "
            "Read a file with cv2.imread; it returns None if it cannot open the file."
        )
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise EmojifyError(
            f"read_faces needs an image of shape (height, width, 3) with dtype uint8, in BGR order, "
            f"not {image.shape} {image.dtype}."
        )


@lru_cache(1)
def _open_live_model(folder: Path, files: str) -> Classifier:
    """Open the live model. ``files`` is the folder's fingerprint, so that a changed model is opened again."""
    return ModelStore(folder).open_classifier(None, on_problem=lambda problem: logger.warning("%s", problem))
