"""Haar and YuNet combined, on the astronaut's photograph: tilted, dark, covered, small, and at any resolution."""

import logging

import cv2
import numpy as np
import pytest

from emojify.vision.detectors import yunet
from emojify.vision.detectors.combined import FaceDetector, brighten_dark, is_same_face, remove_duplicates
from emojify.vision.detectors.haar import DetectorSettings, HaarDetector, Method
from emojify.vision.readings import Box, Detection
from tests.helpers.scenes import Gray

pytestmark = pytest.mark.slow

FACE = Box(177, 66, 95, 95)  # in the astronaut's picture
HAAR_ONLY = DetectorSettings(method=Method.HAAR)


def rotated(gray: Gray, roll: float) -> Gray:
    """Return the astronaut turned clockwise around the middle of her face."""
    matrix = cv2.getRotationMatrix2D(FACE.center, -roll, 1)
    return np.asarray(cv2.warpAffine(gray, matrix, gray.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.mark.parametrize("roll", [-45, -30, -20, 0, 20, 30, 45])
def test_detect_finds_tilted_face_with_its_roll(roll: int, gray: Gray) -> None:
    (face,) = FaceDetector().detect(rotated(gray, roll))
    assert face.box.iou(FACE) > 0.5
    assert face.roll == pytest.approx(roll, abs=12)


def test_haar_alone_loses_a_tilted_face(gray: Gray) -> None:
    assert FaceDetector(HAAR_ONLY).detect(rotated(gray, 45)) == []


@pytest.mark.parametrize(("light", "noise"), [(0.12, 4), (0.06, 3), (0.04, 2)])
def test_detect_finds_face_in_the_dark(light: float, noise: float, gray: Gray) -> None:
    dark = np.clip(gray * light + np.random.default_rng(0).normal(0, noise, gray.shape), 0, 255).astype(np.uint8)
    (face,) = FaceDetector().detect(dark)
    assert face.box.iou(FACE) > 0.5


def test_brighten_dark_changes_only_dark_pictures(gray: Gray) -> None:
    assert brighten_dark(gray) is gray
    assert np.percentile(brighten_dark((gray * 0.2).astype(np.uint8)), 99) == pytest.approx(200, abs=5)
    assert brighten_dark(np.zeros_like(gray)).max() == 0


@pytest.mark.parametrize(("roll", "confidence", "counts"), [(0, 0.82, True), (40, 0.82, False), (40, 0.9, True)])
def test_turned_look_must_be_surer_of_a_face_that_is_not_found_again(
    roll: float, confidence: float, counts: bool, gray: Gray, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Detection(FACE, None, confidence, roll)
    detector = FaceDetector()
    monkeypatch.setattr(detector, "_look", lambda gray, side_px, look_roll, least: [seen] if look_roll == roll else [])
    monkeypatch.setattr(detector, "look_around", lambda gray, box, roll: None)
    monkeypatch.setattr(detector.haar, "detect", lambda gray, side_px: [])
    assert detector.detect(gray) == ([seen] if counts else [])


@pytest.mark.parametrize("covered", [(177, 125, 272, 185), (177, 85, 272, 113)])
def test_detect_finds_covered_face(covered: tuple[int, int, int, int], gray: Gray) -> None:
    left, top, right, bottom = covered
    gray[top:bottom, left:right] = 90
    (face,) = FaceDetector().detect(gray)
    assert face.box.iou(FACE) > 0.4


@pytest.mark.parametrize("side", [480, 1024, 3024, 4096, 12_000])
def test_detect_finds_same_face_at_any_resolution(side: int, gray: Gray) -> None:
    method = cv2.INTER_AREA if side < gray.shape[0] else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(gray, (side, side), interpolation=method), np.uint8)
    (face,) = FaceDetector().detect(picture)
    box = Box(*(round(value * 512 / side) for value in face.box))
    assert box.iou(FACE) > 0.7


def test_detect_drops_what_only_haar_takes_for_a_face(gray: Gray, monkeypatch: pytest.MonkeyPatch) -> None:
    phantom = Box(330, 340, 80, 80)  # on the space suit
    monkeypatch.setattr(HaarDetector, "detect", lambda *_: [FACE, phantom])
    assert len(FaceDetector(HAAR_ONLY).detect(gray)) == 2
    (face,) = FaceDetector().detect(gray)
    assert face.box.iou(FACE) > 0.5


def test_remove_duplicates_drops_nested_boxes() -> None:
    eyes = Box(190, 90, 50, 50)
    assert FACE.iou(eyes) < 0.3  # too little for a test of the overlap alone
    assert is_same_face(FACE, eyes)
    kept = remove_duplicates([Detection(eyes, confidence=0.5), Detection(FACE, confidence=0.9)])
    assert [face.box for face in kept] == [FACE]


def test_missing_file_leaves_haar_and_is_said_once(
    gray: Gray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(yunet, "PACKAGE", "emojify_has_no_such_package")
    yunet.find_model_file.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            detectors = [FaceDetector(), FaceDetector()]
    finally:
        yunet.find_model_file.cache_clear()
    assert [detector.has_landmarks for detector in detectors] == [False, False]
    assert [face.box.iou(FACE) > 0.6 for face in detectors[0].detect(gray)] == [True]
    assert caplog.text.count("second face detector is missing") == 1
