"""Readings of the frames of a video file, smoothed over the frames after them as well as those before.

Live video can only smooth over the past: an emoji switches late, and a face has none until it is detected. A file can
be read ahead, and may take its time. Frames are held back for most of a second, so that

- no face stays bare that a photo would cover: the photo's detector looks at the first and the last frame of each scene
  and at one of LOOK_INTERVAL_S in between, and what it finds is followed forward and backward through the others;
- the probabilities are averaged over the frames around each one, so the emoji switches when the face changes;
- another emotion is shown only if it lasts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.video.changes import Change, ChangeDetector
from emojify.video.followed_face import FollowedFace
from emojify.video.held_frames import HeldFrame, Observation, Track
from emojify.video.source import Frame
from emojify.vision.alignment import crop_upright
from emojify.vision.analyzer import to_gray
from emojify.vision.classifier import Classifier
from emojify.vision.detectors.combined import FaceDetector, is_same_face
from emojify.vision.detectors.haar import DetectorSettings
from emojify.vision.readings import Box, Detection, Face, Probabilities, Reading
from emojify.vision.smoothing import SmoothingSettings, decide

LOOK_AHEAD_S = 0.9
"""How long a frame is held back."""
LOOK_INTERVAL_S = 0.8
"""Longest time between two looks of the photo's detector, which takes up to 0.3 s for each."""
SLOW_FRAME_S = 0.24
"""Frames that are shown for so long, as in a slide show, are each looked at."""
LOST_LOOK_INTERVAL_S = 0.4
"""Shortest time between two looks because a face was lost."""
MAX_HELD_BYTES = 200_000_000
"""Limit of the held frames: 72 frames of 1280x720, 32 of 1920x1080, 8 of 3840x2160."""
FORGET_AFTER_S = 1.0
"""A face that is found again within this time is the same one, and is covered in between as well."""
FORGET_AFTER_CUT_S = 0.26
"""The same across a cut, which may be a flash or a black frame."""
PROBABILITIES_SIGMA_S = 0.12
"""Standard deviation of the Gaussian weights by which probabilities are averaged over time."""
BOX_SIGMA_S = 0.05
"""The same for the box of a face."""
MIN_DURATION_S = 0.4
"""Another emotion is shown only if it leads on average over the following MIN_DURATION_S."""
FACES_PER_FRAME = 3
"""If a frame has more faces, each one is read in every second, third ... frame only."""

assert max(MIN_DURATION_S, LOOK_INTERVAL_S) <= LOOK_AHEAD_S


