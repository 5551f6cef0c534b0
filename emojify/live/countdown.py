"""The countdown that is drawn on live video before a recording begins."""

from __future__ import annotations

import math

from emojify.vision.annotators import overlay, text_picture
from emojify.vision.readings import Image

COUNTDOWN_S = 3.0
_TEXT_RGBA = (255, 255, 255, 255)
_BACKGROUND_RGB = (40, 40, 40)


def draw_countdown(image: Image, left_s: float, caption: str) -> Image:
    """Return a copy of a picture with the remaining seconds in its corner, and a caption below them.

    Args:
        image: (H, W, 3) uint8 BGR.
        left_s: remaining time in seconds; it is rounded up.
        caption: what begins then.
    """
    image = image.copy()
    height, width = image.shape[:2]
    large = text_picture(f"{math.ceil(left_s)}", max(16, height // 3), _TEXT_RGBA, _BACKGROUND_RGB)
    small = text_picture(caption, max(10, height // 14), _TEXT_RGBA, _BACKGROUND_RGB)
    overlay(image, large, width - large.shape[1] - height // 20, height // 20)
    overlay(image, small, width - small.shape[1] - height // 20, height // 20 + large.shape[0])
    return image
