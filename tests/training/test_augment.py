"""Augmentation: pictures are changed as the settings say, but stay recognizable."""

from typing import Any

import cv2
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from emojify.runs.config import FitConfig
from emojify.training.augment import JPEG_QUALITY, augment, augments, jpeg
from emojify.training.dataset import Dataset

CHANGES: list[dict[str, Any]] = [
    {"flip": True},
    {"shift": 0.1},
    {"rotation": 15.0},
    {"scale": 0.2},
    {"brightness": 0.2},
    {"contrast": 0.4},
    {"lighting": 0.4},
    {"dim": 0.6},
    {"gamma": 0.5},
    {"blur": 1.5},
    {"low_resolution": 1.0},
    {"noise": 0.05},
    {"jpeg": 1.0},
    {"erase": 1.0},
    {"mixup": 1.0},
    {"cutmix": 1.0},
]


def augmented(images: NDArray[np.uint8], **settings: Any) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Augment (n, 48, 48) pictures whose labels are 0 to 6 in turn; return pictures and targets."""
    labels = np.eye(7, dtype=np.float32)[np.arange(len(images)) % 7]
    config = FitConfig("data", **settings)
    pictures, targets = augment(tf.constant(images[..., None]), tf.constant(labels), config, tf.constant([1, 1]))
    return pictures.numpy()[..., 0], targets.numpy()


def step_edges(count: int) -> NDArray[np.uint8]:
    """Return pictures whose left half is dark and whose right half is bright."""
    images = np.full((count, 48, 48), 40, np.uint8)
    images[:, :, 24:] = 200
    return images


def detail(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how much neighboring pixels differ, one number a picture."""
    return np.asarray(np.abs(np.diff(images.astype(float), axis=2)).mean(axis=(1, 2)))


@pytest.mark.parametrize("settings", CHANGES, ids=lambda settings: next(iter(settings)))
def test_augment_changes_pictures_within_reason(settings: dict[str, Any], train: Dataset) -> None:
    assert augments(FitConfig("data", **settings))
    pictures, targets = augmented(train.images[:64], **settings)
    assert (pictures.shape, pictures.dtype) == ((64, 48, 48), np.uint8)
    changed = (pictures != train.images[:64]).any(axis=(1, 2))
    assert changed.mean() > 0.3  # a flip happens half of the time
    assert np.abs(pictures.astype(float) - train.images[:64]).mean() < 60
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)


def test_augment_is_off_by_default(train: Dataset) -> None:
    assert not augments(FitConfig("data"))
    np.testing.assert_array_equal(augmented(train.images[:8])[0], train.images[:8])


def test_flip_mirrors_exactly(train: Dataset) -> None:
    pictures, _ = augmented(train.images[:64], flip=True)
    mirrored = (pictures == train.images[:64, :, ::-1]).all(axis=(1, 2))
    same = (pictures == train.images[:64]).all(axis=(1, 2))
    assert (mirrored | same).all()
    assert 0.25 < mirrored.mean() < 0.75


def test_shift_stays_within_share_both_ways() -> None:
    dots = np.zeros((200, 48, 48), np.uint8)
    dots[:, 23:25, 23:25] = 255
    pictures, _ = augmented(dots, shift=0.125)
    rows = (pictures.sum(axis=2) * np.arange(48)).sum(axis=1) / pictures.sum(axis=(1, 2))
    assert np.abs(rows - 23.5).max() <= 6.1  # an eighth of 48
    assert rows.min() < 20
    assert rows.max() > 27


def test_rotation_is_around_the_center() -> None:
    dots = np.zeros((50, 48, 48), np.uint8)
    dots[:, 22:26, 22:26] = 255
    pictures, _ = augmented(dots, rotation=45.0)
    assert (pictures[:, 22:26, 22:26].mean(axis=(1, 2)) > 180).all()


