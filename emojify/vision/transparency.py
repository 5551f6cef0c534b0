"""Transparency of drawings whose annotators draw on opaque scenes only."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.readings import Image


def with_alpha(on_black: Image, on_white: Image) -> NDArray[np.uint8]:
    """Return a drawing with its alpha, which follows from the same drawing on black and on white.

    Args:
        on_black, on_white: (H, W, 3) uint8 BGR. Black gives the colors; white shows through where they are transparent.

    Returns:
        (H, W, 4) uint8 BGRA, the colors multiplied by alpha.
    """
    transparency = cv2.subtract(on_white, on_black).min(axis=2)
    return np.dstack([on_black, 255 - transparency]).astype(np.uint8)


def unpremultiply(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Divide the colors of an (H, W, 4) uint8 BGRA picture by its alpha."""
    alpha = picture[:, :, 3:].astype(np.float32)
    colors = picture[:, :, :3] * (255 / np.maximum(alpha, 1))
    return np.dstack([np.minimum(colors, 255).astype(np.uint8), picture[:, :, 3]])