class LookAhead:
    """Takes the frames of a video and returns each of them with its readings, a little later. ::

        ahead = LookAhead(classifier)
        for frame in frames:
            for ready, readings in ahead.push(frame):
                draw(ready, readings)
        for ready, readings in ahead.finish():
            draw(ready, readings)

    Args:
        classifier: reads the faces.
        threshold: probability below which a face is unsure and shows neutral.
        detection: how faces are detected.

    Attributes:
        gaps: start and end in seconds of each time in which a face was lost that was there before and after: it may be
            bare. Complete when all frames are emitted.
    """

    def __init__(
        self,
        classifier: Classifier,
        threshold: float = SmoothingSettings().threshold,
        detection: DetectorSettings | None = None,
    ) -> None:
        self.gaps: list[tuple[float, float]] = []
        self._detector = FaceDetector(detection)
        self._changes = ChangeDetector()
        self._classifier = classifier
        self._threshold = threshold
        self._past: deque[HeldFrame] = deque()
        self._held: deque[HeldFrame] = deque()
        self._tracks: list[Track] = []
        self._lost: list[Track] = []  # in this scene
        self._next_id = 1
        self._next_number = 0
        self._scene = 0
        self._looked_at: HeldFrame | None = None  # the newest frame that the photo's detector has seen
        self._changed_since_look = False
        self._shown: dict[int, tuple[Emotion, bool]] = {}

    def push(self, frame: Frame) -> list[tuple[Frame, list[Reading]]]:
        """Add the next frame of the video; return the frames that are ready, in their order."""
        gray = to_gray(frame.image)
        change = self._changes.compare(gray)
        if change is Change.CUT:
            self._look_at_last_frame()
            self._scene += 1
            self._lost.clear()
        self._changed_since_look |= change is not Change.STILL
        held = HeldFrame(frame, frame.time_s, self._next_number, self._scene)
        self._next_number += 1
        before = self._held[-1] if self._held else None
        self._held.append(held)
        has_lost = self._follow_all(held, gray)
        if change is Change.CUT or self._is_look_due(held, before, has_lost):
            self._look(held, gray)
        ready = []
        while self._is_ready(frame):
            ready.append(self._emit())
        return ready

    def finish(self) -> list[tuple[Frame, list[Reading]]]:
        """Return the frames that are still held back at the end of the video."""
        self._look_at_last_frame()
        return [self._emit() for _ in range(len(self._held))]

    # ---- finding and following ----

    def _look_at_last_frame(self) -> None:
        """Look at the last frame of a scene, and search backward what begins to be seen there only."""
        if self._held and self._changed_since_look and self._held[-1] is not self._looked_at:
            self._look(self._held[-1], self._held[-1].gray())

    def _is_look_due(self, held: HeldFrame, before: HeldFrame | None, has_lost: bool) -> bool:
        if self._looked_at is None or before is None or not self._changed_since_look:
            return not self._looked_at
        assert held.frame is not None
        since_look_s = held.time_s - self._looked_at.time_s
        is_slow = held.time_s - before.time_s >= SLOW_FRAME_S
        # No frame may be emitted before a later one was looked at.
        is_full = held.number - self._looked_at.number >= MAX_HELD_BYTES // held.frame.image.nbytes - 1
        is_due = since_look_s >= LOOK_INTERVAL_S or (has_lost and since_look_s >= LOST_LOOK_INTERVAL_S)
        return is_slow or is_full or is_due

    def _look(self, held: HeldFrame, gray: NDArray[np.uint8]) -> None:
        """Let the photo's detector look at a frame: known faces are confirmed, new ones searched backward."""
        self._looked_at, self._changed_since_look = held, False
        for found in self._detector.detect(gray):
            track = self._track_of(found, held)
            if track is None:
                track = Track(self._next_id, FollowedFace(found.box, found.roll), held)
                self._next_id += 1
                held.observations[track.track_id] = self._observe(gray, track)
                self._tracks.append(track)
                self._note_gap(track, first=self._search_backward(track))
            else:
                track.face.move(found.box, found.roll)
                self._add_observation(track, held, gray)

    def _track_of(self, found: Detection, held: HeldFrame) -> Track | None:
        """Return the known face that was found again; None if it is a new one."""
        here = [track for track in self._tracks if track.found_in is held]
        for track in here:
            if is_same_face(track.face.box, found.box):
                return track
        lost = [track for track in self._tracks if track.found_in is not held and track.face.is_near(found.box)]
        return max(lost, key=lambda track: track.face.box.iou(found.box), default=None)

    def _follow_all(self, held: HeldFrame, gray: NDArray[np.uint8]) -> bool:
        """Search all known faces in a new frame. Return True if one was lost that the frame before still had."""
        has_lost = False
        for track in list(self._tracks):
            missed = held.number - track.found_in.number - 1
            limit_s = FORGET_AFTER_S if track.found_in.scene == held.scene else FORGET_AFTER_CUT_S
            if held.time_s - track.found_in.time_s > limit_s and missed:
                self._tracks.remove(track)
                if track.found_in.scene == held.scene:
                    self._lost.append(track)
                continue
            if missed > 3 and (held.number + track.track_id) % 3:
                continue  # searching a lost face takes longest
            previous = track.face.box
            found = track.face.follow(gray, self._detector)
            if found and not self._is_taken(track.track_id, track.face.box, held):
                self._add_observation(track, held, gray)
            else:
                track.face.box = previous
                has_lost |= missed == 0
        return has_lost

    def _add_observation(self, track: Track, held: HeldFrame, gray: NDArray[np.uint8]) -> None:
        """Note that a face was found in a frame, and fill the frames since it was last found."""
        stride = -(-len(self._tracks) // FACES_PER_FRAME)
        is_known = track.found_in is not held and held.scene == track.found_in.scene
        if is_known and (held.number + track.track_id) % stride:
            observation = Observation(track.face.box, track.face.roll, track.latest.probabilities)
        else:
            observation = self._observe(gray, track)
        held.observations[track.track_id] = observation
        self._fill_gap(track.track_id, track.found_in, held)
        track.found_in = held

    def _observe(self, gray: NDArray[np.uint8], track: Track) -> Observation:
        box, roll = track.face.box, track.face.roll
        probabilities = self._classifier.classify(crop_upright(gray, box, roll, self._classifier.crop_margin))
        return Observation(box, roll, probabilities)

    def _note_gap(self, track: Track, first: HeldFrame) -> None:
        """Note a gap if a new face, found from the frame ``first`` on, was lost at this place before."""
        box = first.observations[track.track_id].box
        for lost in self._lost:
            if lost.face.is_near(box):
                self.gaps.append((lost.found_in.time_s, first.time_s))
                self._lost.remove(lost)
                return

    def _search_backward(self, track: Track) -> HeldFrame:
        """Find a new face in the held frames of its scene; return the earliest frame in which it was found."""
        face = FollowedFace(track.face.box, track.face.roll)
        later = track.found_in
        for held in reversed(self._held):
            if held.number >= track.found_in.number:
                continue
            if held.scene != track.found_in.scene or later.time_s - held.time_s > FORGET_AFTER_S:
                break
            gray = held.gray()
            previous = face.box
            if not face.follow(gray, self._detector):
                face.box = previous
                continue
            if self._is_taken(track.track_id, face.box, held):
                break
            probabilities = self._classifier.classify(
                crop_upright(gray, face.box, face.roll, self._classifier.crop_margin)
            )
            held.observations[track.track_id] = Observation(face.box, face.roll, probabilities)
            self._fill_gap(track.track_id, held, later)
            later = held
        return later

    def _fill_gap(self, track_id: int, first: HeldFrame, last: HeldFrame) -> None:
        """Cover a face between two frames in which it was found, on the straight way from one box to the other."""
        start, end = first.observations[track_id], last.observations[track_id]
        for held in self._held:
            if first.number < held.number < last.number:
                share = (held.time_s - first.time_s) / max(1e-6, last.time_s - first.time_s)
                near = start if share < 0.5 else end
                box = np.array(start.box) * (1 - share) + np.array(end.box) * share
                held.observations[track_id] = Observation(_to_box(box), near.roll, near.probabilities)

    def _is_taken(self, track_id: int, box: Box, held: HeldFrame) -> bool:
        """Return True if another face was found at this place in a frame."""
        return any(
            other_id != track_id and is_same_face(box, other.box) for other_id, other in held.observations.items()
        )

    # ---- emitting ----

    def _is_ready(self, newest: Frame) -> bool:
        """Return True if the oldest held frame can be emitted."""
        too_many = len(self._held) * newest.image.nbytes > MAX_HELD_BYTES and len(self._held) > 1
        return too_many or (newest.time_s - self._held[0].time_s >= LOOK_AHEAD_S and len(self._held) > 1)

    def _emit(self) -> tuple[Frame, list[Reading]]:
        """Return the oldest held frame with its readings, and move its observations to the past."""
        held = self._held[0]
        frame = held.frame
        assert frame is not None
        readings = [self._reading(track_id, held) for track_id in held.observations]
        self._shown |= {reading.face.track_id: (reading.emotion, reading.sure) for reading in readings}
        self._shown = {track_id: self._shown[track_id] for track_id in self._shown if self._is_current(track_id)}
        self._held.popleft()
        held.frame = None
        self._past.append(held)
        while held.time_s - self._past[0].time_s > LOOK_AHEAD_S:
            self._past.popleft()
        return frame, readings

    def _is_current(self, track_id: int) -> bool:
        return any(track_id in held.observations for held in self._held)

    def _around(self, track_id: int, held: HeldFrame) -> Iterator[tuple[HeldFrame, Observation]]:
        for other in (*self._past, *self._held):
            if track_id in other.observations:
                yield other, other.observations[track_id]

    def _reading(self, track_id: int, held: HeldFrame) -> Reading:
        """Combine the observations of a face around one frame."""
        around = [(other.time_s - held.time_s, other.scene, seen) for other, seen in self._around(track_id, held)]
        probabilities = _average(
            [(_gaussian(t_s, PROBABILITIES_SIGMA_S), seen.probabilities) for t_s, _, seen in around]
        )
        here = [(t_s, seen) for t_s, scene, seen in around if scene == held.scene]
        box = _average([(_gaussian(t_s, BOX_SIGMA_S), np.array(seen.box)) for t_s, seen in here])
        roll = float(_average([(_gaussian(t_s, BOX_SIGMA_S), np.array([seen.roll])) for t_s, seen in here])[0])
        emotion, sure = self._decide(track_id, probabilities, [(t_s, seen) for t_s, _, seen in around])
        return Reading(Face(_to_box(box), track_id, roll=roll), probabilities, emotion, sure)

    def _decide(
        self, track_id: int, probabilities: Probabilities, around: list[tuple[float, Observation]]
    ) -> tuple[Emotion, bool]:
        """Return the emotion to show, and whether it is sure; a change that does not last is ignored."""
        decision = decide(probabilities, self._threshold, *self._shown.get(track_id, (None, False)))
        if track_id not in self._shown or decision == self._shown[track_id]:
            return decision
        # Near the end of a track few frames follow, so the frames just before count as well.
        first_s = min(0.0, around[-1][0] - MIN_DURATION_S)
        upcoming = _average([(1.0, seen.probabilities) for t_s, seen in around if first_s <= t_s <= MIN_DURATION_S])
        lasting = decide(upcoming, self._threshold, *self._shown[track_id])
        return lasting if lasting == self._shown[track_id] else decision


def _gaussian(offset_s: float, sigma_s: float) -> float:
    """Return the weight of a frame ``offset_s`` away; never zero, so that distant frames count if no others exist."""
    return math.exp(-0.5 * (offset_s / sigma_s) ** 2) + 1e-9


def _average(weighted: list[tuple[float, np.ndarray]]) -> Probabilities:
    total = sum(weight for weight, _ in weighted)
    return np.asarray(sum(weight * values for weight, values in weighted) / total, np.float32)


def _to_box(values: NDArray[np.floating]) -> Box:
    x, y, width, height = (round(float(value)) for value in values)
    return Box(x, y, max(1, width), max(1, height))
