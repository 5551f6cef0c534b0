"""Upright crops and patches."""

import cv2
import numpy as np
import pytest

from emojify.vision.alignment import crop_upright, cut_patch
from emojify.vision.classifier import crop_face
from emojify.vision.cutout import cut_out
from emojify.vision.readings import Box
from tests.helpers.scenes import Gray

FACE = Box(177, 66, 95, 95)


def rotated(gray: Gray, roll: float) -> Gray:
    matrix = cv2.getRotationMatrix2D(FACE.center, -roll, 1)
    return np.asarray(cv2.warpAffine(gray, matrix, gray.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


def correlation(one: Gray, other: Gray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("roll", [-40, -15, 15, 40])
def test_crop_upright_undoes_the_roll(roll: int, gray: Gray) -> None:
    straight = crop_face(gray, FACE)
    assert correlation(crop_upright(rotated(gray, roll), FACE, roll), straight) > 0.97
    assert correlation(crop_face(rotated(gray, roll), FACE), straight) < 0.9


def test_crop_upright_keeps_crop_of_straight_head(gray: Gray) -> None:
    assert np.array_equal(crop_upright(gray, FACE, 2.0, 0.1), crop_face(gray, FACE, 0.1))


def test_crop_upright_rejects_box_outside(gray: Gray) -> None:
    with pytest.raises(ValueError, match="lies outside"):
        crop_upright(gray, Box(600, 600, 50, 50), 30)


def test_cutout_of_tilted_head_is_upright(gray: Gray) -> None:
    cutout = cut_out(rotated(gray, 30), FACE, 30)
    assert correlation(cutout.crop(0.0), crop_face(gray, FACE)) > 0.97


@pytest.mark.parametrize("scale", [0.1, 0.5, 1.0, 2.0])
def test_patch_maps_its_points_to_the_image(scale: float, gray: Gray) -> None:
    patch = cut_patch(gray, (200.0, 100.0), scale, 30, (40, 30))
    assert patch.picture.shape == (30, 40)
    assert patch.to_image((20, 15)) == pytest.approx((200, 100))
    x, y = patch.to_image((40, 15))  # the right edge: clockwise of the middle by 30 degrees
    assert (x - 200, y - 100) == pytest.approx((20 / scale * 0.866, 20 / scale * 0.5), abs=0.1)
