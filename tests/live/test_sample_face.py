"""The drawn face that plays in place of a camera."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.live.sample_face import CHANGE_S, HOLD_S, draw_frame, sample_frame
from emojify.models import ModelStore
from emojify.settings import ROOT
from emojify.vision.analyzer import VideoAnalyzer

PART_S = HOLD_S + CHANGE_S


def test_frames_have_a_cameras_size_and_change() -> None:
    first = sample_frame(0, Fraction(1, 90_000))
    assert (first.width, first.height) == (640, 480)
    assert (draw_frame(0.0) != draw_frame(HOLD_S + CHANGE_S / 2)).any()
    assert (draw_frame(1.0) == draw_frame(1.0)).all()


@pytest.mark.slow
def test_face_is_found_in_every_expression_and_most_are_read_as_they_are_meant() -> None:
    analyzer = VideoAnalyzer(ModelStore(ROOT / "models").open().classifier)
    read = []
    for number in range(len(Emotion)):
        for time_s in np.arange(number * PART_S, number * PART_S + HOLD_S, 0.1):
            readings = analyzer.analyze(np.ascontiguousarray(draw_frame(time_s)[:, ::-1]), time_s)  # mirrored, as live
        assert len(readings) == 1
        read.append((Emotion((Emotion.HAPPY + number) % len(Emotion)), readings[0].emotion))
    assert sum(meant is seen for meant, seen in read) >= 5, read
