"""A face cut out of its picture with some room around it, to be kept and to be cropped later by any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.classifier import crop_face
from emojify.vision.readings import Box

ROOM = 0.35  # of the box, on each side: no model crops wider
BESIDE = 0.5  # of the largest face's width: what is smaller is far behind it, a picture on the wall, or no face at all
MAX_SIDE_PX = 400  # a face in 640x480 stays as it is, to the pixel; larger ones are shrunk


@dataclass(frozen=True, eq=False)
class Cutout:
    """Part of a picture with one face in it.

    Attributes:
        picture: (h, w) uint8, gray.
        box: where the face is in ``picture``; may reach beyond it, as it did in the whole picture.
    """

    picture: NDArray[np.uint8]
    box: Box

    def __post_init__(self) -> None:
        height, width = self.picture.shape
        if self.box.iou(Box(0, 0, width, height)) <= 0:
            raise ValueError(f"{self.box} lies outside a picture of {width}x{height}")

    def crop(self, margin: float) -> NDArray[np.uint8]:
        """The face as a model with this crop margin is given it, see :func:`~emojify.vision.classifier.crop_face`."""
        return crop_face(self.picture, self.box, margin)


def foreground_faces(boxes: Sequence[Box]) -> list[Box]:
    """The faces of those who are in front, without what is far behind them."""
    widest = max((box.width for box in boxes), default=0)
    return [box for box in boxes if box.width >= BESIDE * widest]


def cut_out(gray: NDArray[np.uint8], box: Box) -> Cutout:
    """Cut a face out of (H, W) uint8; the picture is copied."""
    height, width = gray.shape
    room_x, room_y = round(box.width * ROOM), round(box.height * ROOM)
    left, top = max(0, box.x - room_x), max(0, box.y - room_y)
    picture = gray[top : min(height, box.y + box.height + room_y), left : min(width, box.x + box.width + room_x)]
    inside = Box(box.x - left, box.y - top, box.width, box.height)
    scale = MAX_SIDE_PX / max(picture.shape)
    if scale >= 1:
        return Cutout(picture.copy(), inside)
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Cutout(small, Box(*(round(value * scale) for value in inside)))
