"""Recordings for tests of teaching: cutouts of one drawn person, and noise."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from emojify.emotions import Emotion
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box
from tests.helpers.simulated_people import drawn_person

Record = Callable[..., list[Cutout]]


@cache
def record_person(emotion: Emotion, day: int = 1, frames: int = 12) -> list[Cutout]:
    """Return a recording of the first drawn person, a cutout of 48x48 pixels a frame."""
    return [Cutout(crop, Box(0, 0, 48, 48)) for crop in drawn_person(0).record(emotion, day, frames)]


def noise(seed: int, frames: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (frames, 48, 48)).astype(np.uint8)
