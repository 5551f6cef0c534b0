"""The detector that the app uses: Haar and YuNet combined, or Haar alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.alignment import cut_patch
from emojify.vision.detectors.haar import CASCADE_PX, DetectorSettings, HaarDetector, Method
from emojify.vision.detectors.yunet import YuNet, find_model_file
from emojify.vision.readings import Box, Detection

SAME_FACE_IOU = 0.3
NESTED_SHARE = 0.7  # two boxes are one face if this share of the smaller one lies in the larger one

# A whole photo. It is always searched at the same sizes, so its own size changes nothing. At 640 pixels YuNet finds
# faces down to 5 % of the longer side, at 1280 down to 2.5 %; large and covered ones it finds better at 640.
PHOTO_LOOKS = ((640, 0.0, 0.6), (1280, 0.0, 0.7), (640, -40.0, 0.75), (640, 40.0, 0.75))
"""Longer side in pixels, roll in degrees and smallest confidence of each look at a photo."""
PHOTO_HAAR_PX = 640
# A larger photo is first shrunk to this longer side, once for all looks: 0.41 s for 12 megapixels instead of 0.53 s on
# an AVX2 machine. The smallest faces are still as large as a look at one face shows them.
PHOTO_PX = 2560
# A face of this confidence counts even if the closer look at it finds nothing. In a turned look, blurred background has
# been taken for a face with .81.
SURE_CONFIDENCE, SURE_TURNED_CONFIDENCE = 0.8, 0.85

# A look at one face: the face is 44 pixels wide in it. YuNet takes 1.3 ms for it on an AVX2 machine.
AROUND_PX = 96
AROUND_FACES = 2.2  # side of the part that is looked at, in widths of the face
AROUND_CONFIDENCE = 0.5

# YuNet's landmarks follow the roll of a face only if it is large in the input: at 44 pixels they show a sixth of it, at
# 130 pixels half. So a roll is measured in a tight part, the measured rest is divided by ROLL_GAIN, and where time
# allows, that is repeated in a part turned by the result.
ROLL_PX = 160
ROLL_FACES = 1.1
ROLL_GAIN = 0.45
MAX_ROLL_STEP = 30.0  # degrees by which one measurement may change the roll
MAX_ROLL = 75.0
ROLL_STEPS = 4  # measurements of a face in a photo
STEADY_DEGREES = 2.5  # no further measurement is needed after a smaller change

WHOLE_PX = 160  # longer side of a quick look at a frame: 2.3 ms on an AVX2 machine; finds faces of 15 % of it
WHOLE_CONFIDENCE = 0.7

# A quick look at one of the frame's quarters, for smaller faces: 6 % of the longer side and more. The quarters overlap,
# so that a face of up to a sixth of the frame is whole in one of them. A look takes 6 ms on an AVX2 machine.
QUARTERS_PX = 384  # the longer side to which the frame is shrunk
QUARTER_SIZE = (224, 176)


# A picture in which hardly a pixel is brighter than DARK_BELOW is brightened, up to MAX_GAIN times, so that such pixels
# reach BRIGHT. At 12 % of its light, YuNet found 92 % of the faces in a photo before, and all with it.
DARK_PERCENTILE, DARK_BELOW, BRIGHT, MAX_GAIN = 99, 100, 200, 6.0
SAMPLED_PX = 256  # the brightness is measured on so many rows and columns


def brighten_dark(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a dark picture brightened, any other as it is.

    Args:
        gray: (H, W) uint8.
    """
    step_y, step_x = (max(1, length // SAMPLED_PX) for length in gray.shape)
    brightness = float(np.percentile(gray[::step_y, ::step_x], DARK_PERCENTILE))
    if brightness >= DARK_BELOW:
        return gray
    return np.asarray(cv2.convertScaleAbs(gray, alpha=min(MAX_GAIN, BRIGHT / max(brightness, 1.0))), np.uint8)


class FaceDetector:
    """Detects faces at any roll up to 60 degrees, in one image or around known faces of a video. Not thread-safe.

    Args:
        settings: if its method is Haar, or YuNet's file is missing, only Haar is used.

    Example:
        >>> FaceDetector().detect(gray)[0].box
        Box(x=177, y=66, width=95, height=95)
    """

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self._haar = HaarDetector(settings)
        self._yunet: YuNet | None = None
        self.settings = self._haar.settings

    @property
    def settings(self) -> DetectorSettings:
        return self._haar.settings

    @settings.setter
    def settings(self, settings: DetectorSettings) -> None:
        self._haar.settings = settings
        if settings.method is Method.HAAR:
            self._yunet = None
        elif self._yunet is None and (model_file := find_model_file()) is not None:
            self._yunet = YuNet(model_file)

    @property
    def haar(self) -> HaarDetector:
        """The Haar cascade alone."""
        return self._haar

    @property
    def has_landmarks(self) -> bool:
        """True if YuNet is used, which gives landmarks."""
        return self._yunet is not None

    def detect(self, gray: NDArray[np.uint8]) -> list[Detection]:
        """Return all faces of a whole image, largest first.

        What is found does not depend on the size of the image: faces from 3 % of its longer side on.

        Args:
            gray: (H, W) uint8 of any size.
        """
        if self._yunet is None:
            return remove_duplicates([Detection(box) for box in self._haar.detect(gray)])
        factor = max(gray.shape) / PHOTO_PX
        if factor > 1:
            size = (round(gray.shape[1] / factor), round(gray.shape[0] / factor))
            shrunken = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
            return [face.scaled(factor) for face in self.detect(shrunken)]
        gray = brighten_dark(gray)
        found = [
            face for side_px, roll, confidence in PHOTO_LOOKS for face in self._look(gray, side_px, roll, confidence)
        ]
        boxes = self._haar.detect(gray, PHOTO_HAAR_PX)
        doubtful = [Detection(box, None, 0.0) for box in boxes if not _is_known(box, found)]
        closer = [self._look_closer(gray, face) for face in (*found, *doubtful)]
        return remove_duplicates([face for face in closer if face is not None])

    def _look_closer(self, gray: NDArray[np.uint8], face: Detection) -> Detection | None:
        """Return a face as it is found when it is looked at upright and at a fixed size; None if it is no face."""
        found = self.look_around(gray, face.box, face.roll)
        if found is None:
            return face if face.confidence >= (SURE_TURNED_CONFIDENCE if face.roll else SURE_CONFIDENCE) else None
        confidence = max(face.confidence, found.confidence)
        for _ in range(ROLL_STEPS):
            measured = self.measure(gray, found.box, found.roll)
            if measured is None:
                break
            change, found = abs(measured.roll - found.roll), measured
            if change < STEADY_DEGREES:
                break
        return replace(found, confidence=confidence)

    def measure(self, gray: NDArray[np.uint8], box: Box, roll: float) -> Detection | None:
        """Return a known face with its roll measured anew; None without YuNet, or if it does not find the face.

        Args:
            gray: (H, W) uint8.
            box: the face's box.
            roll: the last roll in degrees. A roll that differs by 20 degrees or more takes several calls to reach.
        """
        if self._yunet is None:
            return None
        patch = cut_patch(gray, box.center, ROLL_PX / (ROLL_FACES * box.width), roll, (ROLL_PX, ROLL_PX))
        face = _nearest(self._yunet.detect(patch, AROUND_CONFIDENCE), box)
        if face is None:
            return None
        step = max(-MAX_ROLL_STEP, min(MAX_ROLL_STEP, (face.roll - roll) / ROLL_GAIN))
        return replace(face, roll=max(-MAX_ROLL, min(MAX_ROLL, roll + step)))

    def look_whole(self, gray: NDArray[np.uint8]) -> list[Detection]:
        """Return the large faces of a frame, found by a quick look of YuNet; none without YuNet."""
        return self._look(gray, WHOLE_PX, 0.0, WHOLE_CONFIDENCE) if self._yunet else []

    def look_quarter(self, gray: NDArray[np.uint8], number: int) -> list[Detection]:
        """Return the faces in one quarter of a frame, found by a quick look of YuNet; none without YuNet.

        Args:
            gray: (H, W) uint8.
            number: of the quarter, which counts up from look to look.
        """
        if self._yunet is None or min(gray.shape) < CASCADE_PX:
            return []
        height, width = gray.shape
        scale = QUARTERS_PX / max(height, width)
        size = QUARTER_SIZE if width >= height else QUARTER_SIZE[::-1]
        reach_x, reach_y = (side / (2 * scale) for side in size)  # from the quarter's center to its edge
        x = reach_x if number % 2 else max(reach_x, width - reach_x)
        y = reach_y if number // 2 % 2 else max(reach_y, height - reach_y)
        return self._yunet.detect(cut_patch(gray, (x, y), scale, 0, size), WHOLE_CONFIDENCE)

    def look_around(self, gray: NDArray[np.uint8], box: Box, roll: float) -> Detection | None:
        """Return the face near a known place, with the roll that it had; None without YuNet or face.

        Args:
            gray: (H, W) uint8.
            box: the face's last box. A face with little overlap is another one.
            roll: degrees by which the head is turned clockwise.
        """
        if self._yunet is None:
            return None
        patch = cut_patch(gray, box.center, AROUND_PX / (AROUND_FACES * box.width), roll, (AROUND_PX, AROUND_PX))
        face = _nearest(self._yunet.detect(patch, AROUND_CONFIDENCE), box)
        return None if face is None else replace(face, roll=roll)

    def _look(self, gray: NDArray[np.uint8], side_px: int, roll: float, confidence: float) -> list[Detection]:
        """Return YuNet's faces in the whole image, shrunk or enlarged to a longer side of ``side_px``."""
        assert self._yunet is not None
        height, width = gray.shape
        if min(height, width) < CASCADE_PX:  # Haar finds no face in it, either
            return []
        longer = max(height, width)
        size = (side_px, side_px * 3 // 4) if width >= height else (side_px * 3 // 4, side_px)
        if roll or min(height, width) > 0.75 * longer:
            size = (side_px, side_px)
        patch = cut_patch(gray, (width / 2, height / 2), side_px / longer, roll, size)
        return [replace(face, roll=roll) for face in self._yunet.detect(patch, confidence)]


def remove_duplicates(faces: Sequence[Detection]) -> list[Detection]:
    """Return the faces without those that overlap a more certain one or lie in it, largest first."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda face: (-face.confidence, -face.box.area)):
        if not _is_known(face.box, kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.box.area)


def is_same_face(box: Box, other: Box) -> bool:
    """Return True if two boxes overlap so much, or one lies so far in the other, that both are of one face."""
    return box.iou(other) >= SAME_FACE_IOU or box.covered_share(other) >= NESTED_SHARE


def _nearest(faces: Sequence[Detection], box: Box) -> Detection | None:
    """Return the face that overlaps a known face's box most; None if none overlaps it enough to be the same face."""
    nearest = max(faces, key=lambda face: face.box.iou(box), default=None)
    return nearest if nearest is not None and nearest.box.iou(box) >= SAME_FACE_IOU else None


def _is_known(box: Box, faces: Sequence[Detection]) -> bool:
    return any(is_same_face(box, face.box) for face in faces)
