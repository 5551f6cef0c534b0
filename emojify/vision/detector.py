"""The Haar detector under the name that scripts outside the project import."""

from emojify.vision.detectors.haar import HaarDetector as FaceDetector

__all__ = ["FaceDetector"]
