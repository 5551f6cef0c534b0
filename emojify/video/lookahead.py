"""Readings of a video file, steadied by what comes after as well as by what came before.

Live video can only wait until it is sure, so an emoji switches late, and a face wears none until it was found.
A file can be looked at ahead: its pictures are held back for most of a second, and then

- a face wears its emoji from the first picture in which it can be found to the last one, and not after a cut;
- the probabilities are averaged around each picture, so a switch comes when the face changes;
- another emotion is shown only if it lasts.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.video.source import Picture
from emojify.vision.analyzer import to_gray
from emojify.vision.classifier import Classifier, crop_face
from emojify.vision.detector import FaceDetector
from emojify.vision.readings import Box, Face, Probabilities, Reading
from emojify.vision.smoothing import SmoothingSettings, decide
from emojify.vision.tracker import LOST_AFTER_S, SAME_FACE_OVERLAP, SCANS, FaceTracker

LOOK_AHEAD_S = 0.9
MIN_HELD = len(SCANS) + 2  # pictures: by then the quick looks have been everywhere, and found a face twice
MAX_HELD_BYTES = 200_000_000  # 72 pictures of 1280x720, 32 of 1920x1080, 8 of 3840x2160
STEADY_S = 0.12  # standard deviation of the average around a picture
BOX_STEADY_S = 0.05  # the same for where the face is
LASTS_S = 0.4  # another emotion must lead on average over this time to come

assert LASTS_S <= LOOK_AHEAD_S
assert LOST_AFTER_S < LOOK_AHEAD_S


@dataclass
class _Sight:
    """A face in one picture, as it was read there."""

    box: Box
    probabilities: Probabilities
    seen: bool


@dataclass
class _Moment:
    picture: Picture | None  # let go when it was handed out; the readings are needed a little longer
    time_s: float
    sights: dict[int, _Sight]


class LookAhead:
    """Pictures in, and a little later the same pictures with their readings out.

    Args:
        classifier: reads the faces.
        threshold: below this probability a face counts as unsure and shows neutral.
    """

    def __init__(self, classifier: Classifier, threshold: float = SmoothingSettings().threshold) -> None:
        self._tracker = FaceTracker(frames_between_scans=1)  # there is time
        self._detector = FaceDetector()  # looks back; its own, since it must not disturb the tracker
        self._classifier = classifier
        self._threshold = threshold
        self._past: deque[_Moment] = deque()
        self._held: deque[_Moment] = deque()
        self._known: set[int] = set()
        self._shown: dict[int, tuple[Emotion, bool]] = {}

    def push(self, picture: Picture) -> list[tuple[Picture, list[Reading]]]:
        """The next picture of the video; returns those that can be drawn now, in their order."""
        gray = to_gray(picture.image)
        faces = self._tracker.update(gray, picture.time_s)
        sights = {face.track_id: _Sight(face.box, self._classify(gray, face.box), face.age_s == 0) for face in faces}
        for track_id in sights.keys() - self._known:
            self._look_back(track_id, sights[track_id].box)
        self._known = set(sights)
        self._held.append(_Moment(picture, picture.time_s, sights))
        done = []
        while self._is_ripe(picture):
            done.append(self._hand_out())
        return done

    def finish(self) -> list[tuple[Picture, list[Reading]]]:
        """What is still held back at the end of the video."""
        if not self._past and len(self._held) <= MIN_HELD and not any(moment.sights for moment in self._held):
            self._look_thoroughly()
        return [self._hand_out() for _ in range(len(self._held))]

    def _classify(self, gray: NDArray[np.uint8], box: Box) -> Probabilities:
        return self._classifier.classify(crop_face(gray, box, self._classifier.crop_margin))

    def _is_ripe(self, newest: Picture) -> bool:
        too_many = len(self._held) * newest.image.nbytes > MAX_HELD_BYTES and len(self._held) > 1
        old_enough = newest.time_s - self._held[0].time_s >= LOOK_AHEAD_S and len(self._held) > MIN_HELD
        return too_many or old_enough

    def _look_back(self, track_id: int, box: Box) -> None:
        """Find a new face in the pictures that are held back, from the newest on, as far as it goes."""
        for moment in reversed(self._held):
            assert moment.picture is not None
            gray = to_gray(moment.picture.image)
            found = self._detector.search_around(gray, box)
            if found is None or any(found.iou(other.box) >= SAME_FACE_OVERLAP for other in moment.sights.values()):
                return
            moment.sights[track_id] = _Sight(found, self._classify(gray, found), True)
            box = found

    def _look_thoroughly(self) -> None:
        """A video of a few pictures was over before the quick looks could have found a face twice."""
        if not self._held:
            return
        last = self._held.pop()
        assert last.picture is not None
        gray = to_gray(last.picture.image)
        for track_id, box in enumerate(self._detector.detect(gray)):
            self._look_back(track_id, box)
            last.sights[track_id] = _Sight(box, self._classify(gray, box), True)
        self._held.append(last)

    def _hand_out(self) -> tuple[Picture, list[Reading]]:
        moment = self._held[0]
        picture = moment.picture
        assert picture is not None
        readings = [self._reading(track_id, moment) for track_id in moment.sights if self._is_there(track_id)]
        self._shown = {r.face.track_id: (r.emotion, r.sure) for r in readings}
        self._held.popleft()
        moment.picture = None
        self._past.append(moment)
        while moment.time_s - self._past[0].time_s > LOOK_AHEAD_S:
            self._past.popleft()
        return picture, readings

    def _is_there(self, track_id: int) -> bool:
        """Whether the face is in the oldest picture that is held: seen in it, or again later."""
        return any(track_id in moment.sights and moment.sights[track_id].seen for moment in self._held)

    def _reading(self, track_id: int, moment: _Moment) -> Reading:
        around = [
            (other.time_s - moment.time_s, other.sights[track_id])
            for other in (*self._past, *self._held)
            if track_id in other.sights
        ]
        steadied = _average([(_bell(after_s, STEADY_S), sight.probabilities) for after_s, sight in around])
        first_s = min(0.0, around[-1][0] - LASTS_S)  # at the face's end there is less to come: what was counts too
        to_come = _average([(1.0, sight.probabilities) for after_s, sight in around if first_s <= after_s <= LASTS_S])
        box = _average([(_bell(after_s, BOX_STEADY_S), np.array(sight.box)) for after_s, sight in around if sight.seen])
        emotion, sure = decide(steadied, self._threshold, *self._shown.get(track_id, (None, False)))
        if track_id in self._shown and (emotion, sure) != self._shown[track_id]:
            lasting = decide(to_come, self._threshold, *self._shown[track_id])
            if lasting == self._shown[track_id]:  # only a flicker
                emotion, sure = lasting
        x, y, width, height = (round(float(value)) for value in box)
        return Reading(Face(Box(x, y, max(1, width), max(1, height)), track_id), steadied, emotion, sure)


def _bell(after_s: float, width_s: float) -> float:
    return math.exp(-0.5 * (after_s / width_s) ** 2) + 1e-9  # never nothing at all: what is far is better than none


def _average(weighted: list[tuple[float, np.ndarray]]) -> Probabilities:
    total = sum(weight for weight, _ in weighted)
    return np.asarray(sum(weight * values for weight, values in weighted) / total, np.float32)
