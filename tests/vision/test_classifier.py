"""Cropping and classification. The tiny model classifies by mean brightness: see tests/data/make_tiny_models.py."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.classifier import Classifier, crop_face
from emojify.vision.readings import Box


def shade(brightness: int) -> NDArray[np.uint8]:
    return np.full((48, 48), brightness, np.uint8)


@pytest.fixture
def chart() -> NDArray[np.uint8]:
    """(100, 200) uint8: the 48x48 pixels at (60, 20) are 200, all others 10."""
    gray = np.full((100, 200), 10, np.uint8)
    gray[20:68, 60:108] = 200
    return gray


class TestCropFace:
    def test_crop_of_48_pixels_is_unchanged(self, chart: NDArray[np.uint8]) -> None:
        chart[20:68, 60:108] = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
        assert np.array_equal(crop_face(chart, Box(60, 20, 48, 48)), chart[20:68, 60:108])

    @pytest.mark.parametrize("size", [1, 24, 47, 49, 90])
    def test_crop_is_48_by_48_for_any_box(self, size: int, chart: NDArray[np.uint8]) -> None:
        crop = crop_face(chart, Box(3, 5, size, size))
        assert crop.shape == (48, 48)
        assert crop.dtype == np.uint8

    def test_margin_widens_the_crop_on_each_side(self, chart: NDArray[np.uint8]) -> None:
        crop = crop_face(chart, Box(60, 20, 48, 48), margin=0.25)  # 12 of 72 pixels on each side become 8 of 48
        assert crop[8:40, 8:40].min() == 200
        for side in (crop[:7], crop[41:], crop[:, :7], crop[:, 41:]):
            assert side.max() == 10

    @pytest.mark.parametrize(
        ("box", "inside"),
        [
            (Box(-40, -30, 100, 50), (slice(0, 20), slice(0, 60))),
            (Box(108, 68, 500, 500), (slice(68, 100), slice(108, 200))),
            (Box(-9, -9, 300, 300), (slice(0, 100), slice(0, 200))),
        ],
        ids=["top left", "bottom right", "all around"],
    )
    def test_crop_ignores_pixels_outside_the_image(
        self, box: Box, inside: tuple[slice, slice], chart: NDArray[np.uint8]
    ) -> None:
        rows, columns = inside
        part = Box(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
        assert np.array_equal(crop_face(chart, box), crop_face(chart, part))

    @pytest.mark.parametrize(
        "box", [Box(200, 0, 9, 9), Box(0, 100, 9, 9), Box(-9, 0, 9, 9), Box(0, -50, 9, 9), Box(5, 5, 0, 9)]
    )
    def test_box_outside_the_image_is_rejected(self, box: Box, chart: NDArray[np.uint8]) -> None:
        with pytest.raises(ValueError, match="lies outside an image of 200x100"):
            crop_face(chart, box)


class TestClassifier:
    @pytest.mark.parametrize(
        ("brightness", "emotion"),
        [
            (0, Emotion.ANGRY),
            (55, Emotion.DISGUSTED),
            (91, Emotion.FEARFUL),
            (128, Emotion.HAPPY),
            (165, Emotion.NEUTRAL),
            (201, Emotion.SAD),
            (255, Emotion.SURPRISED),
        ],
    )
    def test_model_receives_raw_pixels(self, brightness: int, emotion: Emotion, classifier: Classifier) -> None:
        probabilities = classifier.classify(shade(brightness))  # pixels divided by 255 would all be classified as angry
        assert probabilities.argmax() == emotion
        assert probabilities.max() > 0.98

    def test_probabilities_sum_to_one(self, classifier: Classifier) -> None:
        for brightness in range(0, 256, 5):
            probabilities = classifier.classify(shade(brightness))
            assert probabilities.shape == (7,)
            assert probabilities.dtype == np.float32
            assert probabilities.sum() == pytest.approx(1, abs=1e-6)
            assert probabilities.min() >= 0

    def test_classify_returns_a_new_array(self, classifier: Classifier) -> None:
        happy = classifier.classify(shade(128))
        classifier.classify(shade(201))
        assert happy.argmax() == Emotion.HAPPY

    @pytest.mark.parametrize("crop", [np.zeros((24, 24), np.uint8), np.zeros((48, 48), np.float32)])
    def test_classify_rejects_other_inputs(self, crop: NDArray[np.uint8], classifier: Classifier) -> None:
        with pytest.raises(ValueError, match="Cannot set tensor"):
            classifier.classify(crop)

    def test_classifier_is_thread_safe(self, classifier: Classifier) -> None:
        brightnesses = [18, 55, 91, 128, 165, 201, 238] * 200
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda brightness: classifier.classify(shade(brightness)).argmax(), brightnesses))
        assert results == [0, 1, 2, 3, 4, 5, 6] * 200

    def test_classifier_opens_a_path(self, data_folder: Path) -> None:
        assert Classifier(data_folder / "tiny.tflite").classify(shade(128)).argmax() == Emotion.HAPPY

    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: b"",
            lambda content: b"PK\x03\x04 a keras file",
            lambda content: content[:20],
            lambda content: content[: len(content) // 2],
            lambda content: content[:-1],
            lambda content: content[:4] + b"XXXX" + content[8:],
        ],
        ids=["empty", "keras", "header only", "half", "last byte missing", "other identifier"],
    )
    def test_classifier_rejects_damaged_files(self, damage: Callable[[bytes], bytes], tiny_model: bytes) -> None:
        with pytest.raises(EmojifyError, match="model mine does not open: its file is damaged or not a LiteRT model"):
            Classifier(damage(tiny_model), name="mine")

    @pytest.mark.parametrize("file", ["takes_24x24", "takes_floats", "gives_five"])
    def test_classifier_rejects_other_inputs_and_outputs(self, file: str, data_folder: Path) -> None:
        with pytest.raises(EmojifyError, match=r"model mine takes .* Emojify's models take raw uint8 \(1, 48, 48, 1\)"):
            Classifier(data_folder / f"{file}.tflite", name="mine")
