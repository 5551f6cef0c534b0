"""The data that all other modules exchange: where a face is, and what was read from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion

Image = NDArray[np.uint8]
"""(H, W, 3) uint8 BGR."""

Probabilities = NDArray[np.float32]
"""(7,) float32, in the order of :class:`~emojify.emotions.Emotion`, summing to 1."""


class Box(NamedTuple):
    """A rectangle in pixels of an image. ``x`` and ``y`` are its top left corner.

    Example:
        >>> Box(0, 0, 10, 10).iou(Box(5, 0, 10, 10))
        0.3333333333333333
    """

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def translated(self, dx: int, dy: int) -> Box:
        """Return the box moved by ``dx`` pixels to the right and ``dy`` pixels down."""
        return self._replace(x=self.x + dx, y=self.y + dy)

    def scaled(self, factor: float) -> Box:
        """Return the box in an image that is ``factor`` times as large."""
        return Box(*(round(value * factor) for value in self))

    def iou(self, other: Box) -> float:
        """Return the intersection over union with another box, 0 to 1."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if width <= 0 or height <= 0:
            return 0.0
        intersection = width * height
        return intersection / (self.area + other.area - intersection)

    def covered_share(self, other: Box) -> float:
        """Return the share of the smaller of two boxes that lies in the other one, 0 to 1."""
        iou, smaller = self.iou(other), min(self.area, other.area)
        return iou * (self.area + other.area) / (1 + iou) / smaller if smaller else 0.0


Point = tuple[float, float]
"""x and y in pixels of an image."""


@dataclass(frozen=True)
class Landmarks:
    """Five points of a face. Left and right are the person's: in an image that is not mirrored, the right eye is left.

    Example:
        >>> Landmarks((40, 50), (60, 50), (50, 60), (42, 70), (58, 70)).roll
        0.0
    """

    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point

    def scaled(self, factor: float) -> Landmarks:
        """Return the points in an image that is ``factor`` times as large."""
        points = (self.right_eye, self.left_eye, self.nose, self.right_mouth, self.left_mouth)
        return Landmarks(*((x * factor, y * factor) for x, y in points))

    @property
    def roll(self) -> float:
        """Degrees by which the head is turned clockwise in the image, -180 to 180."""
        (right_x, right_y), (left_x, left_y) = self.right_eye, self.left_eye
        return math.degrees(math.atan2(left_y - right_y, left_x - right_x))


@dataclass(frozen=True)
class Detection:
    """A face that a detector found in one image.

    Attributes:
        box: the square that the Haar cascade would draw around the upright face. It has the head's center and width,
            and is not turned.
        landmarks: five points; None if the detector gives none.
        confidence: 0 to 1.
        roll: degrees by which the head is turned clockwise in the image; 0 if it is unknown.
    """

    box: Box
    landmarks: Landmarks | None = None
    confidence: float = 1.0
    roll: float = 0.0

    def scaled(self, factor: float) -> Detection:
        """Return the face in an image that is ``factor`` times as large."""
        landmarks = self.landmarks.scaled(factor) if self.landmarks else None
        return replace(self, box=self.box.scaled(factor), landmarks=landmarks)


@dataclass(frozen=True)
class Face:
    """A face in an image.

    Attributes:
        box: the face's position, in a video the last known one.
        track_id: stays the same from frame to frame of a video.
        age_s: seconds since the face was last detected; 0 if it was detected in this image.
        roll: degrees by which the head is turned clockwise in the image; 0 if it is unknown.
        weight: how likely the face is the subject, beside its size: sharp, in the middle, certain. 0 to 1.

    Raises:
        ValueError: if ``age_s`` is negative or ``box`` has no area.
    """

    box: Box
    track_id: int
    age_s: float = 0.0
    roll: float = 0.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.age_s >= 0:
            raise ValueError(f"the age of a face must be 0 or more seconds, not {self.age_s}")
        if self.box.width <= 0 or self.box.height <= 0:
            raise ValueError(f"a face needs a box with an area, not {self.box}")


@dataclass(frozen=True, eq=False)
class Reading:
    """A face and the emotion read from it.

    Attributes:
        face: the face.
        probabilities: (7,) float32, in a video smoothed over time.
        emotion: the emotion to show: the most probable one, in a video with some hysteresis against flicker; neutral
            if no emotion is probable enough.
        sure: False if no emotion reaches the threshold.

    Raises:
        ValueError: if ``probabilities`` has another shape.
    """

    face: Face
    probabilities: Probabilities
    emotion: Emotion
    sure: bool

    def __post_init__(self) -> None:
        if self.probabilities.shape != (len(Emotion),):
            raise ValueError(f"a reading needs {len(Emotion)} probabilities, not {self.probabilities.shape}")

    @property
    def box(self) -> Box:
        """The face's box in pixels of the image."""
        return self.face.box

    @property
    def confidence(self) -> float:
        """The probability of ``emotion``, 0 to 1."""
        return float(self.probabilities[self.emotion])

    @property
    def caption(self) -> str:
        """The label of ``emotion``, or "unsure"."""
        return self.emotion.label if self.sure else "unsure"


def main_reading(readings: Sequence[Reading]) -> Reading | None:
    """Return the reading of the face that is most likely the subject; None if there is no face."""
    return max(readings, key=lambda reading: reading.box.area * reading.face.weight, default=None)


def position_text(readings: Sequence[Reading], reading: Reading) -> str:
    """Return which of several faces a reading belongs to, as "face 2 of 3 from the left"; "" for the only face."""
    if len(readings) < 2:
        return ""
    places = sorted(other.box.center[0] for other in readings)
    return f"face {places.index(reading.box.center[0]) + 1} of {len(places)} from the left"
