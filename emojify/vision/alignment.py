"""Turned and scaled parts of an image, and the upright crop of a face that is tilted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.classifier import CROP_PX, crop_face
from emojify.vision.readings import Box, Point

MIN_ROLL = 4.0  # degrees; a smaller roll changes no reading, and turning the crop would blur it

# A patch is first shrunk by averaging pixels to this many times its scale: warpAffine alone would skip pixels.
_OVERSAMPLING = 2.0


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of an image, turned and scaled.

    Attributes:
        picture: (h, w) uint8, gray.
        matrix: (2, 3) float64, from points of ``picture`` to points of the image.
    """

    picture: NDArray[np.uint8]
    matrix: NDArray[np.float64]

    def to_image(self, point: Point) -> Point:
        """Convert a point of ``picture`` to a point of the image."""
        x, y = self.matrix @ (point[0], point[1], 1.0)
        return float(x), float(y)


def cut_patch(gray: NDArray[np.uint8], center: Point, scale: float, roll: float, size: tuple[int, int]) -> Patch:
    """Cut a turned and scaled rectangle out of an image. Beyond the image its border is repeated.

    Args:
        gray: (H, W) uint8.
        center: the point of the image at the center of the patch.
        scale: pixels of the patch per pixel of the image.
        roll: degrees by which the rectangle is turned clockwise in the image. A face with this roll becomes upright.
        size: width and height of the patch in pixels.
    """
    turn = math.radians(roll)
    cos, sin = math.cos(turn) / scale, math.sin(turn) / scale
    half_x, half_y = size[0] / 2, size[1] / 2
    matrix = np.array(
        [
            [cos, -sin, center[0] - cos * half_x + sin * half_y],
            [sin, cos, center[1] - sin * half_x - cos * half_y],
        ]
    )
    source, left, top, shrink = _shrunken_surroundings(gray, matrix, scale, size)
    to_source = matrix * shrink
    to_source[:, 2] -= (left * shrink, top * shrink)
    to_source[:, 2] += to_source[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from the centers of pixels
    picture = cv2.warpAffine(
        source, to_source, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return Patch(np.asarray(picture, np.uint8), matrix)


def _shrunken_surroundings(
    gray: NDArray[np.uint8], matrix: NDArray[np.float64], scale: float, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], int, int, float]:
    """Return the part of the image that a patch needs, its left and top in the image, and the factor of its size."""
    height, width = gray.shape
    corners = matrix @ np.array([(0, 0, 1), (size[0], 0, 1), (0, size[1], 1), (*size, 1)]).T
    (left, top), (right, bottom) = np.floor(corners.min(axis=1)) - 1, np.ceil(corners.max(axis=1)) + 1
    left, right = int(min(max(0, left), width - 1)), int(max(1, min(width, right)))
    top, bottom = int(min(max(0, top), height - 1)), int(max(1, min(height, bottom)))
    part = gray[top : max(bottom, top + 1), left : max(right, left + 1)]
    shrink = min(1.0, scale * _OVERSAMPLING)
    if shrink < 1:
        shrunken = (max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink)))
        part = np.asarray(cv2.resize(part, shrunken, interpolation=cv2.INTER_AREA), np.uint8)
    return part, left, top, shrink


def crop_upright(gray: NDArray[np.uint8], box: Box, roll: float, margin: float = 0.0) -> NDArray[np.uint8]:
    """Crop a face as the input of the network, turned until the head is upright.

    Args:
        gray: (H, W) uint8.
        box: the face, see :class:`~emojify.vision.readings.Detection`.
        roll: degrees by which the head is turned clockwise.
        margin: widens the crop by this share of the box's size on each side.

    Returns:
        (48, 48) uint8.

    Raises:
        ValueError: if ``box`` lies outside the image.
    """
    if abs(roll) < MIN_ROLL or not box.iou(Box(0, 0, gray.shape[1], gray.shape[0])):
        return crop_face(gray, box, margin)
    scale = CROP_PX / (box.width * (1 + 2 * margin))
    oversized = (2 * CROP_PX, 2 * CROP_PX)
    patch = cut_patch(gray, box.center, 2 * scale, roll, oversized)
    return np.asarray(cv2.resize(patch.picture, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA), np.uint8)
