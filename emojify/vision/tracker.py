"""Face tracking in a video: each face keeps its identity, and no frame takes as long as a full scan."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emojify.vision.detectors.combined import SAME_FACE_IOU, FaceDetector, is_same_face
from emojify.vision.detectors.haar import DetectorSettings, Scan
from emojify.vision.readings import Box, Detection, Face
from emojify.vision.smoothing import weight_of_latest

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
# With YuNet, every third quick look is at a quarter of the frame, the others at the whole frame. While a face is known,
# faces as wide as a seventh of the frame are found within 12 frames, faces down to a sixteenth within 72. While none is
# known, every frame gets both, and a Haar scan: it finds some faces that YuNet sees only in a closer look.
FRAMES_BETWEEN_LOOKS = 6
LOOKS_PER_QUARTER = 3
FRAMES_BETWEEN_LANDMARKS = 8  # for a head that keeps its roll
FRAMES_BETWEEN_TURNING_LANDMARKS = 2  # for a head that turned by TURNING_DEGREES or more since the last landmarks
TURNING_DEGREES = 4.0
ROLL_TIME_S = 0.08  # time constant by which the shown roll follows the landmarks
LOST_AFTER_S = 0.26  # a face is dropped after this long: longer leaves an emoji without a face, shorter flickers
MIN_DETECTIONS = 2  # a face is shown from its second detection on, so single false detections never appear
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
    roll: float = 0.0  # degrees, of the newest landmarks
    detections: int = 1
    searched_frame: int = 0  # the number of the frame in which it was last searched
    landmarks_frame: int = 0  # the number of the frame of its newest landmarks
    is_turning: bool = False
    smooth_box: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))
    smooth_roll: float = 0.0
    smoothed_s: float = 0.0

    def __post_init__(self) -> None:
        self.smooth_box = np.array(self.box, np.float64)
        self.smooth_roll, self.smoothed_s = self.roll, self.detected_s

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

    def update_roll(self, roll: float, frame: int) -> None:
        """Turn to the roll of new landmarks."""
        self.is_turning = abs(roll - self.roll) >= TURNING_DEGREES
        self.roll, self.landmarks_frame = roll, frame

    def shown_roll(self, now_s: float) -> float:
        """Return the smoothed roll at a time, not before that of the last call."""
        weight = weight_of_latest(now_s - self.smoothed_s, ROLL_TIME_S)
        self.smooth_roll += weight * (self.roll - self.smooth_roll)
        self.smoothed_s = now_s
        return self.smooth_roll

    def needs_landmarks(self, frame: int) -> bool:
        interval = FRAMES_BETWEEN_TURNING_LANDMARKS if self.is_turning else FRAMES_BETWEEN_LANDMARKS
        return not self.landmarks_frame or frame - self.landmarks_frame >= interval


class FaceTracker:
    """Tracks the faces of one video. Not thread-safe, because its detectors keep state.

    Haar searches each known face in every frame, turned by the head's roll. YuNet looks where Haar finds nothing, at
    the whole frame now and then, and at each face a few times a second for its roll. A face that Haar alone has found
    is shown only if YuNet finds it, too.

    Args:
        settings: the parameters of the detector.

    Example:
        >>> tracker = FaceTracker()
        >>> for number, gray in enumerate(frames):
        ...     faces = tracker.update(gray, now_s=number / 30)
    """

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.detector = FaceDetector(settings)
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._frame = 0
        self._frames_since_scan = 1_000_000
        self._next_scan = self._next_look = self._next_quarter = 0
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
            self._frames_since_scan = 1_000_000
        self._frame += 1
        self._frames_since_scan += 1
        lost = False
        for track in self._tracks_to_search():
            track.searched_frame = self._frame
            lost |= not self._search(gray, track, now_s)
        if lost or self._is_scan_due():
            self._frames_since_scan = 0
            self._look_for_new_faces(gray, now_s)
        self._drop_lost_and_duplicates(now_s)
        return [
            Face(track.box, track.track_id, now_s - track.detected_s, track.shown_roll(now_s))
            for track in self._tracks
            if track.is_confirmed
        ]

    def _is_scan_due(self) -> bool:
        interval = FRAMES_BETWEEN_LOOKS if self.detector.has_landmarks else FRAMES_BETWEEN_SCANS
        return not self._tracks or self._frames_since_scan >= interval

    def _tracks_to_search(self) -> list[_Track]:
        """Return all unconfirmed tracks, and those that were not searched for the longest time."""
        count = max(MIN_SEARCHES_PER_FRAME, (len(self._tracks) + 1) // 2)
        waiting = sorted(self._tracks, key=lambda track: (track.is_confirmed, track.searched_frame))
        unconfirmed = sum(not track.is_confirmed for track in self._tracks)
        return waiting[: max(count, unconfirmed)]

    def _search(self, gray: NDArray[np.uint8], track: _Track, now_s: float) -> bool:
        """Search a known face near its last place; return True if it was found."""
        box = self.detector.haar.search_around(gray, track.box, track.roll)
        if self.detector.has_landmarks and (box is None or not track.is_confirmed):
            # YuNet finds what Haar has lost, and confirms what Haar has found once.
            face = self.detector.look_around(gray, box or track.box, track.roll)
            box = None if face is None else box or face.box
        if box is None:
            return False
        track.update(box, now_s)
        self._measure_roll(gray, track)
        return True

    def _measure_roll(self, gray: NDArray[np.uint8], track: _Track) -> None:
        """Measure the roll of a face that was just found, if it is its turn and no scan takes this frame's time."""
        if self.detector.has_landmarks and track.needs_landmarks(self._frame) and not self._is_scan_due():
            face = self.detector.measure(gray, track.box, track.roll)
            track.update_roll(track.roll if face is None else face.roll, self._frame)

    def _look_for_new_faces(self, gray: NDArray[np.uint8], now_s: float) -> None:
        """Run the next quick search of the whole frame or a part of it; all kinds of search while no face is known."""
        if self.detector.has_landmarks:
            self._next_look += 1
            is_quarters_turn = self._next_look % LOOKS_PER_QUARTER == 0
            if not is_quarters_turn or not self._tracks:
                self._add(self.detector.look_whole(gray), now_s)
            if is_quarters_turn or not self._tracks:
                self._add(self.detector.look_quarter(gray, self._next_quarter), now_s)
                self._next_quarter += 1
            if self._tracks:
                return
        scan = SCANS[self._next_scan]
        self._next_scan = (self._next_scan + 1) % len(SCANS)
        self._add([Detection(box) for box in self.detector.haar.scan(gray, scan)], now_s)

    def _add(self, faces: list[Detection], now_s: float) -> None:
        """Start tracks of new faces; known ones that were not found yet in this frame are updated."""
        for face in faces:
            known = max(self._tracks, key=lambda track: track.box.iou(face.box), default=None)
            if known is None or not is_same_face(known.box, face.box):
                self._tracks.append(_Track(self._next_id, face.box, now_s, face.roll))
                self._next_id += 1
                continue
            # What Haar alone has found twice is still no face.
            certain = known.is_confirmed or face.landmarks is not None or not self.detector.has_landmarks
            if certain and known.detected_s < now_s and known.box.iou(face.box) >= SAME_FACE_IOU:
                known.update(face.box, now_s)

    def _drop_lost_and_duplicates(self, now_s: float) -> None:
        kept: list[_Track] = []
        for track in self._tracks:  # oldest first: of two tracks on one face the older identity stays
            fresh = now_s - track.detected_s <= LOST_AFTER_S if track.is_confirmed else track.detected_s == now_s
            if fresh and not any(is_same_face(track.box, other.box) for other in kept):
                kept.append(track)
        self._tracks = kept
