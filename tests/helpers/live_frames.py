"""Finished frames as a video processor gives them to its taps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emojify.live.frame_tap import ProcessedFrame
from emojify.vision.analyzer import to_gray
from emojify.vision.readings import Image, Reading


def processed_frame(
    image: Image, time_s: float, readings: Sequence[Reading] = (), shape: tuple[int, int] | None = None
) -> ProcessedFrame:
    """A frame whose annotated picture is ``image``.

    Args:
        shape: height and width of the camera's frame; those of ``image`` by default.
    """
    gray = to_gray(image) if shape is None else np.zeros(shape, np.uint8)
    return ProcessedFrame(image, tuple(readings), gray, time_s)
