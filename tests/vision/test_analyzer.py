"""Detection, classification and smoothing combined, on a photograph with the tiny model."""

import cv2
import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.vision.analyzer import VideoAnalyzer, analyze_photo, to_gray
from emojify.vision.classifier import Classifier
from emojify.vision.detectors.haar import DetectorSettings, Method
from emojify.vision.readings import Box, Image
from emojify.vision.smoothing import SmoothingSettings

FACE = Box(177, 66, 95, 95)
FOUND_AFTER = 4  # frames until every scan for a face of this size ran once


def darker(image: Image, share: float) -> Image:
    return np.asarray(image * share, np.uint8)


def test_to_gray_weighs_bgr_channels() -> None:
    pure = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert to_gray(pure).tolist() == [[29, 150, 76]]


class TestPhoto:
    def test_photo_face_is_found_and_read(self, happy_astronaut: Image, classifier: Classifier) -> None:
        (reading,) = analyze_photo(happy_astronaut, classifier)
        assert reading.box.iou(FACE) > 0.8
        assert (reading.emotion, reading.sure) == (Emotion.HAPPY, True)
        assert reading.probabilities.sum() == pytest.approx(1, abs=1e-5)

    def test_photo_is_not_changed(self, happy_astronaut: Image, classifier: Classifier) -> None:
        before = happy_astronaut.copy()
        analyze_photo(happy_astronaut, classifier)
        assert np.array_equal(happy_astronaut, before)

    def test_photo_faces_are_read_separately(self, astronaut: Image, classifier: Classifier) -> None:
        photo = np.hstack([darker(astronaut, 0.4), darker(astronaut, 0.85)])
        readings = sorted(analyze_photo(photo, classifier), key=lambda reading: reading.box.x)
        assert [reading.emotion for reading in readings] == [Emotion.DISGUSTED, Emotion.HAPPY]
        assert len({reading.face.track_id for reading in readings}) == 2

    def test_photo_face_below_threshold_is_unsure(self, happy_astronaut: Image, classifier: Classifier) -> None:
        (reading,) = analyze_photo(happy_astronaut, classifier, smoothing=SmoothingSettings(threshold=1))
        assert (reading.emotion, reading.caption) == (Emotion.NEUTRAL, "unsure")
        assert reading.probabilities.argmax() == Emotion.HAPPY

    def test_crop_margin_of_the_model_is_used(self, happy_astronaut: Image, tiny_model: bytes) -> None:
        happy_astronaut[:66] = 0  # inside a wide crop, above the face
        readings = [
            analyze_photo(happy_astronaut, Classifier(tiny_model, crop_margin=margin))[0] for margin in (0.0, 0.5)
        ]
        brightnesses = [reading.probabilities @ np.arange(7) for reading in readings]
        assert brightnesses[1] < brightnesses[0] - 0.5

    @pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (479, 641, 3)])
    def test_photo_without_face_has_no_readings(self, shape: tuple[int, ...], classifier: Classifier) -> None:
        assert analyze_photo(np.zeros(shape, np.uint8), classifier) == []


class TestVideo:
    def test_video_face_keeps_its_track(self, happy_astronaut: Image, classifier: Classifier) -> None:
        analyzer = VideoAnalyzer(classifier)
        frames = [analyzer.analyze(happy_astronaut, number / 30) for number in range(15)]
        assert [len(readings) for readings in frames[FOUND_AFTER:]] == [1] * (15 - FOUND_AFTER)
        assert {reading.face.track_id for readings in frames for reading in readings} == {1}
        assert {reading.emotion for readings in frames for reading in readings} == {Emotion.HAPPY}

    def test_change_of_expression_is_smoothed(self, astronaut: Image, classifier: Classifier) -> None:
        analyzer = VideoAnalyzer(classifier, smoothing=SmoothingSettings(time_constant_s=0.5))
        for number in range(10):
            analyzer.analyze(darker(astronaut, 0.85), number / 30)
        emotions = [analyzer.analyze(darker(astronaut, 0.55), number / 30)[0].emotion for number in range(10, 40)]
        changed = emotions.index(Emotion.FEARFUL)
        assert changed > 3
        assert emotions == [Emotion.HAPPY] * changed + [Emotion.FEARFUL] * (30 - changed)

    def test_covered_face_keeps_its_last_reading(self, happy_astronaut: Image, classifier: Classifier) -> None:
        analyzer = VideoAnalyzer(classifier, smoothing=SmoothingSettings(time_constant_s=0))
        (before,) = [analyzer.analyze(happy_astronaut, number / 30) for number in range(10)][-1]
        happy_astronaut[40:200, 150:300] = 0  # the tiny model classifies black as angry
        (hidden,) = analyzer.analyze(happy_astronaut, 10 / 30)
        assert hidden.face.age_s == pytest.approx(1 / 30)
        assert hidden.probabilities.tolist() == before.probabilities.tolist()

    def test_crop_margin_of_the_model_is_used(self, happy_astronaut: Image, tiny_model: bytes) -> None:
        happy_astronaut[:66] = 0
        analyzers = [VideoAnalyzer(Classifier(tiny_model, crop_margin=margin)) for margin in (0.0, 0.5)]
        narrow, wide = ([a.analyze(happy_astronaut, number / 30) for number in range(8)][-1][0] for a in analyzers)
        assert wide.probabilities @ np.arange(7) < narrow.probabilities @ np.arange(7) - 0.5

    def test_analyzer_accepts_changing_frame_sizes(self, happy_astronaut: Image, classifier: Classifier) -> None:
        analyzer = VideoAnalyzer(classifier)
        now_s = 0.0
        for size, faces in [((512, 512), 1), ((1, 1), 0), ((333, 331), 1), ((512, 512), 1)]:
            image = np.asarray(cv2.resize(happy_astronaut, size), np.uint8)
            for _ in range(FOUND_AFTER + 1):
                now_s += 1 / 30
                readings = analyzer.analyze(image, now_s)
            assert len(readings) == faces

    def test_configure_keeps_the_tracks(self, astronaut: Image, classifier: Classifier, tiny_model: bytes) -> None:
        image = darker(astronaut, 0.7)  # between fearful and happy
        analyzer = VideoAnalyzer(classifier)
        before = [analyzer.analyze(image, number / 30) for number in range(10)][-1][0]
        other = Classifier(tiny_model, name="other")
        analyzer.configure(other, DetectorSettings(1.2, 3), SmoothingSettings(threshold=0.95))
        (after,) = analyzer.analyze(image, 10 / 30)
        assert analyzer.classifier is other
        assert (before.sure, after.sure) == (True, False)
        assert after.face.track_id == before.face.track_id

    def test_configure_changes_the_detector(self, happy_astronaut: Image, classifier: Classifier) -> None:
        analyzer = VideoAnalyzer(classifier)
        assert [len(analyzer.analyze(happy_astronaut, number / 30)) for number in range(10)][-1] == 1
        analyzer.configure(classifier, DetectorSettings(2, 20, Method.HAAR), SmoothingSettings())
        assert [len(analyzer.analyze(happy_astronaut, number / 30)) for number in range(10, 30)][-1] == 0
