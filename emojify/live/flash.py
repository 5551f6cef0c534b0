"""A white flash in live video, as a sign that a picture was taken."""

from __future__ import annotations

import threading

import numpy as np

from emojify.live.frame_tap import FrameTap, ProcessedFrame
from emojify.vision.readings import Image

FLASH_S = 0.15


class Flash(FrameTap):
    """Turns the video white for :data:`FLASH_S` after :meth:`fire`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fired = False
        self._ends_s = float("-inf")

    def fire(self) -> None:
        """Flash from the next frame on."""
        with self._lock:
            self._fired = True

    def add_frame(self, frame: ProcessedFrame) -> Image:
        """Return the frame's picture, or a white one of the same size during the flash."""
        with self._lock:
            if self._fired:
                self._fired, self._ends_s = False, frame.time_s + FLASH_S
            is_white = frame.time_s < self._ends_s
        return np.full_like(frame.image, 255) if is_white else frame.image

    def end_stream(self) -> None:
        """Forget an unfinished flash: the next stream may count its time anew."""
        with self._lock:
            self._fired, self._ends_s = False, float("-inf")
