"""Smoothing and hysteresis. Times are passed in, so no test waits."""

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.readings import Box, Face, Probabilities, Reading
from emojify.vision.smoothing import Smoother, SmoothingSettings, decide

HAPPY, SAD, NEUTRAL = Emotion.HAPPY, Emotion.SAD, Emotion.NEUTRAL
FACE = Face(Box(0, 0, 50, 50), 1)


def certain(emotion: Emotion) -> Probabilities:
    return np.eye(7, dtype=np.float32)[emotion]


def mixture(**shares: float) -> Probabilities:
    """Return probabilities with these shares; the rest is divided equally among the other emotions."""
    probabilities = np.full(7, (1 - sum(shares.values())) / (7 - len(shares)), np.float32)
    for label, share in shares.items():
        probabilities[Emotion[label.upper()]] = share
    return probabilities


def play(smoother: Smoother, *frames: tuple[float, Probabilities]) -> Reading:
    """Update the smoother with (time in seconds, probabilities) of one face; return the last reading."""
    return [smoother.update([FACE], [probabilities], now_s)[0] for now_s, probabilities in frames][-1]


class TestDecide:
    @pytest.mark.parametrize(
        ("probabilities", "shown", "was_sure", "decision"),
        [
            (mixture(happy=0.6), None, False, (HAPPY, True)),
            (mixture(happy=0.5), None, False, (HAPPY, True)),  # at the threshold
            (mixture(happy=0.48), None, False, (NEUTRAL, False)),  # below it
            (mixture(happy=0.48), HAPPY, True, (HAPPY, True)),  # was sure: stays sure a little below the threshold
            (mixture(happy=0.44), HAPPY, True, (NEUTRAL, False)),  # but not further below
            (mixture(happy=0.48), NEUTRAL, False, (NEUTRAL, False)),  # was unsure: must reach the threshold
            (mixture(sad=0.51, happy=0.47), HAPPY, True, (HAPPY, True)),  # SAD leads by less than SWITCH_MARGIN
            (mixture(sad=0.54, happy=0.44), HAPPY, True, (SAD, True)),  # SAD leads by more
            (
                mixture(sad=0.51, neutral=0.47),
                NEUTRAL,
                False,
                (SAD, True),
            ),  # neutral because of doubt has no hysteresis
            (mixture(neutral=0.9), None, False, (NEUTRAL, True)),  # sure that it is neutral
        ],
    )
    def test_decide_applies_threshold_and_hysteresis(
        self, probabilities: Probabilities, shown: Emotion | None, was_sure: bool, decision: tuple[Emotion, bool]
    ) -> None:
        assert decide(probabilities, 0.5, shown, was_sure) == decision


