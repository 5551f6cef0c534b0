import re

import numpy as np

from emojify.emotions import LABELS, Emotion
from emojify.vision.readings import Box, Face, Reading
from pages.parts.probability_bars import bars_html


def reading(sure: bool = True) -> Reading:
    probabilities = np.array([0.05, 0, 0, 0.8, 0.1, 0.05, 0], np.float32)
    return Reading(Face(Box(0, 0, 9, 9), 1), probabilities, Emotion.HAPPY if sure else Emotion.NEUTRAL, sure)


def test_bars_have_names_and_values_for_screen_readers() -> None:
    html = bars_html(reading())
    assert re.findall(r'role="meter" aria-label="(\w+)"', html) == list(LABELS)
    assert re.findall(r'aria-valuenow="(\d+)"', html) == ["5", "0", "0", "80", "10", "5", "0"]


def test_shown_emotion_is_bold() -> None:
    assert re.findall(r'class="name shown">\S+ (\w+)', bars_html(reading())) == ["happy"]


def test_unsure_reading_has_no_bold_emotion() -> None:
    assert 'class="name shown"' not in bars_html(reading(sure=False))
    assert set(re.findall(r'aria-valuenow="(\d+)"', bars_html(None))) == {"0"}
