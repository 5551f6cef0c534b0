"""Readings of the frames of a video file, smoothed over the frames after them as well as those before.

Live video can only smooth over the past: an emoji switches late, and a face has none until it is detected. A file can
be read ahead. Frames are held back for most of a second, so that

- a face has its emoji from the first frame in which it can be found to the last one, and not beyond a cut;
- the probabilities are averaged over the frames around each one, so the emoji switches when the face changes;
- another emotion is shown only if it lasts.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.video.source import Frame
from emojify.vision.analyzer import to_gray
from emojify.vision.classifier import Classifier, crop_face
from emojify.vision.detector import FaceDetector
from emojify.vision.readings import Box, Face, Probabilities, Reading
from emojify.vision.smoothing import SmoothingSettings, decide
from emojify.vision.tracker import LOST_AFTER_S, SAME_FACE_IOU, SCANS, FaceTracker

LOOK_AHEAD_S = 0.9
"""How long a frame is held back."""
MIN_HELD = len(SCANS) + 2
"""Number of frames that are always held back. In them the tracker's partial scans cover a whole frame, and a face is
found twice."""
MAX_HELD_BYTES = 200_000_000
"""Limit of the held frames: 72 frames of 1280x720, 32 of 1920x1080, 8 of 3840x2160."""
PROBABILITIES_SIGMA_S = 0.12
"""Standard deviation of the Gaussian weights by which probabilities are averaged over time."""
BOX_SIGMA_S = 0.05
"""The same for the box of a face."""
MIN_DURATION_S = 0.4
"""Another emotion is shown only if it leads on average over the following MIN_DURATION_S."""

assert MIN_DURATION_S <= LOOK_AHEAD_S
assert LOST_AFTER_S < LOOK_AHEAD_S


@dataclass
class _Observation:
    """A face in one frame. ``detected`` is False where the tracker only assumes that it is still there."""

    box: Box
    probabilities: Probabilities
    detected: bool


@dataclass
class _HeldFrame:
    """A frame and its observations by track id. Once emitted, ``frame`` is None; the observations are kept longer."""

    frame: Frame | None
    time_s: float
    observations: dict[int, _Observation]


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
    """

    def __init__(self, classifier: Classifier, threshold: float = SmoothingSettings().threshold) -> None:
        self._tracker = FaceTracker(frames_between_scans=1)  # a file can wait, so every frame is scanned
        self._detector = FaceDetector()  # for searching backward; the tracker keeps state in its own detector
        self._classifier = classifier
        self._threshold = threshold
        self._past: deque[_HeldFrame] = deque()
        self._held: deque[_HeldFrame] = deque()
        self._known: set[int] = set()
        self._shown: dict[int, tuple[Emotion, bool]] = {}

    def push(self, frame: Frame) -> list[tuple[Frame, list[Reading]]]:
        """Add the next frame of the video; return the frames that are ready, in their order."""
        gray = to_gray(frame.image)
        observations = {
            face.track_id: _Observation(face.box, self._classify(gray, face.box), face.age_s == 0)
            for face in self._tracker.update(gray, frame.time_s)
        }
        for track_id in observations.keys() - self._known:
            self._search_backward(track_id, observations[track_id].box)
        self._known = set(observations)
        self._held.append(_HeldFrame(frame, frame.time_s, observations))
        ready = []
        while self._is_ready(frame):
            ready.append(self._emit())
        return ready

    def finish(self) -> list[tuple[Frame, list[Reading]]]:
        """Return the frames that are still held back at the end of the video."""
        if not self._past and len(self._held) <= MIN_HELD and not any(held.observations for held in self._held):
            self._scan_short_video()
        return [self._emit() for _ in range(len(self._held))]

    def _classify(self, gray: NDArray[np.uint8], box: Box) -> Probabilities:
        return self._classifier.classify(crop_face(gray, box, self._classifier.crop_margin))

    def _is_ready(self, newest: Frame) -> bool:
        """Return True if the oldest held frame can be emitted."""
        too_many = len(self._held) * newest.image.nbytes > MAX_HELD_BYTES and len(self._held) > 1
        old_enough = newest.time_s - self._held[0].time_s >= LOOK_AHEAD_S and len(self._held) > MIN_HELD
        return too_many or old_enough

    def _search_backward(self, track_id: int, box: Box) -> None:
        """Find a new face in the held frames, from the newest to the oldest, until it is no longer found."""
        for held in reversed(self._held):
            assert held.frame is not None
            gray = to_gray(held.frame.image)
            found = self._detector.search_around(gray, box)
            known = [other.box for other in held.observations.values()]
            if found is None or any(found.iou(other) >= SAME_FACE_IOU for other in known):
                return
            held.observations[track_id] = _Observation(found, self._classify(gray, found), True)
            box = found

    def _scan_short_video(self) -> None:
        """Scan the last frame in full: a video of a few frames ends before partial scans can find a face twice."""
        if not self._held:
            return
        last = self._held.pop()
        assert last.frame is not None
        gray = to_gray(last.frame.image)
        for track_id, box in enumerate(self._detector.detect(gray)):
            self._search_backward(track_id, box)
            last.observations[track_id] = _Observation(box, self._classify(gray, box), True)
        self._held.append(last)

    def _emit(self) -> tuple[Frame, list[Reading]]:
        """Return the oldest held frame with its readings, and move its observations to the past."""
        held = self._held[0]
        frame = held.frame
        assert frame is not None
        readings = [self._reading(track_id, held) for track_id in held.observations if self._is_visible(track_id)]
        self._shown = {reading.face.track_id: (reading.emotion, reading.sure) for reading in readings}
        self._held.popleft()
        held.frame = None
        self._past.append(held)
        while held.time_s - self._past[0].time_s > LOOK_AHEAD_S:
            self._past.popleft()
        return frame, readings

    def _is_visible(self, track_id: int) -> bool:
        """Return True if the face is detected in the oldest held frame or in a later one."""
        return any(track_id in held.observations and held.observations[track_id].detected for held in self._held)

    def _reading(self, track_id: int, held: _HeldFrame) -> Reading:
        """Combine the observations of a face around one frame."""
        around = [
            (other.time_s - held.time_s, other.observations[track_id])
            for other in (*self._past, *self._held)
            if track_id in other.observations
        ]
        probabilities = _average([(_gaussian(t_s, PROBABILITIES_SIGMA_S), seen.probabilities) for t_s, seen in around])
        box = _average([(_gaussian(t_s, BOX_SIGMA_S), np.array(seen.box)) for t_s, seen in around if seen.detected])
        emotion, sure = self._decide(track_id, probabilities, around)
        x, y, width, height = (round(float(value)) for value in box)
        return Reading(Face(Box(x, y, max(1, width), max(1, height)), track_id), probabilities, emotion, sure)

    def _decide(
        self, track_id: int, probabilities: Probabilities, around: list[tuple[float, _Observation]]
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
