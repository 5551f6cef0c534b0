"""The data that flows through everything: where a face is, and what was read from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion

Image = NDArray[np.uint8]
"""(H, W, 3) uint8 BGR, or (H, W) uint8 where a docstring says gray."""

Probabilities = NDArray[np.float32]
"""(7,) float32, in the order of :class:`~emojify.emotions.Emotion`, summing to 1."""


class Box(NamedTuple):
    """A rectangle in pixels of the image it was found in; x and y of its top left corner."""

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

    def translated(self, right: int, down: int) -> Box:
        return self._replace(x=self.x + right, y=self.y + down)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)


@dataclass(frozen=True)
class Face:
    """A face in an image.

    Attributes:
        box: where it is, or was when it was last seen.
        track_id: stays the same from frame to frame of a video.
        age_s: how long ago it was last seen; 0 if it is in this very image.
    """

    box: Box
    track_id: int
    age_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.age_s >= 0:
            raise ValueError(f"a face was seen 0 or more seconds ago, not {self.age_s}")
        if self.box.width <= 0 or self.box.height <= 0:
            raise ValueError(f"a face needs a box with an area, not {self.box}")


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read from a face.

    Attributes:
        face: where it is.
        probabilities: (7,) float32, smoothed over time in a video.
        emotion: what to show: the most probable emotion, held a little against flicker; neutral
            while no emotion is probable enough.
        sure: False while no emotion reaches the threshold.
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
        """The probability of the emotion that is shown, 0 to 1."""
        return float(self.probabilities[self.emotion])

    @property
    def caption(self) -> str:
        """The emotion in a word, or that there is doubt."""
        return self.emotion.label if self.sure else "unsure"


def main_reading(readings: Sequence[Reading]) -> Reading | None:
    """The reading of the largest face, the one nearest to the camera; None if there is no face."""
    return max(readings, key=lambda reading: reading.box.area, default=None)