def test_mixup_mixes_targets_like_pictures() -> None:
    images = np.zeros((70, 48, 48), np.uint8)
    images[::2] = 200
    pictures, targets = augmented(images, mixup=1.0)
    share = targets[np.arange(70), np.arange(70) % 7]
    expected = np.where(np.arange(70) % 2 == 0, share, 1 - share) * 200
    np.testing.assert_allclose(pictures[:, 0, 0], expected, atol=1)


def test_cutmix_mixes_targets_by_area() -> None:
    images = np.zeros((70, 48, 48), np.uint8)
    images[::2] = 200
    pictures, targets = augmented(images, cutmix=1.0)
    own = np.where(np.arange(70) % 2 == 0, 200, 0)[:, None, None]
    share = (pictures == own).mean(axis=(1, 2))
    np.testing.assert_allclose(targets[np.arange(70), np.arange(70) % 7], share, atol=1e-5)
    assert 0.3 < share.mean() < 0.9
    untouched, _ = augmented(images, cutmix=0.001)
    assert (untouched == images).all(axis=(1, 2)).mean() > 0.9  # its value is a chance


def test_dim_only_darkens() -> None:
    pictures, _ = augmented(np.full((100, 48, 48), 200, np.uint8), dim=0.6)
    assert 80 <= pictures.min() < 100
    assert 180 < pictures.max() <= 200


def test_gamma_keeps_black_and_white() -> None:
    images = np.zeros((100, 48, 48), np.uint8)
    images[:, 0], images[:, 1] = 255, 128
    pictures, _ = augmented(images, gamma=0.5)
    assert (pictures[:, 0] == 255).all()
    assert (pictures[:, 2:] == 0).all()
    middle = pictures[:, 1, 0].astype(int)
    assert middle.min() < 100  # 255 * (128 / 255) ** 1.5 is 91
    assert middle.max() > 150  # 255 * (128 / 255) ** (1 / 1.5) is 161


def test_blur_matches_opencv() -> None:
    images = step_edges(50)
    pictures, _ = augmented(images, blur=2.0)
    assert (detail(pictures) <= detail(images) + 0.01).all()
    strongest = pictures[int(np.abs(pictures.astype(int) - images).sum(axis=(1, 2)).argmax())]
    closest = min(
        np.abs(cv2.GaussianBlur(images[0], (11, 11), deviation).astype(int) - strongest).max()
        for deviation in np.arange(1.5, 2.01, 0.02)
    )
    assert closest <= 2


def test_low_resolution_loses_detail_but_not_brightness() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 48, 48)).astype(np.uint8)
    pictures, _ = augmented(images, low_resolution=1.0)
    assert (detail(pictures) < detail(images)).all()
    np.testing.assert_allclose(pictures.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=3)
    some, _ = augmented(images, low_resolution=0.5)
    assert 0.2 < (some != images).any(axis=(1, 2)).mean() < 0.8


def test_noise_stays_within_its_deviation() -> None:
    pictures, _ = augmented(np.full((200, 48, 48), 128, np.uint8), noise=0.05)
    deviations = pictures.std(axis=(1, 2))
    assert 10 < deviations.max() <= 0.05 * 255 * 1.05
    assert deviations.min() < 2
    assert abs(pictures.mean() - 128) < 0.5


@pytest.mark.parametrize("quality", JPEG_QUALITY)
def test_jpeg_matches_opencv(quality: int, train: Dataset) -> None:
    images = train.images[:32]
    ours = jpeg(tf.cast(images[..., None], tf.float32), tf.fill([32, 1, 1, 1], float(quality))).numpy()[..., 0]
    encoded = [cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for image in images]
    theirs = np.array([cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) for content in encoded], float)
    assert np.abs(ours - theirs).mean() < 1  # OpenCV rounds to whole gray levels, and some coefficients the other way
    assert np.abs(ours - theirs).mean() < np.abs(theirs - images).mean() / 5
