"""Which of several faces is the subject of a picture or video: the face that a person would name.

It is the face with the largest product of area and weight, see :func:`~emojify.vision.readings.main_reading`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.alignment import crop_upright
from emojify.vision.readings import Face
from emojify.vision.smoothing import weight_of_latest

SHARP = 0.35  # detail of a face in focus, see _sharpness; a blurred background has less than half
WEIGHT_TIME_S = 0.5  # time constant of the weights in a video
STAYS = 1.3  # factor by which another face must exceed the subject of the last frame to replace it


def subject_weight(gray: NDArray[np.uint8], face: Face) -> float:
    """Return how likely a face is the subject of a picture, beside its size, 0 to 1: sharp, and in the middle.

    Args:
        gray: (H, W) uint8.
        face: inside of ``gray``.
    """
    height, width = gray.shape
    x, y = face.box.center
    off_middle = min(1.0, max(abs(2 * x / width - 1), abs(2 * y / height - 1)))
    sharpness = min(1.0, _sharpness(crop_upright(gray, face.box, face.roll)) / SHARP)
    return (1 - 0.5 * off_middle) * (0.3 + 0.7 * sharpness)


def _sharpness(crop: NDArray[np.uint8]) -> float:
    """Return the share of fine detail in the contrast of a face."""
    return float(cv2.Laplacian(crop, cv2.CV_32F).std() / max(1.0, float(crop.std())))


@dataclass
class _State:
    weight: float
    updated_s: float


class SubjectWeights:
    """Weighs the faces of one video, so that its subject changes seldom.

    Example:
        >>> weights = SubjectWeights()
        >>> for gray, faces, now_s in frames:
        ...     faces = weights.update(gray, faces, now_s)
    """

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}
        self._subject: int | None = None

    def update(self, gray: NDArray[np.uint8], faces: list[Face], now_s: float) -> list[Face]:
        """Return the faces of the next frame with their weights. A single face keeps weight 1.

        Args:
            gray: (H, W) uint8.
            faces: of the frame, told apart by their ``track_id``.
            now_s: the frame's time in seconds, not before that of the last frame.
        """
        if len(faces) < 2:
            self._states = {}
            self._subject = faces[0].track_id if faces else None
            return faces
        self._states = {face.track_id: self._next_state(gray, face, now_s) for face in faces}
        # The subject of the last frame has its full weight, the others less.
        weighed = [
            replace(face, weight=self._states[face.track_id].weight / (1 if face.track_id == self._subject else STAYS))
            for face in faces
        ]
        self._subject = max(weighed, key=lambda face: face.box.area * face.weight).track_id
        return weighed

    def _next_state(self, gray: NDArray[np.uint8], face: Face, now_s: float) -> _State:
        latest, previous = subject_weight(gray, face), self._states.get(face.track_id)
        if previous is None:
            return _State(latest, now_s)
        share = weight_of_latest(now_s - previous.updated_s, WEIGHT_TIME_S)
        return _State(previous.weight + share * (latest - previous.weight), now_s)
