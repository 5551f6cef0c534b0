"""The frames that the look-ahead holds back, and the faces followed through them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emojify.video.followed_face import FollowedFace
from emojify.video.source import Frame
from emojify.vision.analyzer import to_gray
from emojify.vision.readings import Box, Probabilities


@dataclass(frozen=True, eq=False)
class Observation:
    """A face in one frame."""

    box: Box
    roll: float
    probabilities: Probabilities


@dataclass
class HeldFrame:
    """A frame and its observations by track id. Once emitted, ``frame`` is None; the observations are kept longer."""

    frame: Frame | None
    time_s: float
    number: int
    scene: int
    observations: dict[int, Observation] = field(default_factory=dict)

    def gray(self) -> NDArray[np.uint8]:
        assert self.frame is not None
        return to_gray(self.frame.image)


@dataclass
class Track:
    """A face through the video. ``found_in`` is the newest frame in which it was found."""

    track_id: int
    face: FollowedFace
    found_in: HeldFrame

    @property
    def latest(self) -> Observation:
        return self.found_in.observations[self.track_id]
