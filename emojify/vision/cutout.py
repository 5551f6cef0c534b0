"""A face cut out with some of its surroundings, so that it can be stored and cropped later for any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.alignment import MIN_ROLL, cut_patch
from emojify.vision.classifier import crop_face
from emojify.vision.readings import Box

SURROUNDINGS = 0.35  # share of the box, on each side; the crop margin of every model is smaller

# Share of the largest face's width. A smaller face is far in the background, a picture on the wall, or not a face.
MIN_FOREGROUND_WIDTH = 0.5

MAX_SIDE_PX = 400  # larger cutouts are shrunk; a face in a 640x480 frame keeps its pixels


@dataclass(frozen=True, eq=False)
class Cutout:
    """A part of a picture with one face in it.

    Attributes:
        picture: (h, w) uint8, gray.
        box: the face in pixels of ``picture``. It may reach beyond it, as it did in the whole picture.

    Raises:
        ValueError: if ``box`` lies outside of ``picture``.
    """

    picture: NDArray[np.uint8]
    box: Box

    def __post_init__(self) -> None:
        height, width = self.picture.shape
        if self.box.iou(Box(0, 0, width, height)) <= 0:
            raise ValueError(f"{self.box} lies outside a picture of {width}x{height}")

    def crop(self, margin: float) -> NDArray[np.uint8]:
        """Return the (48, 48) uint8 input for a model with this crop margin, from :func:`crop_face`."""
        return crop_face(self.picture, self.box, margin)


def foreground_faces(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes of faces in the foreground, without those far behind the largest one."""
    widest = max((box.width for box in boxes), default=0)
    return [box for box in boxes if box.width >= MIN_FOREGROUND_WIDTH * widest]


def cut_out(gray: NDArray[np.uint8], box: Box, roll: float = 0.0) -> Cutout:
    """Copy a face with its surroundings out of a picture, turned until the head is upright.

    Args:
        gray: (H, W) uint8.
        box: the face in pixels of ``gray``.
        roll: degrees by which the head is turned clockwise.
    """
    if abs(roll) >= MIN_ROLL:
        return _cut_out_upright(gray, box, roll)
    height, width = gray.shape
    margin_x, margin_y = round(box.width * SURROUNDINGS), round(box.height * SURROUNDINGS)
    left, top = max(0, box.x - margin_x), max(0, box.y - margin_y)
    picture = gray[top : min(height, box.y + box.height + margin_y), left : min(width, box.x + box.width + margin_x)]
    inside = box.translated(-left, -top)
    scale = MAX_SIDE_PX / max(picture.shape)
    if scale >= 1:
        return Cutout(picture.copy(), inside)
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Cutout(small, Box(*(round(value * scale) for value in inside)))


def _cut_out_upright(gray: NDArray[np.uint8], box: Box, roll: float) -> Cutout:
    side = box.width * (1 + 2 * SURROUNDINGS)
    scale = min(1.0, MAX_SIDE_PX / side)
    side_px = max(1, round(side * scale))
    face_px = max(1, round(box.width * scale))
    margin_px = (side_px - face_px) // 2
    patch = cut_patch(gray, box.center, scale, roll, (side_px, side_px))
    return Cutout(patch.picture, Box(margin_px, margin_px, face_px, face_px))
