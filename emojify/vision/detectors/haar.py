"""Face detection with OpenCV's Haar cascade.

A full scan of a 640x480 frame takes 70 to 125 ms on one core of a small machine. A video needs two cheaper searches:
:meth:`HaarDetector.scan` looks for new faces of some sizes in a part of the frame, and
:meth:`HaarDetector.search_around` looks for a known face near its last position.

OpenCV tries faces of up to twice the cascade's 24 pixels at every other pixel, and larger ones at every pixel, which
takes four times as long. A scan therefore shrinks the frame until the faces it looks for are between 26 and 48 pixels
wide: finding all faces of 54 to 90 pixels takes 10 ms in a frame of 320 pixels, and 4 ms in one of 160 pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.vision.alignment import cut_patch
from emojify.vision.readings import Box

Search = tuple[float, tuple[float, float]]

CASCADE_FILE = "haarcascade_frontalface_default.xml"
CASCADE_PX = 24  # the side of the cascade's window, and so of the smallest face

PHOTO_SCAN_PX = 1280  # longer side of a scanned photo: finds small faces, and 20 megapixels do not take minutes
PHOTO_FACE_PX = 30  # smallest face in the scanned photo

SCAN_FACE_PX = (26, 48)  # smallest and largest face in the shrunken frame
SCAN_OVERLAP = 0.55  # share of the largest face by which neighboring parts overlap, so that no face is cut in two
# A quick search tries fewer sizes and places than a full scan, so a face gets fewer overlapping hits.
QUICK_NEIGHBORS_FACTOR = 0.6

# The searches for a known face, as (margin of the box on each side, smallest and largest width relative to the last).
# Measured on 132 faces of 60 to 300 pixels that had moved by up to 8 % and grown by up to 6 %: the near search finds
# 97 % in 1.2 ms, the wide search all of them in 2.6 ms.
SEARCH_FACE_PX = 72  # width of the face in the shrunken image; at 48, boxes are 6 % too large
NEAR_SEARCH = (0.15, (0.9, 1.12))
WIDE_SEARCH = (0.25, (0.83, 1.2))
MIN_ROLL = 8.0  # degrees; below, the cascade finds a face in the image as it is, which takes no rotation


@dataclass(frozen=True)
class Scan:
    """One quick search for new faces in a part of the frame.

    Attributes:
        frame_px: the frame is shrunk until its longer side has this length.
        largest: whether to look for faces of any larger size, too.
        parts: the numbers of columns and rows into which the frame is divided.
        part: the column and row to search, from (0, 0).
    """

    frame_px: int
    largest: bool = False
    parts: tuple[int, int] = (1, 1)
    part: tuple[int, int] = (0, 0)


class Method(StrEnum):
    """Which detectors look for faces."""

    AUTOMATIC = "automatic"
    HAAR = "haar"

    @property
    def label(self) -> str:
        return {"automatic": "Automatic", "haar": "Haar only"}[self.value]


@dataclass(frozen=True)
class DetectorSettings:
    """How faces are detected. The numbers are named as in OpenCV's ``detectMultiScale``.

    Attributes:
        scale_factor: ratio of one tried size to the next, 1.01 to 2. Nearer to 1 finds more faces and takes longer.
        min_neighbors: overlapping hits that make a face, 1 to 20. More means fewer false faces and more misses.
        method: Automatic also uses YuNet, which finds tilted, dark and covered faces and gives landmarks.

    Raises:
        EmojifyError: if a value is out of range.
    """

    scale_factor: float = 1.1
    min_neighbors: int = 5
    method: Method = Method.AUTOMATIC

    def __post_init__(self) -> None:
        if not 1.01 <= self.scale_factor <= 2:
            raise EmojifyError(f"scaleFactor must be between 1.01 and 2, not {self.scale_factor}.")
        if not 1 <= self.min_neighbors <= 20:
            raise EmojifyError(f"minNeighbors must be between 1 and 20, not {self.min_neighbors}.")


class HaarDetector:
    """Detects upright frontal faces in single images. Not thread-safe, because the cascade keeps state.

    Raises:
        EmojifyError: if OpenCV was installed without its cascades.

    Example:
        >>> HaarDetector().detect(gray)
        [Box(x=177, y=66, width=95, height=95)]
    """

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.settings = settings or DetectorSettings()
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / CASCADE_FILE))
        if self._cascade.empty():
            raise EmojifyError(f"OpenCV did not bring {CASCADE_FILE}. Install opencv-python-headless below version 5.")

    def detect(self, gray: NDArray[np.uint8], scan_px: int = PHOTO_SCAN_PX) -> list[Box]:
        """Return all faces of a whole image, largest first.

        Args:
            gray: (H, W) uint8 of any size.
            scan_px: an image whose longer side is longer than this is shrunk to it before the scan.

        Returns:
            Boxes in pixels of ``gray``.
        """
        return self._run_cascade(gray, scan_px / max(gray.shape), (PHOTO_FACE_PX, None))

    def scan(self, gray: NDArray[np.uint8], scan: Scan) -> list[Box]:
        """Return the faces that one quick search finds in (H, W) uint8, as :meth:`detect` returns them."""
        scale = min(1.0, scan.frame_px / max(gray.shape))
        smallest, largest = SCAN_FACE_PX
        overlap = SCAN_OVERLAP * largest / scale
        sides = zip(scan.part, scan.parts, (gray.shape[1], gray.shape[0]), strict=True)
        (left, right), (top, bottom) = (
            (max(0, round(number * side / count - overlap)), min(side, round((number + 1) * side / count + overlap)))
            for number, count, side in sides
        )
        sizes = (smallest, None if scan.largest else largest)
        found = self._run_cascade(gray[top:bottom, left:right], scale, sizes, QUICK_NEIGHBORS_FACTOR)
        return [box.translated(left, top) for box in found]

    def search_around(self, gray: NDArray[np.uint8], box: Box, roll: float = 0.0) -> Box | None:
        """Return the face nearest to a known face's last box; None if there is none around it.

        Args:
            gray: (H, W) uint8.
            box: the last box, in pixels of ``gray``.
            roll: degrees by which the head is turned clockwise. The search is turned in the same way.
        """
        near = self._search(gray, box, roll, NEAR_SEARCH, QUICK_NEIGHBORS_FACTOR)
        return near or self._search(gray, box, roll, WIDE_SEARCH, 1)

    def _search(
        self, gray: NDArray[np.uint8], box: Box, roll: float, search: Search, neighbors_factor: float
    ) -> Box | None:
        if abs(roll) >= MIN_ROLL:
            return self._search_turned(gray, box, roll, search, neighbors_factor)
        margin, sizes = search
        height, width = gray.shape
        margin_x, margin_y = int(box.width * margin), int(box.height * margin)
        left, top = max(0, box.x - margin_x), max(0, box.y - margin_y)
        right = min(width, box.x + box.width + margin_x)
        bottom = min(height, box.y + box.height + margin_y)
        if right <= left or bottom <= top:
            return None
        scale = min(1.0, SEARCH_FACE_PX / box.width)
        found = self._run_cascade(gray[top:bottom, left:right], scale, _widths(box, scale, sizes), neighbors_factor)
        hits = (hit.translated(left, top) for hit in found)
        return min(hits, key=lambda hit: math.dist(hit.center, box.center), default=None)

    def _search_turned(
        self, gray: NDArray[np.uint8], box: Box, roll: float, search: Search, neighbors_factor: float
    ) -> Box | None:
        """Search in a copy of the surroundings that is turned until the face is upright."""
        margin, sizes = search
        scale = min(1.0, SEARCH_FACE_PX / box.width)
        side_px = max(CASCADE_PX, round(box.width * (1 + 2 * margin) * scale))
        patch = cut_patch(gray, box.center, scale, roll, (side_px, side_px))
        hits = self._run_cascade(patch.picture, 1.0, _widths(box, scale, sizes), neighbors_factor)
        if not hits:
            return None
        hit = min(hits, key=lambda hit: math.dist(hit.center, (side_px / 2, side_px / 2)))
        width = hit.width / scale
        x, y = patch.to_image(hit.center)
        return Box(round(x - width / 2), round(y - width / 2), round(width), round(width))

    def _run_cascade(
        self, gray: NDArray[np.uint8], scale: float, sizes: tuple[int, int | None], neighbors_factor: float = 1.0
    ) -> list[Box]:
        """Return the faces in ``gray``, largest first.

        Args:
            scale: ``gray`` is shrunk by this factor; 1 or more leaves it as it is.
            sizes: smallest and largest width of a face in the shrunken image; None for no limit.
            neighbors_factor: multiplies ``min_neighbors`` of the settings.
        """
        if scale < 1:
            size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
            gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
        else:
            scale = 1.0
        if min(gray.shape) < CASCADE_PX:
            return []
        smallest, largest = sizes
        hits = self._cascade.detectMultiScale(
            gray,
            scaleFactor=self.settings.scale_factor,
            minNeighbors=max(1, round(self.settings.min_neighbors * neighbors_factor)),
            minSize=(smallest, smallest),
            maxSize=(largest, largest) if largest else (0, 0),
        )
        boxes = [Box(*(round(float(value) / scale) for value in hit)) for hit in hits]
        return sorted(boxes, key=lambda box: -box.area)


def _widths(box: Box, scale: float, sizes: tuple[float, float]) -> tuple[int, int]:
    """Return the smallest and largest width of a face to search for, in pixels of the shrunken image."""
    smallest = max(CASCADE_PX, int(box.width * scale * sizes[0]))
    return smallest, max(smallest + 1, int(box.width * scale * sizes[1]))
