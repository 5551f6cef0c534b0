"""Detection, classification and smoothing combined: an image in, readings out."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.alignment import crop_upright
from emojify.vision.classifier import Classifier
from emojify.vision.detectors.combined import FaceDetector
from emojify.vision.detectors.haar import DetectorSettings
from emojify.vision.readings import Face, Image, Probabilities, Reading
from emojify.vision.smoothing import Smoother, SmoothingSettings, decide
from emojify.vision.subject import SubjectWeights, subject_weight
from emojify.vision.tracker import FaceTracker


def to_gray(image: Image) -> NDArray[np.uint8]:
    """Convert (H, W, 3) uint8 BGR to (H, W) uint8."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


class VideoAnalyzer:
    """Reads the frames of one video in order. Use one instance per video, in one thread at a time.

    Attributes:
        latest_gray: (H, W) uint8, the gray version of the newest frame; (0, 0) before the first.

    Example:
        >>> analyzer = VideoAnalyzer(classifier)
        >>> for number, frame in enumerate(frames):
        ...     readings = analyzer.analyze(frame, now_s=number / 30)
    """

    def __init__(
        self,
        classifier: Classifier,
        detection: DetectorSettings | None = None,
        smoothing: SmoothingSettings | None = None,
    ) -> None:
        self.classifier = classifier
        self.latest_gray: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        self._tracker = FaceTracker(detection)
        self._smoother = Smoother(smoothing)
        self._weights = SubjectWeights()
        self._latest: dict[int, Probabilities] = {}

    def configure(self, classifier: Classifier, detection: DetectorSettings, smoothing: SmoothingSettings) -> None:
        """Use other settings from the next frame on. Faces keep their ``track_id``."""
        if classifier is not self.classifier:
            self._latest = {}
        self.classifier = classifier
        self._tracker.detector.settings = detection
        self._smoother.settings = smoothing

    def analyze(self, image: Image, now_s: float) -> list[Reading]:
        """Return the readings of the next frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            now_s: the frame's time in seconds, not before that of the last frame.
        """
        self.latest_gray = gray = to_gray(image)
        faces = self._weights.update(gray, self._tracker.update(gray, now_s), now_s)
        # A face that was not detected in this frame may be covered, by a hand for example: keep its last probabilities.
        self._latest = {
            face.track_id: self._latest[face.track_id]
            if face.age_s > 0 and face.track_id in self._latest
            else self.classifier.classify(crop_upright(gray, face.box, face.roll, self.classifier.crop_margin))
            for face in faces
        }
        return self._smoother.update(faces, list(self._latest.values()), now_s)


def analyze_photo(
    image: Image,
    classifier: Classifier,
    detection: DetectorSettings | None = None,
    smoothing: SmoothingSettings | None = None,
) -> list[Reading]:
    """Return the readings of all faces in a single picture, largest face first.

    Args:
        image: (H, W, 3) uint8 BGR.
        smoothing: only its threshold is used.
    """
    gray = to_gray(image)
    threshold = (smoothing or SmoothingSettings()).threshold
    readings = []
    for number, found in enumerate(FaceDetector(detection).detect(gray), start=1):
        probabilities = classifier.classify(crop_upright(gray, found.box, found.roll, classifier.crop_margin))
        emotion, sure = decide(probabilities, threshold)
        face = Face(found.box, number, roll=found.roll)
        face = replace(face, weight=found.confidence * subject_weight(gray, face))
        readings.append(Reading(face, probabilities, emotion, sure))
    return readings
