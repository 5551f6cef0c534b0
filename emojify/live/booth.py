"""A photo booth: four snapshots, each after a countdown, on one strip."""

from __future__ import annotations

import threading

import cv2
import numpy as np

from emojify.live.countdown import COUNTDOWN_S, draw_countdown
from emojify.live.flash import FLASH_S
from emojify.live.frame_tap import FrameTap, ProcessedFrame
from emojify.vision.readings import Image

SHOTS = 4
MAX_SHOT_PX = (480, 360)  # width and height
BORDER_PX = 18
PAPER_BGR = (250, 250, 250)


class PhotoBooth(FrameTap):
    """Takes snapshots from the frames of a video. Thread-safe.

    Example:
        >>> booth = PhotoBooth()
        >>> booth.start()
        >>> shown = booth.add_frame(frame)  # for every frame
        >>> booth.strip                     # after four countdowns
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = False
        self._next_shot_s: float | None = None
        self._shots: list[Image] = []
        self._finished: list[Image] = []

    def start(self) -> None:
        """Start the first countdown with the next frame. An earlier strip stays until this one is finished."""
        with self._lock:
            self._active, self._next_shot_s, self._shots = True, None, []

    def cancel(self) -> None:
        """Drop an unfinished strip; keep a finished one."""
        with self._lock:
            self._active, self._shots = False, []

    def discard(self) -> None:
        """Drop the finished strip."""
        with self._lock:
            self._finished = []

    def end_stream(self) -> None:
        """Drop an unfinished strip; keep a finished one."""
        self.cancel()

    @property
    def is_active(self) -> bool:
        """True from :meth:`start` to the last shot."""
        with self._lock:
            return self._active

    @property
    def shots_taken(self) -> int:
        """The number of shots of the unfinished strip."""
        with self._lock:
            return len(self._shots)

    @property
    def strip_shots(self) -> tuple[Image, ...]:
        """The shots of the newest finished strip, which are other objects for another strip; empty without one."""
        with self._lock:
            return tuple(self._finished)

    @property
    def strip(self) -> Image | None:
        """The newest finished strip, its shots one below the other, (H, W, 3) uint8 BGR; None before the first one."""
        shots = self.strip_shots
        return make_strip(list(shots)) if shots else None

    def add_frame(self, frame: ProcessedFrame) -> Image:
        """Take the next frame; return it with the countdown, or a white picture right after a shot."""
        image, now_s = frame.image, frame.time_s
        with self._lock:
            if not self._active:
                return image
            if self._next_shot_s is None:
                self._next_shot_s = now_s + COUNTDOWN_S
            if now_s >= self._next_shot_s:
                self._shots.append(_shrink(image))
                self._next_shot_s += COUNTDOWN_S + FLASH_S
                if len(self._shots) == SHOTS:
                    self._active, self._finished, self._shots = False, self._shots, []
                return np.full_like(image, 255)
            left_s, taken = self._next_shot_s - now_s, len(self._shots)
        if left_s > COUNTDOWN_S:
            return np.full_like(image, 255)
        return draw_countdown(image, left_s, f"{taken + 1} of {SHOTS}")


def make_strip(shots: list[Image]) -> Image:
    """Stack pictures on white paper, each resized to the size of the first.

    Args:
        shots: at least one picture, each (H, W, 3) uint8 BGR of any size.
    """
    height, width = shots[0].shape[:2]
    strip = np.empty((len(shots) * (height + BORDER_PX) + BORDER_PX, width + 2 * BORDER_PX, 3), np.uint8)
    strip[:] = PAPER_BGR
    for number, shot in enumerate(shots):
        top = BORDER_PX + number * (height + BORDER_PX)
        strip[top : top + height, BORDER_PX : BORDER_PX + width] = cv2.resize(shot, (width, height))
    return strip


def _shrink(image: Image) -> Image:
    height, width = image.shape[:2]
    factor = min(1.0, MAX_SHOT_PX[0] / width, MAX_SHOT_PX[1] / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
