"""Timing from outside: the stages of the real chain add up, and nothing is left behind in it."""

import av
import numpy as np
import pytest

from emojify.bench.stages import StageTimer, quantiles, run_sessions
from emojify.live.processor import LiveSettings
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier
from emojify.vision.tracker import FaceTracker


@pytest.fixture
def settings(classifier: Classifier) -> LiveSettings:
    return LiveSettings(classifier, BoxLabel())


def test_the_stages_of_each_frame_add_up_to_the_whole(settings: LiveSettings, astronaut: np.ndarray) -> None:
    with StageTimer(settings) as timer:
        for _ in range(8):
            timer.process(av.VideoFrame.from_ndarray(astronaut, format="bgr24"))
    assert timer.faces == 1
    times = timer.times
    assert {len(values) for values in times.values()} == {8}
    for whole, analysis, *parts in zip(times["whole"], times["analysis"], times["convert"], times["draw"], strict=True):
        assert whole == pytest.approx(analysis + sum(parts))
    inner = [sum(stages) for stages in zip(times["detect"], times["classify"], times["smooth"], strict=True)]
    assert all(0 < part <= analysis for part, analysis in zip(inner, times["analysis"], strict=True))
    assert times["classify"][-1] > 0  # by then the face is known


def test_afterwards_everything_is_as_it_was(settings: LiveSettings) -> None:
    before = (FaceTracker.update, Classifier.classify, BoxLabel.annotate)
    with StageTimer(settings):
        assert FaceTracker.update is not before[0]
    assert before == (FaceTracker.update, Classifier.classify, BoxLabel.annotate)


def test_sessions_each_have_their_own_figures(settings: LiveSettings) -> None:
    frames = [np.zeros((120, 160, 3), np.uint8)] * 2
    results = run_sessions(settings, frames, sessions=2, seconds=0.5)
    assert len(results) == 2
    for session in results:
        assert 0 < session["fps"] <= 32
        assert session["late_ms"]["p50"] >= 0


@pytest.mark.parametrize(
    ("values", "p50", "p90"), [([], 0, 0), ([3.0], 3, 3), ([1.0, 2.0, 3.0], 2, 2.8), (list(range(11)), 5, 9)]
)
def test_quantiles(values: list[float], p50: float, p90: float) -> None:
    assert quantiles(values) == {"p50": p50, "p90": p90}
