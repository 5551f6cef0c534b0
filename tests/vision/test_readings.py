import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.vision.readings import Box, Face, Landmarks, Reading, main_reading, position_text


def reading(box: Box, emotion: Emotion = Emotion.HAPPY, sure: bool = True) -> Reading:
    probabilities = np.full(7, 0.05, np.float32)
    probabilities[emotion] = 0.7
    return Reading(Face(box, 1), probabilities, emotion, sure)


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        (Box(0, 0, 10, 10), 1),
        (Box(5, 0, 10, 10), 1 / 3),
        (Box(2, 2, 5, 5), 0.25),  # inside
        (Box(10, 0, 10, 10), 0),  # touches
        (Box(30, 30, 10, 10), 0),
        (Box(20, -20, 5, 5), 0),  # apart in both directions: the product of two negative sides is no area
    ],
)
def test_iou_is_symmetric(other: Box, iou: float) -> None:
    box = Box(0, 0, 10, 10)
    assert box.iou(other) == pytest.approx(iou)
    assert other.iou(box) == pytest.approx(iou)


def test_box_has_area_and_center() -> None:
    assert Box(10, 20, 5, 4).area == 20
    assert Box(10, 20, 5, 4).center == (12.5, 22)


@pytest.mark.parametrize("box", [Box(3, 3, 0, 9), Box(3, 3, 9, 0), Box(3, 3, -9, -9)])
def test_face_without_area_is_rejected(box: Box) -> None:
    with pytest.raises(ValueError, match="box with an area"):
        Face(box, 1)


@pytest.mark.parametrize("shape", [(6,), (8,), (1, 7), ()])
def test_reading_without_seven_probabilities_is_rejected(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="7 probabilities"):
        Reading(Face(Box(0, 0, 9, 9), 1), np.zeros(shape, np.float32), Emotion.HAPPY, True)


def test_reading_has_caption_and_confidence() -> None:
    happy = reading(Box(0, 0, 9, 9))
    assert happy.caption == "happy"
    assert happy.confidence == pytest.approx(0.7)


def test_unsure_reading_has_caption_unsure() -> None:
    assert reading(Box(0, 0, 9, 9), Emotion.NEUTRAL, sure=False).caption == "unsure"


def test_main_reading_is_the_largest_face() -> None:
    small, large = reading(Box(0, 0, 9, 9)), reading(Box(50, 50, 30, 30))
    assert main_reading([small, large]) is large
    assert main_reading([large, small]) is large
    assert main_reading([]) is None


def test_main_reading_prefers_the_sharp_face_in_the_middle() -> None:
    probabilities = np.full(7, 1 / 7, np.float32)
    blurred = Reading(Face(Box(0, 0, 110, 110), 1, weight=0.3), probabilities, Emotion.NEUTRAL, False)
    subject = Reading(Face(Box(200, 0, 100, 100), 2, weight=0.9), probabilities, Emotion.NEUTRAL, False)
    assert main_reading([blurred, subject]) is subject


def test_position_text_counts_from_the_left() -> None:
    probabilities = np.full(7, 1 / 7, np.float32)
    right, left = (Reading(Face(Box(x, 0, 10, 10), x), probabilities, Emotion.NEUTRAL, False) for x in (90, 10))
    assert position_text([right, left], right) == "face 2 of 2 from the left"
    assert position_text([left], left) == ""


def test_landmarks_roll_is_clockwise() -> None:
    assert Landmarks((0, 0), (10, 10), (5, 8), (0, 12), (4, 16)).roll == 45
