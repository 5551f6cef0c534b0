"""Face detectors: Haar, YuNet, and the one that combines them."""

from emojify.vision.detectors.combined import FaceDetector, is_same_face
from emojify.vision.detectors.haar import DetectorSettings, HaarDetector, Method

__all__ = ["DetectorSettings", "FaceDetector", "HaarDetector", "Method", "is_same_face"]
