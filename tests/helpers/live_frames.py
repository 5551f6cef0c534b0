"""Frames for a video processor, and processed frames as it hands them to its taps."""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np

from emojify.live.frame_tap import ProcessedFrame
from emojify.live.processor import EmojiVideoProcessor
from emojify.vision.analyzer import to_gray
from emojify.vision.readings import Image, Reading


def processed_frame(
    image: Image, time_s: float, readings: Sequence[Reading] = (), shape: tuple[int, int] | None = None
) -> ProcessedFrame:
    """Return a frame whose annotated picture is ``image``.

    Args:
        shape: height and width of the camera's frame; those of ``image`` by default.
    """
    gray = to_gray(image) if shape is None else np.zeros(shape, np.uint8)
    return ProcessedFrame(image, tuple(readings), gray, time_s)


class Clock:
    """A clock that stands still until the test sets ``now_s``."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Untouched:
    """An annotator that draws nothing."""

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        return scene


def frame_of(image: Image) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(image, format="bgr24")


def pixels_of(frame: av.VideoFrame) -> Image:
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def feed(processor: EmojiVideoProcessor, image: Image, clock: Clock, frames: int = 1) -> Image:
    """Process ``frames`` copies of ``image``, 1/30 s apart; return the last annotated picture."""
    for _ in range(frames):
        clock.now_s += 1 / 30
        result = processor.process(frame_of(image))
    return pixels_of(result)
