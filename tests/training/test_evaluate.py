"""Measuring: figures of probabilities that the tests write by hand."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.training.dataset import load, load_unsplit
from emojify.training.evaluate import EvaluationOptions, evaluate, predict
from emojify.training.ferplus import distribution, majority
from emojify.training.figures import class_balanced_cross_entropy, measure
from emojify.training.labeled_faces import crop_main_face

ANGRY, DISGUSTED, FEARFUL, HAPPY, NEUTRAL, SAD, SURPRISED = Emotion


def sure_of(*emotions: int, confidence: float = 1.0) -> NDArray[np.float32]:
    rows = np.full((len(emotions), 7), (1 - confidence) / 6, np.float32)
    rows[np.arange(len(emotions)), list(emotions)] = confidence
    return rows


def test_measure_derives_rates_from_confusion_matrix() -> None:
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


def test_measure_excludes_emotions_without_pictures() -> None:
    figures = measure(sure_of(HAPPY, FEARFUL), np.array([HAPPY, HAPPY]))
    assert figures.recall["fearful"] is None
    assert figures.f1["fearful"] is None
    assert figures.precision["fearful"] == 0
    assert figures.precision["angry"] is None
    assert figures.macro_recall == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("confidence", "error"),
    [
        (1.0, 0.5),  # certain, right half of the time
        (0.5, 0.0),  # half confident, right half of the time
        (0.9, 0.4),
    ],
)
def test_calibration_error_is_gap_to_accuracy(confidence: float, error: float) -> None:
    figures = measure(sure_of(HAPPY, SAD, HAPPY, SAD, confidence=confidence), np.array([HAPPY, HAPPY, SAD, SAD]))
    assert figures.calibration_error == pytest.approx(error, abs=1e-6)


def test_measure_rejects_no_pictures() -> None:
    with pytest.raises(EmojifyError, match="no pictures"):
        measure(np.empty((0, 7), np.float32), np.empty(0, np.int64))


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([0, 0, 0, 9, 1, 0, 0, 0, 0, 0], HAPPY),
        ([4, 1, 1, 1, 1, 1, 1, 0, 0, 0], ANGRY),  # single votes are dropped
        ([0, 0, 0, 5, 5, 0, 0, 0, 0, 0], -1),  # half is not a majority
        ([0, 0, 0, 4, 0, 0, 0, 0, 6, 0], -1),  # most say "unknown"
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], -1),  # not a face
        ([0] * 10, -1),  # no votes
    ],
)
def test_majority_follows_ferplus_rule(votes: list[int], expected: int) -> None:
    assert majority(np.array([votes], np.uint8)).tolist() == [expected]


def test_distribution_gives_probabilities_of_seven_emotions() -> None:
    soft = distribution(np.array([[0, 0, 0, 6, 2, 1, 0, 0, 1, 0], [0] * 10], np.uint8))
    assert soft[0].tolist() == pytest.approx([0, 0, 0, 0.75, 0.25, 0, 0])
    assert soft[1].tolist() == [0] * 7


def test_ferplus_accuracy_counts_only_pictures_with_majority() -> None:
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


def test_ferplus_recall_counts_by_majority() -> None:
    happy, sad = [0, 0, 0, 10, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 10, 0, 0, 0, 0]
    votes = np.array([happy, happy, happy, sad], np.uint8)
    figures = measure(sure_of(HAPPY, HAPPY, SAD, SAD), np.array([SAD, SAD, SAD, SAD]), votes)
    assert figures.ferplus_recall is not None
    assert figures.ferplus_recall["happy"] == pytest.approx(2 / 3)
    assert (figures.ferplus_recall["sad"], figures.ferplus_recall["angry"]) == (1, None)
    assert figures.ferplus_macro_recall == pytest.approx((2 / 3 + 1) / 2)
    assert figures.ferplus_accuracy == pytest.approx(3 / 4)
    assert figures.ferplus_cross_entropy == class_balanced_cross_entropy(sure_of(HAPPY, HAPPY, SAD, SAD), votes)


def test_ferplus_calibration_error_uses_share_of_votes() -> None:
    votes = np.array([[0, 0, 0, 6, 4, 0, 0, 0, 0, 0], [0] * 10], np.uint8)  # the second picture does not count
    labels = np.array([SAD, SAD])
    for confidence, error in ((0.6, 0.0), (0.9, 0.3), (0.5, 0.1)):
        figures = measure(sure_of(HAPPY, HAPPY, confidence=confidence), labels, votes)
        assert figures.ferplus_calibration_error == pytest.approx(error, abs=1e-6)


def test_ferplus_figures_are_none_without_votes() -> None:
    figures = measure(sure_of(HAPPY), np.array([HAPPY]), np.zeros((1, 10), np.uint8))
    assert figures.ferplus_n == 0
    names = ("accuracy", "macro_recall", "recall", "cross_entropy", "calibration_error")
    assert [getattr(figures, f"ferplus_{name}") for name in names] == [None] * 5
    assert "FER+" not in str(figures)


def test_figures_as_dict_has_stable_names() -> None:
    votes = np.array([[0, 0, 0, 10, 0, 0, 0, 0, 0, 0]], np.uint8)
    names = "n accuracy macro_recall recall ferplus_n ferplus_accuracy ferplus_macro_recall ferplus_recall"
    names += " ferplus_cross_entropy ferplus_calibration_error"
    assert set(names.split()) <= set(measure(sure_of(HAPPY), np.array([HAPPY]), votes).as_dict())


def test_crop_main_face_prefers_central_one_of_similar_faces(astronaut: NDArray[np.uint8]) -> None:
    gray = np.asarray(cv2.cvtColor(astronaut[:256, 100:356], cv2.COLOR_BGR2GRAY), np.uint8)
    dim = np.asarray(gray // 2, np.uint8)
    scene = np.hstack([dim, gray, dim])
    alone, central = crop_main_face(gray), crop_main_face(scene)
    assert alone is not None
    assert central is not None
    assert np.abs(central.astype(float) - alone).mean() < 12


def test_evaluate_counts_pictures_without_a_face(
    faces: Path, tiny_model: bytes, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    (tmp_path / "set" / "happy").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "set" / "happy" / "1.png"), astronaut)
    cv2.imwrite(str(tmp_path / "set" / "happy" / "2.png"), np.full((300, 300), 90, np.uint8))
    figures = evaluate(tiny_model, load_unsplit(tmp_path / "set"), "all")
    assert (figures.n, figures.no_face_n) == (1, 1)
    assert "left out: 1 pictures in which no face was found" in str(figures)


def test_figures_as_dict_rounds_rates() -> None:
    content = measure(sure_of(HAPPY, HAPPY, SAD), np.array([HAPPY, HAPPY, HAPPY])).as_dict()
    assert content["accuracy"] == 0.6667
    assert content["ferplus_accuracy"] is None


def test_predict_rejects_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"not a model")
    with pytest.raises(EmojifyError, match="no LiteRT model"):
        predict(tmp_path / "model.tflite", np.zeros((1, 48, 48), np.uint8))


def test_crop_main_face_of_small_picture_uses_margin(astronaut: NDArray[np.uint8]) -> None:
    gray = np.asarray(cv2.cvtColor(astronaut[56:171, 167:282], cv2.COLOR_BGR2GRAY), np.uint8)
    picture = np.asarray(cv2.resize(gray, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)
    narrow, wide = crop_main_face(picture, 0.0), crop_main_face(picture, 0.25)
    assert narrow is not None
    assert wide is not None
    inner = cv2.resize(wide[8:40, 8:40], (48, 48))  # a quarter on each side, so the box is the middle two thirds
    assert np.abs(inner.astype(float) - narrow).mean() < 12
    assert np.abs(wide.astype(float) - narrow).mean() > 12


@pytest.mark.parametrize("picture", [np.zeros((48, 48), np.uint8), np.full((48, 48), 200, np.uint8)])
def test_crop_main_face_returns_none_without_face(picture: NDArray[np.uint8]) -> None:
    assert crop_main_face(picture, 0.0) is None


def test_evaluate_rejects_split_without_detected_faces(faces: Path) -> None:
    data = load(faces)
    data = replace(data, images=np.zeros_like(data.images))
    with pytest.raises(EmojifyError, match="no pictures"):
        evaluate(b"", data, "public", EvaluationOptions(detector_margin=0.0))
