"""Finding faces: OpenCV's Haar cascade on a single image, and following faces through a video.

A full scan of a 640x480 frame costs 70 to 125 ms on one core of a small machine. So a video is scanned on a
shrunken frame, one range of face sizes at a time and not with every frame, and each known face is followed by a
cheap search around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.vision.readings import Box, Face

CASCADE_FILE = "haarcascade_frontalface_default.xml"

VIDEO_SCAN_WIDTH_PX = 320  # scans of a video look at a frame this wide
PHOTO_SCAN_WIDTH_PX = 1280  # a photo has time: smaller faces are found, yet 20 megapixels do not take minutes
MIN_FACE_PX = 30  # in the scanned image; the cascade itself cannot go below 24

# A scan for all sizes at once took 43 ms, a spike; each of these takes 8 to 14 (640x480, one thread). They
# overlap because the cascade wants hits at neighbouring sizes.
SCAN_BANDS_PX = ((30, 45), (40, 60), (54, 90), (80, VIDEO_SCAN_WIDTH_PX))
FRAMES_BETWEEN_SCANS = 3  # while every known face is in sight; without one, each frame has its scan
SEARCH_MARGIN = 0.25  # of the box, on each side: how far a face may move between two frames
SEARCH_FACE_PX = 72  # a known face is searched at about this size; at 48, boxes come out a tenth too large
SEARCH_SIZES = (0.83, 1.2)  # of the last width: a face comes nearer step by step, and each size costs time
LOST_AFTER_S = 0.3  # a face that was not seen for this long is gone: longer leaves a ghost, shorter flickers
CONFIRMING_SIGHTINGS = 2  # a face must be seen twice: single-frame phantoms never reach the screen
SAME_FACE_OVERLAP = 0.3

# Haar boxes jitter by a few pixels on a face that keeps still. A small move is followed slowly, one of
# this share of the box's width or more at once.
JITTER_SHARE = 0.06
STILL_FOLLOW = 0.4


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

    def detect(self, grey: NDArray[np.uint8]) -> list[Box]:
        """Scan a whole image for faces of all sizes.

        Args:
            grey: (H, W) uint8, any size; one longer than ``PHOTO_SCAN_WIDTH_PX`` is shrunk to it before the scan.

        Returns:
            The boxes, largest first, in pixels of ``grey``.
        """
        return self._search(grey, min(1.0, PHOTO_SCAN_WIDTH_PX / max(grey.shape)), MIN_FACE_PX)

    def detect_in_band(self, grey: NDArray[np.uint8], smallest_px: int, largest_px: int) -> list[Box]:
        """As :meth:`detect`, quick: on the image shrunk to ``VIDEO_SCAN_WIDTH_PX``, for some sizes only.

        Args:
            grey: (H, W) uint8, any size.
            smallest_px, largest_px: width of the faces to find, in the shrunken image.
        """
        return self._search(grey, min(1.0, VIDEO_SCAN_WIDTH_PX / max(grey.shape)), smallest_px, largest_px)

    def search_around(self, grey: NDArray[np.uint8], box: Box) -> Box | None:
        """Look for one face near where it last was; None if it is not there."""
        height, width = grey.shape
        margin_x, margin_y = int(box.width * SEARCH_MARGIN), int(box.height * SEARCH_MARGIN)
        left, top = max(0, box.x - margin_x), max(0, box.y - margin_y)
        right = min(width, box.x + box.width + margin_x)
        bottom = min(height, box.y + box.height + margin_y)
        if right - left < MIN_FACE_PX or bottom - top < MIN_FACE_PX:
            return None
        scale = min(1.0, SEARCH_FACE_PX / box.width)
        smallest = max(24, int(box.width * scale * SEARCH_SIZES[0]))
        largest = max(smallest + 1, int(box.width * scale * SEARCH_SIZES[1]))
        found = self._search(grey[top:bottom, left:right], scale, smallest, largest)
        if not found:
            return None
        nearest = min(
            found, key=lambda hit: math.dist((hit.x + left + hit.width / 2, hit.y + top), (box.centre[0], box.y))
        )
        return Box(nearest.x + left, nearest.y + top, nearest.width, nearest.height)

    def _search(
        self, grey: NDArray[np.uint8], scale: float, smallest_px: int, largest_px: int | None = None
    ) -> list[Box]:
        if scale < 1:
            size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
            grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        if min(grey.shape) < 24:  # smaller than the cascade's own window
            return []
        hits = self._cascade.detectMultiScale(
            grey,
            scaleFactor=self.settings.scale_factor,
            minNeighbors=self.settings.min_neighbors,
            minSize=(smallest_px, smallest_px),
            maxSize=(largest_px, largest_px) if largest_px else (0, 0),
        )
        boxes = [Box(*(round(float(value) / scale) for value in hit)) for hit in hits]
        return sorted(boxes, key=lambda box: -box.area)


@dataclass
class _Track:
    track_id: int
    box: Box
    seen_s: float
    sightings: int = 1
    smooth: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))

    def __post_init__(self) -> None:
        self.smooth = np.array(self.box, np.float64)

    def see(self, box: Box, now_s: float) -> None:
        target = np.array(box, np.float64)
        moved = np.abs(target - self.smooth).max() / max(1.0, self.smooth[2])
        follow = 1.0 if moved >= JITTER_SHARE else STILL_FOLLOW + (1 - STILL_FOLLOW) * moved / JITTER_SHARE
        self.smooth += follow * (target - self.smooth)
        self.box = Box(*(round(float(value)) for value in self.smooth))
        self.seen_s = now_s
        self.sightings += 1


class FaceTracker:
    """Faces in a video: each keeps its ``track_id`` from frame to frame.

    One instance a video: it remembers, and its cascade must not be shared between threads.
    """

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.detector = FaceDetector(settings)
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._frames_since_scan = FRAMES_BETWEEN_SCANS
        self._next_band = 0
        self._shape: tuple[int, ...] = ()

    def update(self, grey: NDArray[np.uint8], now_s: float) -> list[Face]:
        """The faces in the next frame.

        Args:
            grey: (H, W) uint8; the size may change from frame to frame, which starts afresh.
            now_s: the time of this frame in seconds, from any clock that does not run backwards.
        """
        if grey.shape != self._shape:
            self._shape = grey.shape
            self._tracks = []
            self._frames_since_scan = FRAMES_BETWEEN_SCANS
        lost = False
        for track in self._tracks:
            found = self.detector.search_around(grey, track.box)
            if found is not None:
                track.see(found, now_s)
            else:
                lost = True
        self._frames_since_scan += 1
        if lost or not self._tracks or self._frames_since_scan >= FRAMES_BETWEEN_SCANS:
            self._frames_since_scan = 0
            self._scan(grey, now_s)
        self._drop_lost_and_doubled(now_s)
        return [Face(track.box, track.track_id) for track in self._tracks if track.sightings >= CONFIRMING_SIGHTINGS]

    def _scan(self, grey: NDArray[np.uint8], now_s: float) -> None:
        smallest_px, largest_px = SCAN_BANDS_PX[self._next_band]
        self._next_band = (self._next_band + 1) % len(SCAN_BANDS_PX)
        for box in self.detector.detect_in_band(grey, smallest_px, largest_px):
            known = max(self._tracks, key=lambda track: track.box.overlap(box), default=None)
            if known is None or known.box.overlap(box) < SAME_FACE_OVERLAP:
                self._tracks.append(_Track(self._next_id, box, now_s))
                self._next_id += 1
            elif known.seen_s < now_s:
                known.see(box, now_s)

    def _drop_lost_and_doubled(self, now_s: float) -> None:
        kept: list[_Track] = []
        for track in self._tracks:  # oldest first, so that of two on one face the older identity stays
            fresh = (
                now_s - track.seen_s <= LOST_AFTER_S
                if track.sightings >= CONFIRMING_SIGHTINGS
                else (track.seen_s == now_s)
            )
            if fresh and all(track.box.overlap(other.box) < SAME_FACE_OVERLAP for other in kept):
                kept.append(track)
        self._tracks = kept
