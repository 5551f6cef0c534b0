"""Face tracking in a video: each face keeps its identity, and no frame takes as long as a full scan."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emojify.vision.detector import DetectorSettings, FaceDetector, Scan
from emojify.vision.readings import Box, Face

# The scans take turns. Faces as wide as a seventh of the frame or wider are looked for in every fourth scan and found
# within 5 frames, faces down to a twelfth in every 24th scan. Each scan takes 2 to 5 ms (640x480, one thread).
_SMALL_FACE_PARTS = [(column, row) for row in range(2) for column in range(3)]
SCANS = tuple(
    scan
    for part in _SMALL_FACE_PARTS
    for scan in (
        Scan(120, largest=True),
        Scan(200, parts=(2, 1), part=(0, 0)),
        Scan(200, parts=(2, 1), part=(1, 0)),
        Scan(320, parts=(3, 2), part=part),
    )
)
FRAMES_BETWEEN_SCANS = 3  # in live video, where time is short
LOST_AFTER_S = 0.26  # a face is dropped after this long: longer leaves an emoji without a face, shorter flickers
MIN_DETECTIONS = 2  # a face is shown from its second detection on, so single false detections never appear
SAME_FACE_IOU = 0.3
MIN_SEARCHES_PER_FRAME = 2  # known faces searched in each frame, taking turns; half of them if that is more

# Haar boxes jitter by a few pixels on a still face. A box that moves by JITTER_SHARE of its width or more is followed
# at once; with smaller moves the share that is followed falls to MIN_FOLLOW.
JITTER_SHARE = 0.06
MIN_FOLLOW = 0.4


@dataclass
class _Track:
    track_id: int
    box: Box
    detected_s: float
    detections: int = 1
    searched_frame: int = 0  # the number of the frame in which it was last searched
    smooth_box: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))

    def __post_init__(self) -> None:
        self.smooth_box = np.array(self.box, np.float64)

    @property
    def is_confirmed(self) -> bool:
        return self.detections >= MIN_DETECTIONS

    def update(self, box: Box, now_s: float) -> None:
        """Move to the box of a new detection, with less of small moves than of large ones."""
        target = np.array(box, np.float64)
        moved = np.abs(target - self.smooth_box).max() / max(1.0, self.smooth_box[2])
        follow = 1.0 if moved >= JITTER_SHARE else MIN_FOLLOW + (1 - MIN_FOLLOW) * moved / JITTER_SHARE
        self.smooth_box += follow * (target - self.smooth_box)
        self.box = Box(*(round(float(value)) for value in self.smooth_box))
        self.detected_s = now_s
        self.detections += 1


class FaceTracker:
    """Tracks the faces of one video. Not thread-safe, because its cascade keeps state.

    Args:
        settings: the parameters of the detector.
        frames_between_scans: the interval of scans while every known face is found. A frame in which no face is known,
            or one was not found, is always scanned.

    Example:
        >>> tracker = FaceTracker()
        >>> for number, gray in enumerate(frames):
        ...     faces = tracker.update(gray, now_s=number / 30)
    """

    def __init__(
        self, settings: DetectorSettings | None = None, frames_between_scans: int = FRAMES_BETWEEN_SCANS
    ) -> None:
        self._frames_between_scans = frames_between_scans
        self.detector = FaceDetector(settings)
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._frame = 0
        self._frames_since_scan = frames_between_scans
        self._next_scan = 0
        self._shape: tuple[int, ...] = ()

    def update(self, gray: NDArray[np.uint8], now_s: float) -> list[Face]:
        """Return the faces of the next frame.

        Args:
            gray: (H, W) uint8. A frame of another size than the last one starts with new tracks.
            now_s: the frame's time in seconds, not before that of the last frame.
        """
        if gray.shape != self._shape:
            self._shape = gray.shape
            self._tracks = []
            self._frames_since_scan = self._frames_between_scans
        lost = False
        self._frame += 1
        for track in self._tracks_to_search():
            track.searched_frame = self._frame
            found = self.detector.search_around(gray, track.box)
            if found is not None:
                track.update(found, now_s)
            else:
                lost = True
        self._frames_since_scan += 1
        if lost or not self._tracks or self._frames_since_scan >= self._frames_between_scans:
            self._frames_since_scan = 0
            self._scan(gray, now_s)
        self._drop_lost_and_duplicates(now_s)
        return [
            Face(track.box, track.track_id, now_s - track.detected_s) for track in self._tracks if track.is_confirmed
        ]

    def _tracks_to_search(self) -> list[_Track]:
        """Return all unconfirmed tracks, and those that were not searched for the longest time."""
        count = max(MIN_SEARCHES_PER_FRAME, (len(self._tracks) + 1) // 2)
        waiting = sorted(self._tracks, key=lambda track: (track.is_confirmed, track.searched_frame))
        unconfirmed = sum(not track.is_confirmed for track in self._tracks)
        return waiting[: max(count, unconfirmed)]

    def _scan(self, gray: NDArray[np.uint8], now_s: float) -> None:
        scan = SCANS[self._next_scan]
        self._next_scan = (self._next_scan + 1) % len(SCANS)
        for box in self.detector.scan(gray, scan):
            known = max(self._tracks, key=lambda track: track.box.iou(box), default=None)
            if known is None or known.box.iou(box) < SAME_FACE_IOU:
                self._tracks.append(_Track(self._next_id, box, now_s))
                self._next_id += 1
            elif known.detected_s < now_s:
                known.update(box, now_s)

    def _drop_lost_and_duplicates(self, now_s: float) -> None:
        kept: list[_Track] = []
        for track in self._tracks:  # oldest first: of two tracks on one face the older identity stays
            fresh = now_s - track.detected_s <= LOST_AFTER_S if track.is_confirmed else track.detected_s == now_s
            if fresh and all(track.box.iou(other.box) < SAME_FACE_IOU for other in kept):
                kept.append(track)
        self._tracks = kept
