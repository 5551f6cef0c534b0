"""Figures: what evaluate says about readings that were made by hand."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.training.dataset import load
from emojify.training.evaluate import class_balanced_cross_entropy, evaluate, measure, predict
from emojify.training.ferplus import distribution, majority
from emojify.training.labeled_faces import crop_main_face

ANGRY, DISGUSTED, FEARFUL, HAPPY, NEUTRAL, SAD, SURPRISED = Emotion


def sure_of(*emotions: int, confidence: float = 1.0) -> NDArray[np.float32]:
    rows = np.full((len(emotions), 7), (1 - confidence) / 6, np.float32)
    rows[np.arange(len(emotions)), list(emotions)] = confidence
    return rows


def test_figures_follow_from_the_confusion_matrix() -> None:
    labels = np.array([HAPPY, HAPPY, HAPPY, HAPPY, SAD, SAD])
    figures = measure(sure_of(HAPPY, HAPPY, HAPPY, SAD, SAD, NEUTRAL), labels)
    assert figures.n == 6
    assert figures.accuracy == pytest.approx(4 / 6)
    assert figures.recall["happy"] == pytest.approx(3 / 4)
    assert figures.recall["sad"] == pytest.approx(1 / 2)
    assert figures.precision["happy"] == pytest.approx(1)
    assert figures.precision["sad"] == pytest.approx(1 / 2)
    assert figures.f1["happy"] == pytest.approx(6 / 7)
    assert figures.macro_recall == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert figures.confusion[HAPPY] == [0, 0, 0, 3, 0, 1, 0]
    assert sum(map(sum, figures.confusion)) == 6


def test_an_emotion_without_pictures_has_no_recall_and_does_not_count() -> None:
    figures = measure(sure_of(HAPPY, FEARFUL), np.array([HAPPY, HAPPY]))
    assert figures.recall["fearful"] is None
    assert figures.f1["fearful"] is None
    assert figures.precision["fearful"] == 0
    assert figures.precision["angry"] is None
    assert figures.macro_recall == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("confidence", "error"),
    [
        (1.0, 0.5),  # says it is certain, is right half of the time
        (0.5, 0.0),  # says half, is right half of the time
        (0.9, 0.4),
    ],
)
def test_calibration_error_is_the_gap_between_confidence_and_accuracy(confidence: float, error: float) -> None:
    figures = measure(sure_of(HAPPY, SAD, HAPPY, SAD, confidence=confidence), np.array([HAPPY, HAPPY, SAD, SAD]))
    assert figures.calibration_error == pytest.approx(error, abs=1e-6)


def test_no_pictures_is_said_plainly() -> None:
    with pytest.raises(EmojifyError, match="no pictures"):
        measure(np.empty((0, 7), np.float32), np.empty(0, np.int64))


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([0, 0, 0, 9, 1, 0, 0, 0, 0, 0], HAPPY),
        ([4, 1, 1, 1, 1, 1, 1, 0, 0, 0], ANGRY),  # lone votes are slips
        ([0, 0, 0, 5, 5, 0, 0, 0, 0, 0], -1),  # half is no majority
        ([0, 0, 0, 4, 0, 0, 0, 0, 6, 0], -1),  # most say "unknown"
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], -1),  # not a face
        ([0] * 10, -1),  # nobody was asked
    ],
)
def test_the_crowds_majority(votes: list[int], expected: int) -> None:
    assert majority(np.array([votes], np.uint8)).tolist() == [expected]


def test_votes_become_probabilities_of_the_seven() -> None:
    soft = distribution(np.array([[0, 0, 0, 6, 2, 1, 0, 0, 1, 0], [0] * 10], np.uint8))
    assert soft[0].tolist() == pytest.approx([0, 0, 0, 0.75, 0.25, 0, 0])
    assert soft[1].tolist() == [0] * 7


def test_agreement_with_the_crowd_counts_only_pictures_with_a_majority() -> None:
    votes = np.array([[0, 0, 0, 10, 0, 0, 0, 0, 0, 0], [0] * 10, [10, 0, 0, 0, 0, 0, 0, 0, 0, 0]], np.uint8)
    figures = measure(sure_of(HAPPY, HAPPY, HAPPY), np.array([SAD, SAD, SAD]), votes)
    assert (figures.accuracy, figures.ferplus_n, figures.ferplus_accuracy) == (0, 2, 0.5)


def test_class_balanced_cross_entropy_weighs_emotions_alike() -> None:
    happy, sad = [0, 0, 0, 10, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 10, 0, 0, 0, 0]
    votes = np.array([happy, happy, happy, sad, [0] * 10], np.uint8)
    probabilities = sure_of(HAPPY, HAPPY, HAPPY, SAD, ANGRY, confidence=0.5)
    probabilities[3] = sure_of(SAD, confidence=0.1)
    expected = (-np.log(0.5) - np.log(0.1)) / 2  # not the mean of the four pictures
    assert class_balanced_cross_entropy(probabilities, votes) == pytest.approx(expected, rel=1e-5)


def test_class_balanced_cross_entropy_uses_shares_of_votes() -> None:
    votes = np.array([[0, 0, 0, 6, 4, 0, 0, 0, 0, 0]], np.uint8)
    probabilities = np.array([[0, 0, 0, 0.6, 0.4, 0, 0]], np.float32)
    expected = -0.6 * np.log(0.6) - 0.4 * np.log(0.4)
    assert class_balanced_cross_entropy(probabilities, votes) == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(class_balanced_cross_entropy(sure_of(SAD), votes))


def test_class_balanced_cross_entropy_needs_a_majority() -> None:
    with pytest.raises(ValueError, match="no picture has a FER"):
        class_balanced_cross_entropy(sure_of(SAD), np.zeros((1, 10), np.uint8))


def test_figures_go_into_json_rounded() -> None:
    content = measure(sure_of(HAPPY, HAPPY, SAD), np.array([HAPPY, HAPPY, HAPPY])).as_dict()
    assert content["accuracy"] == 0.6667
    assert content["ferplus_accuracy"] is None


def test_a_file_that_is_no_model_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"not a model")
    with pytest.raises(EmojifyError, match="no LiteRT model"):
        predict(tmp_path / "model.tflite", np.zeros((1, 48, 48), np.uint8))


def test_a_face_is_cut_out_as_the_live_path_would(astronaut: NDArray[np.uint8]) -> None:
    gray = np.asarray(cv2.cvtColor(astronaut[56:171, 167:282], cv2.COLOR_BGR2GRAY), np.uint8)
    picture = np.asarray(cv2.resize(gray, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)
    narrow, wide = crop_main_face(picture, 0.0), crop_main_face(picture, 0.25)
    assert narrow is not None
    assert wide is not None
    inner = cv2.resize(wide[8:40, 8:40], (48, 48))  # a quarter on each side: the box is the middle two thirds
    assert np.abs(inner.astype(float) - narrow).mean() < 12
    assert np.abs(wide.astype(float) - narrow).mean() > 12


@pytest.mark.parametrize("picture", [np.zeros((48, 48), np.uint8), np.full((48, 48), 200, np.uint8)])
def test_where_the_detector_finds_no_face_there_is_no_crop(picture: NDArray[np.uint8]) -> None:
    assert crop_main_face(picture, 0.0) is None


def test_pictures_without_a_found_face_are_left_out_and_none_at_all_is_said(faces: Path) -> None:
    data = load(faces)
    data = replace(data, images=np.zeros_like(data.images))
    with pytest.raises(EmojifyError, match="no pictures"):
        evaluate(b"", data, "public", detector_margin=0.0)
