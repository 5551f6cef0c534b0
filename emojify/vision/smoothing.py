"""Steadying what is read from a face over time, so that the emoji does not flicker."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.readings import Face, Probabilities, Reading

SWITCH_MARGIN = 0.08  # another emotion must lead the shown one by this much before it takes over
SURE_MARGIN = 0.05  # and having been sure, a reading stays so until it falls this far below the threshold


@dataclass(frozen=True)
class SmoothingSettings:
    """How steady, and how sure.

    Attributes:
        time_constant_s: after this long, 63 % of a sudden change is shown; 0 shows every frame as it is.
        threshold: below this probability a face counts as unsure and shows neutral.
    """

    time_constant_s: float = 0.25
    threshold: float = 0.35

    def __post_init__(self) -> None:
        if not 0 <= self.time_constant_s <= 5:
            raise EmojifyError(f"Smoothing must be between 0 and 5 seconds, not {self.time_constant_s}.")
        if not 0 <= self.threshold <= 1:
            raise EmojifyError(f"The threshold must be between 0 and 1, not {self.threshold}.")


def decide(
    probabilities: Probabilities, threshold: float, shown: Emotion | None = None, was_sure: bool = False
) -> tuple[Emotion, bool]:
    """Which emotion to show, and whether there is one at all.

    Args:
        probabilities: (7,) float32.
        threshold: see :class:`SmoothingSettings`.
        shown: what was shown the frame before; it is kept unless clearly overtaken.
        was_sure: whether the frame before reached the threshold.
    """
    leader = Emotion(int(probabilities.argmax()))
    if shown is not None and was_sure and probabilities[leader] - probabilities[shown] < SWITCH_MARGIN:
        leader = shown
    sure = bool(probabilities[leader] >= threshold - (SURE_MARGIN if was_sure else 0))
    return (leader if sure else Emotion.NEUTRAL), sure


@dataclass
class _Memory:
    probabilities: Probabilities
    emotion: Emotion
    sure: bool
    updated_s: float


class Smoother:
    """Remembers each face by its ``track_id``; an exponential average in time, not in frames."""

    def __init__(self, settings: SmoothingSettings | None = None) -> None:
        self.settings = settings or SmoothingSettings()
        self._memories: dict[int, _Memory] = {}

    def update(self, faces: list[Face], probabilities: list[Probabilities], now_s: float) -> list[Reading]:
        """The next frame's faces with what the classifier said of each, steadied.

        Faces that are no longer there are forgotten.
        """
        memories = {}
        readings = []
        for face, latest in zip(faces, probabilities, strict=True):
            before = self._memories.get(face.track_id)
            memory = self._next(before, latest, now_s)
            memories[face.track_id] = memory
            readings.append(Reading(face, memory.probabilities, memory.emotion, memory.sure))
        self._memories = memories
        return readings

    def _next(self, before: _Memory | None, latest: Probabilities, now_s: float) -> _Memory:
        threshold = self.settings.threshold
        if before is None:
            emotion, sure = decide(latest, threshold)
            return _Memory(latest, emotion, sure, now_s)
        weight = 1.0
        if self.settings.time_constant_s > 0:
            weight = 1 - math.exp(-max(0.0, now_s - before.updated_s) / self.settings.time_constant_s)
        steadied = np.asarray(before.probabilities + weight * (latest - before.probabilities), np.float32)
        emotion, sure = decide(steadied, threshold, before.emotion, before.sure)
        return _Memory(steadied, emotion, sure, now_s)
