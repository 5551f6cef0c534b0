"""Finding faces in an image with OpenCV's Haar cascade.

A full scan of a 640x480 frame costs 70 to 125 ms on one core of a small machine. A video gets by with two cheaper
questions: :meth:`FaceDetector.scan` asks for new faces of some sizes in some part of the frame, and
:meth:`FaceDetector.search_around` asks where a known face has gone.

OpenCV tries faces of up to twice the cascade's 24 pixels at every other pixel, larger ones at every pixel, which
takes four times as long. So a scan shrinks the frame until the faces it asks for are between 26 and 48 pixels wide:
all faces of 54 to 90 pixels in a 320 pixels wide frame take 10 ms, the same in a 160 pixels wide one 4 ms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.vision.readings import Box

CASCADE_FILE = "haarcascade_frontalface_default.xml"

PHOTO_SCAN_PX = 1280  # a photo's longer side: smaller faces are found, yet 20 megapixels do not take minutes
PHOTO_FACE_PX = 30  # in the scanned photo
CASCADE_PX = 24  # the cascade's own window: it can't go below

SCAN_FACE_PX = (26, 48)  # in the shrunken frame
SCAN_REACH = 0.55  # of the largest face: how far a part reaches into its neighbours, so that no face is cut
# On the coarse grid of a quick look a face gets fewer overlapping hits than in a full scan.
QUICK_NEIGHBORS = 0.6

# A known face, first where it should be, then in a wider circle, as (margin of the box on each side, sizes of the
# last width). Measured on 132 faces of 60 to 300 pixels that had moved by up to 8 % and grown by up to 6 %: the
# first look finds 97 % in 1.2 ms, the second all of them in 2.6.
SEARCH_FACE_PX = 72  # searched at this size; at 48, boxes come out 6 % too large
FIRST_LOOK = (0.15, (0.9, 1.12))
SECOND_LOOK = (0.25, (0.83, 1.2))


@dataclass(frozen=True)
class Scan:
    """One quick look for new faces.

    Attributes:
        frame_px: the frame's longer side is shrunk to this.
        largest: whether faces of any larger size are asked for too.
        parts: the frame is cut into so many columns and rows, to spread the cost.
        part: the column and row to look at.
    """

    frame_px: int
    largest: bool = False
    parts: tuple[int, int] = (1, 1)
    part: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class DetectorSettings:
    """How hard to look.

    Attributes:
        scale_factor: step between the sizes that are tried; nearer to 1 finds more and takes longer.
        min_neighbors: how many overlapping hits make a face; more means fewer phantoms and more misses.
    """

    scale_factor: float = 1.1
    min_neighbors: int = 5

    def __post_init__(self) -> None:
        if not 1.01 <= self.scale_factor <= 2:
            raise EmojifyError(f"scaleFactor must be between 1.01 and 2, not {self.scale_factor}.")
        if not 1 <= self.min_neighbors <= 20:
            raise EmojifyError(f"minNeighbors must be between 1 and 20, not {self.min_neighbors}.")


class FaceDetector:
    """Faces in a single image. Not for use by two threads at once: the cascade keeps state."""

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.settings = settings or DetectorSettings()
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / CASCADE_FILE))
        if self._cascade.empty():
            raise EmojifyError(f"OpenCV did not bring {CASCADE_FILE}. Install opencv-python-headless below version 5.")

    def detect(self, gray: NDArray[np.uint8]) -> list[Box]:
        """Scan a whole image for faces of all sizes.

        Args:
            gray: (H, W) uint8, any size; one longer than ``PHOTO_SCAN_PX`` is shrunk to it before the scan.

        Returns:
            The boxes, largest first, in pixels of ``gray``.
        """
        return self._look(gray, PHOTO_SCAN_PX / max(gray.shape), (PHOTO_FACE_PX, None))

    def scan(self, gray: NDArray[np.uint8], scan: Scan) -> list[Box]:
        """Take one quick look at (H, W) uint8 of any size; boxes as from :meth:`detect`."""
        scale = min(1.0, scan.frame_px / max(gray.shape))
        smallest, largest = SCAN_FACE_PX
        reach = SCAN_REACH * largest / scale
        sides = zip(scan.part, scan.parts, (gray.shape[1], gray.shape[0]), strict=True)
        (left, right), (top, bottom) = (
            (max(0, round(number * side / count - reach)), min(side, round((number + 1) * side / count + reach)))
            for number, count, side in sides
        )
        sizes = (smallest, None if scan.largest else largest)
        found = self._look(gray[top:bottom, left:right], scale, sizes, QUICK_NEIGHBORS)
        return [box.translated(left, top) for box in found]

    def search_around(self, gray: NDArray[np.uint8], box: Box) -> Box | None:
        """Look for one face near where it last was; None if it is not there."""
        return self._search(gray, box, *FIRST_LOOK, QUICK_NEIGHBORS) or self._search(gray, box, *SECOND_LOOK, 1)

    def _search(
        self, gray: NDArray[np.uint8], box: Box, margin: float, sizes: tuple[float, float], neighbors: float
    ) -> Box | None:
        height, width = gray.shape
        margin_x, margin_y = int(box.width * margin), int(box.height * margin)
        left, top = max(0, box.x - margin_x), max(0, box.y - margin_y)
        right = min(width, box.x + box.width + margin_x)
        bottom = min(height, box.y + box.height + margin_y)
        if right <= left or bottom <= top:
            return None
        scale = min(1.0, SEARCH_FACE_PX / box.width)
        smallest = max(CASCADE_PX, int(box.width * scale * sizes[0]))
        largest = max(smallest + 1, int(box.width * scale * sizes[1]))
        found = self._look(gray[top:bottom, left:right], scale, (smallest, largest), neighbors)
        hits = (hit.translated(left, top) for hit in found)
        return min(hits, key=lambda hit: math.dist(hit.center, box.center), default=None)

    def _look(
        self, gray: NDArray[np.uint8], scale: float, sizes: tuple[int, int | None], neighbors: float = 1.0
    ) -> list[Box]:
        """Run the cascade on ``gray`` shrunk by ``scale``, for faces of these ``sizes`` in the shrunken image."""
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
            minNeighbors=max(1, round(self.settings.min_neighbors * neighbors)),
            minSize=(smallest, smallest),
            maxSize=(largest, largest) if largest else (0, 0),
        )
        boxes = [Box(*(round(float(value) / scale) for value in hit)) for hit in hits]
        return sorted(boxes, key=lambda box: -box.area)
