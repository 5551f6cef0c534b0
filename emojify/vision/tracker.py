"""Following faces through a video: each keeps its identity, and no frame pays for a whole scan."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emojify.vision.detector import DetectorSettings, FaceDetector, Scan
from emojify.vision.readings import Box, Face

# In turn, so that faces from a seventh of the frame's width on are looked for in every fourth scan (found within 5
# frames), and those down to a twelfth in every 24th. Each takes 2 to 5 ms (640x480, one thread).
_SMALL_PARTS = [(column, row) for row in range(2) for column in range(3)]
SCANS = tuple(
    scan
    for part in _SMALL_PARTS
    for scan in (
        Scan(120, largest=True),
        Scan(200, parts=(2, 1), part=(0, 0)),
        Scan(200, parts=(2, 1), part=(1, 0)),
        Scan(320, parts=(3, 2), part=part),
    )
)
FRAMES_BETWEEN_SCANS = 3  # live, where time is short
LOST_AFTER_S = 0.26  # a face that was not seen for this long is gone: longer leaves a ghost, shorter flickers
CONFIRMING_SIGHTINGS = 2  # a face must be seen twice: single-frame phantoms never reach the screen
SAME_FACE_OVERLAP = 0.3
FOLLOWED_EACH_FRAME = 2  # faces; of more than these, half are searched in each frame, in turns

# Haar boxes jitter by a few pixels on a face that keeps still. A small move is followed slowly, one of
# this share of the box's width or more at once.
JITTER_SHARE = 0.06
STILL_FOLLOW = 0.4


@dataclass
class _Track:
    track_id: int
    box: Box
    seen_s: float
    sightings: int = 1
    looked_for: int = 0  # the number of the frame in which it was last searched
    smooth: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))

    def __post_init__(self) -> None:
        self.smooth = np.array(self.box, np.float64)

    def update(self, box: Box, now_s: float) -> None:
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

    Args:
        settings: how hard to look.
        frames_between_scans: while every known face is in sight; without one, each frame has its scan.
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
        """The faces in the next frame.

        Args:
            gray: (H, W) uint8; the size may change from frame to frame, which starts afresh.
            now_s: the time of this frame in seconds, from any clock that does not run backwards.
        """
        if gray.shape != self._shape:
            self._shape = gray.shape
            self._tracks = []
            self._frames_since_scan = self._frames_between_scans
        lost = False
        self._frame += 1
        for track in self._due():
            track.looked_for = self._frame
            found = self.detector.search_around(gray, track.box)
            if found is not None:
                track.update(found, now_s)
            else:
                lost = True
        self._frames_since_scan += 1
        if lost or not self._tracks or self._frames_since_scan >= self._frames_between_scans:
            self._frames_since_scan = 0
            self._scan(gray, now_s)
        self._drop_lost_and_doubled(now_s)
        confirmed = (track for track in self._tracks if track.sightings >= CONFIRMING_SIGHTINGS)
        return [Face(track.box, track.track_id, now_s - track.seen_s) for track in confirmed]

    def _due(self) -> list[_Track]:
        """The faces to search in this frame: those that waited longest, and all that wait for their confirmation."""
        count = max(FOLLOWED_EACH_FRAME, (len(self._tracks) + 1) // 2)
        waiting = sorted(self._tracks, key=lambda track: (track.sightings >= CONFIRMING_SIGHTINGS, track.looked_for))
        unconfirmed = sum(track.sightings < CONFIRMING_SIGHTINGS for track in self._tracks)
        return waiting[: max(count, unconfirmed)]

    def _scan(self, gray: NDArray[np.uint8], now_s: float) -> None:
        scan = SCANS[self._next_scan]
        self._next_scan = (self._next_scan + 1) % len(SCANS)
        for box in self.detector.scan(gray, scan):
            known = max(self._tracks, key=lambda track: track.box.iou(box), default=None)
            if known is None or known.box.iou(box) < SAME_FACE_OVERLAP:
                self._tracks.append(_Track(self._next_id, box, now_s))
                self._next_id += 1
            elif known.seen_s < now_s:
                known.update(box, now_s)

    def _drop_lost_and_doubled(self, now_s: float) -> None:
        kept: list[_Track] = []
        for track in self._tracks:  # oldest first, so that of two on one face the older identity stays
            fresh = (
                now_s - track.seen_s <= LOST_AFTER_S
                if track.sightings >= CONFIRMING_SIGHTINGS
                else (track.seen_s == now_s)
            )
            if fresh and all(track.box.iou(other.box) < SAME_FACE_OVERLAP for other in kept):
                kept.append(track)
        self._tracks = kept