class TestSmoother:
    def test_first_frame_is_not_smoothed(self) -> None:
        reading = play(Smoother(), (100.0, mixture(happy=0.8)))
        assert np.array_equal(reading.probabilities, mixture(happy=0.8))
        assert (reading.emotion, reading.sure, reading.face) == (HAPPY, True, FACE)

    def test_time_constant_shows_63_percent_of_a_change(self) -> None:
        smoother = Smoother(SmoothingSettings(time_constant_s=0.5))
        reading = play(smoother, (7.0, certain(SAD)), (7.5, certain(HAPPY)))
        assert reading.probabilities[HAPPY] == pytest.approx(1 - np.exp(-1), abs=1e-5)
        assert reading.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert reading.probabilities.dtype == np.float32

    @pytest.mark.parametrize("fps", [5, 10, 24, 60])
    def test_smoothing_is_independent_of_frame_rate(self, fps: int) -> None:
        frames = [(number / fps, certain(HAPPY)) for number in range(1, fps + 1)]
        reading = play(Smoother(SmoothingSettings(time_constant_s=0.5)), (0.0, certain(SAD)), *frames)
        assert reading.probabilities[SAD] == pytest.approx(np.exp(-1 / 0.5), abs=1e-4)

    def test_single_misread_frame_is_suppressed(self) -> None:
        smoother = Smoother()
        emotions = []
        for number in range(30):
            probabilities = certain(SAD) if number == 15 else certain(HAPPY)
            emotions.append(smoother.update([FACE], [probabilities], number / 30)[0].emotion)
        assert set(emotions) == {HAPPY}

    def test_lasting_change_is_shown_soon(self) -> None:
        smoother = Smoother()
        play(smoother, *((number / 30, certain(HAPPY)) for number in range(30)))
        reading = play(smoother, *((1 + number / 30, certain(SAD)) for number in range(10)))
        assert (reading.emotion, reading.sure) == (SAD, True)

    def test_time_constant_of_zero_disables_smoothing(self) -> None:
        smoother = Smoother(SmoothingSettings(time_constant_s=0))
        assert play(smoother, (0.0, certain(SAD)), (0.01, certain(HAPPY))).probabilities[HAPPY] == 1

    def test_frames_with_equal_times_are_accepted(self) -> None:
        reading = play(Smoother(), (1.0, certain(SAD)), (1.0, certain(HAPPY)), (0.9, certain(HAPPY)))
        assert np.array_equal(reading.probabilities, certain(SAD))

    def test_nearly_equal_emotions_do_not_flicker(self) -> None:
        smoother = Smoother(SmoothingSettings(time_constant_s=0))
        happier, sadder = mixture(happy=0.49, sad=0.45), mixture(happy=0.45, sad=0.49)
        emotions = {
            smoother.update([FACE], [sadder if number % 2 else happier], number / 30)[0].emotion for number in range(20)
        }
        assert emotions == {HAPPY}

    def test_face_below_threshold_is_unsure_and_neutral(self) -> None:
        reading = play(Smoother(SmoothingSettings(threshold=0.6)), (0.0, mixture(happy=0.55)))
        assert (reading.emotion, reading.sure) == (NEUTRAL, False)
        assert reading.probabilities[HAPPY] == pytest.approx(0.55)  # the probabilities are unchanged

    def test_faces_are_smoothed_separately(self) -> None:
        smoother, other = Smoother(), Face(Box(90, 0, 50, 50), 2)
        smoother.update([FACE, other], [certain(HAPPY), certain(SAD)], 0.0)
        readings = smoother.update([other, FACE], [certain(SAD), certain(HAPPY)], 0.03)
        assert [reading.probabilities.max() for reading in readings] == [1, 1]
        assert [reading.emotion for reading in readings] == [SAD, HAPPY]

    def test_missing_face_is_forgotten(self) -> None:
        smoother = Smoother()
        play(smoother, (0.0, certain(SAD)))
        assert smoother.update([], [], 0.03) == []
        assert np.array_equal(play(smoother, (0.06, certain(HAPPY))).probabilities, certain(HAPPY))

    def test_changed_settings_apply_to_the_next_frame(self) -> None:
        smoother = Smoother(SmoothingSettings(threshold=0.2))
        assert play(smoother, (0.0, mixture(happy=0.5))).sure
        smoother.settings = SmoothingSettings(threshold=0.9)
        assert not play(smoother, (0.03, mixture(happy=0.5))).sure


@pytest.mark.parametrize(
    ("time_constant_s", "threshold", "sentence"),
    [
        (-0.1, 0.35, "Smoothing must be between 0 and 5 seconds, not -0.1"),
        (6, 0.35, "Smoothing"),
        (float("nan"), 0.35, "Smoothing"),
        (0.25, -0.1, "threshold must be between 0 and 1, not -0.1"),
        (0.25, 1.1, "threshold"),
        (0.25, float("nan"), "threshold"),
    ],
)
def test_settings_out_of_range_are_rejected(time_constant_s: float, threshold: float, sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        SmoothingSettings(time_constant_s, threshold)


@pytest.mark.parametrize(("time_constant_s", "threshold"), [(0, 0), (0.25, 0.35), (5, 1)])
def test_settings_in_range_are_accepted(time_constant_s: float, threshold: float) -> None:
    assert SmoothingSettings(time_constant_s, threshold).threshold == threshold
