"""A photo booth: four snapshots with a countdown before each, on one strip."""

from __future__ import annotations

import math
import threading

import cv2
import numpy as np

from emojify.vision.annotators import overlay, text_picture
from emojify.vision.readings import Image

SHOTS = 4
COUNTDOWN_S = 3.0
FLASH_S = 0.15  # the picture is white for so long after a shot, so that one knows
SHOT_PX = (480, 360)  # at most, width and height
BORDER_PX = 18
PAPER = (250, 250, 250)


class PhotoBooth:
    """Takes the pictures from the frames that go by. Its methods may be called from different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = False
        self._next_s: float | None = None
        self._shots: list[Image] = []

    def start(self) -> None:
        """Count down to the first shot from the next frame on; shots taken before are forgotten."""
        with self._lock:
            self._wanted, self._next_s, self._shots = True, None, []

    def end(self) -> None:
        """The stream is over: an unfinished strip is forgotten."""
        with self._lock:
            if self._wanted:
                self._wanted, self._shots = False, []

    @property
    def is_busy(self) -> bool:
        """Whether it counts or shoots."""
        with self._lock:
            return self._wanted

    @property
    def is_complete(self) -> bool:
        """Whether there is a strip."""
        with self._lock:
            return len(self._shots) == SHOTS

    @property
    def strip(self) -> Image | None:
        """The four shots, one below the other, (H, W, 3) uint8 BGR; None before all are taken."""
        with self._lock:
            shots = list(self._shots)
        return make_strip(shots) if len(shots) == SHOTS else None

    def add_frame(self, image: Image, now_s: float) -> Image:
        """The next frame, annotated; returns it with what people in front of the camera should see on it.

        Args:
            image: (H, W, 3) uint8 BGR; not drawn on.
            now_s: its time, from any clock.
        """
        with self._lock:
            if not self._wanted:
                return image
            if self._next_s is None:
                self._next_s = now_s + COUNTDOWN_S
            if now_s >= self._next_s:
                self._shots.append(_shot(image))
                self._next_s += COUNTDOWN_S + FLASH_S
                self._wanted = len(self._shots) < SHOTS
                return np.full_like(image, 255)
            left_s, taken = self._next_s - now_s, len(self._shots)
        if left_s > COUNTDOWN_S:
            return np.full_like(image, 255)
        return _with_number(image, f"{math.ceil(left_s)}", f"{taken + 1} of {SHOTS}")


def make_strip(shots: list[Image]) -> Image:
    """Pictures of any size below each other on white paper, each with the size of the first."""
    height, width = shots[0].shape[:2]
    strip = np.empty((len(shots) * (height + BORDER_PX) + BORDER_PX, width + 2 * BORDER_PX, 3), np.uint8)
    strip[:] = PAPER
    for number, shot in enumerate(shots):
        top = BORDER_PX + number * (height + BORDER_PX)
        strip[top : top + height, BORDER_PX : BORDER_PX + width] = cv2.resize(shot, (width, height))
    return strip


def _shot(image: Image) -> Image:
    height, width = image.shape[:2]
    factor = min(1.0, SHOT_PX[0] / width, SHOT_PX[1] / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _with_number(image: Image, number: str, below: str) -> Image:
    image = image.copy()
    height, width = image.shape[:2]
    large = text_picture(number, max(16, height // 3), (255, 255, 255, 255), (40, 40, 40))
    small = text_picture(below, max(10, height // 14), (255, 255, 255, 255), (40, 40, 40))
    overlay(image, large, width - large.shape[1] - height // 20, height // 20)
    overlay(image, small, width - small.shape[1] - height // 20, height // 20 + large.shape[0])
    return image
