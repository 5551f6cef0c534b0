"""Smoothing of probabilities over time, so that the emoji does not flicker."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.readings import Face, Probabilities, Reading

SWITCH_MARGIN = 0.08  # another emotion replaces the shown one when it leads by this much
UNSURE_MARGIN = 0.05  # a sure reading becomes unsure when it falls this far below the threshold


@dataclass(frozen=True)
class SmoothingSettings:
    """How strongly readings are smoothed, and how probable an emotion must be.

    Attributes:
        time_constant_s: time after which 63 % of a sudden change is shown, 0 to 5; 0 switches smoothing off.
        threshold: a face whose emotions are all less probable is unsure and shows neutral, 0 to 1.

    Raises:
        EmojifyError: if a value is out of range.
    """

    time_constant_s: float = 0.25
    threshold: float = 0.35

    def __post_init__(self) -> None:
        if not 0 <= self.time_constant_s <= 5:
            raise EmojifyError(f"Smoothing must be between 0 and 5 seconds, not {self.time_constant_s}.")
        if not 0 <= self.threshold <= 1:
            raise EmojifyError(f"The threshold must be between 0 and 1, not {self.threshold}.")


def weight_of_latest(elapsed_s: float, time_constant_s: float) -> float:
    """Return the weight of the latest value in an exponential average, 0 to 1.

    Args:
        elapsed_s: time since the average was updated.
        time_constant_s: time after which 63 % of a sudden change has been followed, above 0.
    """
    return 1 - math.exp(-max(0.0, elapsed_s) / time_constant_s)


def decide(
    probabilities: Probabilities, threshold: float, shown: Emotion | None = None, was_sure: bool = False
) -> tuple[Emotion, bool]:
    """Return the emotion to show, and whether it is sure. An unsure face shows neutral.

    Args:
        probabilities: (7,) float32.
        threshold: see :class:`SmoothingSettings`.
        shown: the emotion of the previous frame, kept unless another one leads by :data:`SWITCH_MARGIN`.
        was_sure: whether the previous frame was sure.
    """
    leader = Emotion(int(probabilities.argmax()))
    if shown is not None and was_sure and probabilities[leader] - probabilities[shown] < SWITCH_MARGIN:
        leader = shown
    sure = bool(probabilities[leader] >= threshold - (UNSURE_MARGIN if was_sure else 0))
    return (leader if sure else Emotion.NEUTRAL), sure


@dataclass
class _State:
    probabilities: Probabilities
    emotion: Emotion
    sure: bool
    updated_s: float


class Smoother:
    """Averages the probabilities of each face exponentially over time, independently of the frame rate.

    Faces are told apart by their ``track_id``.

    Example:
        >>> smoother = Smoother(SmoothingSettings(time_constant_s=0.5))
        >>> readings = smoother.update(faces, probabilities, now_s)
    """

    def __init__(self, settings: SmoothingSettings | None = None) -> None:
        self.settings = settings or SmoothingSettings()
        self._states: dict[int, _State] = {}

    def update(self, faces: list[Face], probabilities: list[Probabilities], now_s: float) -> list[Reading]:
        """Return the smoothed readings of the next frame. Faces missing from ``faces`` are forgotten.

        Args:
            faces: the faces of the frame.
            probabilities: the classifier's output for each face.
            now_s: the frame's time in seconds.
        """
        states = {}
        readings = []
        for face, latest in zip(faces, probabilities, strict=True):
            state = self._next_state(self._states.get(face.track_id), latest, now_s)
            states[face.track_id] = state
            readings.append(Reading(face, state.probabilities, state.emotion, state.sure))
        self._states = states
        return readings

    def _next_state(self, previous: _State | None, latest: Probabilities, now_s: float) -> _State:
        threshold = self.settings.threshold
        if previous is None:
            emotion, sure = decide(latest, threshold)
            return _State(latest, emotion, sure, now_s)
        weight = 1.0
        if self.settings.time_constant_s > 0:
            weight = weight_of_latest(now_s - previous.updated_s, self.settings.time_constant_s)
        smoothed = np.asarray(previous.probabilities + weight * (latest - previous.probabilities), np.float32)
        emotion, sure = decide(smoothed, threshold, previous.emotion, previous.sure)
        return _State(smoothed, emotion, sure, now_s)
