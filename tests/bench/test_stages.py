"""The timer of the stages: they add up, and the timed methods are restored."""

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


def test_stages_add_up_to_the_whole(settings: LiveSettings, astronaut: np.ndarray) -> None:
    with StageTimer(settings) as timer:
        for _ in range(8):
            timer.process(astronaut)
    assert timer.faces == 1
    times = timer.times
    assert {len(values) for values in times.values()} == {8}
    for whole, analysis, *parts in zip(times["whole"], times["analysis"], times["convert"], times["draw"], strict=True):
        assert whole == pytest.approx(analysis + sum(parts))
    inner = [sum(stages) for stages in zip(times["detect"], times["classify"], times["smooth"], strict=True)]
    assert all(0 < part <= analysis for part, analysis in zip(inner, times["analysis"], strict=True))
    assert times["classify"][-1] > 0  # the face is known in the last frame


def test_stage_timer_restores_the_methods(settings: LiveSettings) -> None:
    before = (FaceTracker.update, Classifier.classify, BoxLabel.annotate)
    with StageTimer(settings):
        assert FaceTracker.update is not before[0]
    assert before == (FaceTracker.update, Classifier.classify, BoxLabel.annotate)


def test_run_sessions_returns_figures_per_session(settings: LiveSettings) -> None:
    frames = [np.zeros((120, 160, 3), np.uint8)] * 2
    results = run_sessions(settings, frames, sessions=2, seconds=0.5)
    assert len(results) == 2
    for session in results:
        assert 0 < session["fps"] <= 32
        assert session["late_ms"]["p50"] >= 0


@pytest.mark.parametrize(
    ("values", "p50", "p90"), [([], 0, 0), ([3.0], 3, 3), ([1.0, 2.0, 3.0], 2, 2.8), (list(range(11)), 5, 9)]
)
def test_quantiles_are_median_and_90th_percentile(values: list[float], p50: float, p90: float) -> None:
    assert quantiles(values) == {"p50": p50, "p90": p90}
