"""Batches: targets that mean what was asked for, and pictures that are changed, but not out of recognition."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.runs.config import FitConfig
from emojify.training.batches import augment, targets, train_batches
from emojify.training.dataset import Dataset

GEOMETRY: dict[str, Any] = {"flip": True, "shift": 0.1, "rotation": 15.0, "scale": 0.15}


def drawn(images: NDArray[np.uint8], **settings: Any) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    wanted = np.eye(7, dtype=np.float32)[np.arange(len(images)) % 7]
    config = FitConfig("data", **settings)
    pictures, new_targets = augment(tf.constant(images[..., None]), tf.constant(wanted), config, tf.constant([1, 1]))
    return pictures.numpy()[..., 0], new_targets.numpy()


def test_without_settings_the_targets_are_the_labels(train: Dataset) -> None:
    np.testing.assert_array_equal(targets(train, FitConfig("data")), np.eye(7, dtype=np.float32)[train.labels])


def test_label_smoothing_takes_from_the_label_and_gives_to_all(train: Dataset) -> None:
    row = targets(train, FitConfig("data", label_smoothing=0.14))[0]
    assert row[train.labels[0]] == pytest.approx(0.88)
    assert sorted(row)[:6] == pytest.approx([0.02] * 6)


def test_votes_are_mixed_in_by_their_weight_where_there_are_any(train: Dataset) -> None:
    votes = np.zeros((len(train), 10), np.uint8)
    votes[0, [Emotion.SAD, Emotion.NEUTRAL]] = 6, 4
    rows = targets(replace(train, votes=votes), FitConfig("data", ferplus_weight=0.5))
    assert train.labels[0] == Emotion.ANGRY
    assert rows[0].tolist() == pytest.approx([0.5, 0, 0, 0, 0.2, 0.3, 0])
    assert rows[1].tolist() == targets(train, FitConfig("data"))[1].tolist()  # nobody voted on it


def test_a_second_heads_targets_are_the_votes_alone(train: Dataset) -> None:
    votes = np.zeros((len(train), 10), np.uint8)
    votes[0, [Emotion.SAD, Emotion.NEUTRAL]] = 6, 4
    rows = targets(replace(train, votes=votes), FitConfig("data", ferplus_head=0.5, label_smoothing=0.07))
    assert rows[0].tolist() == pytest.approx([0.94, *[0.01] * 6, 0, 0, 0, 0, 0.4, 0.6, 0])
    assert rows[1, 7:].tolist() == [0] * 7


def test_every_emotion_weighs_alike_when_the_classes_are_balanced(train: Dataset) -> None:
    uneven = train.rows(np.flatnonzero((train.labels != Emotion.DISGUSTED) | (np.arange(len(train)) % 5 == 0)))
    weight_of = dict.fromkeys(range(7), 0.0)
    for _, wanted, weights in train_batches(uneven, FitConfig("data", class_balance=1.0), 0):
        for label, weight in zip(wanted.numpy().argmax(axis=1), weights.numpy(), strict=True):
            weight_of[label] += weight
    assert list(weight_of.values()) == pytest.approx([len(uneven) / 7] * 7, rel=1e-4)


def test_an_epoch_shows_every_picture_once(train: Dataset) -> None:
    shown = np.concatenate([images.numpy()[..., 0] for images, _ in train_batches(train, FitConfig("data"), 0)])
    assert sorted(image.tobytes() for image in shown) == sorted(image.tobytes() for image in train.images)


def test_epochs_differ_and_repeat_exactly(train: Dataset) -> None:
    def epoch(number: int) -> Iterator[NDArray[np.uint8]]:
        settings = FitConfig("data", **GEOMETRY, erase=0.5, mixup=0.2)
        return (images.numpy() for images, *_ in train_batches(train, settings, number))

    first, again, second = (np.concatenate(list(epoch(number))) for number in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()


def test_the_first_epochs_are_small_and_show_the_same(train: Dataset) -> None:
    config = FitConfig("data", small_epochs=1, small_side=16, batch_size=4)
    large, small, after = (
        next(iter(train_batches(train, settings, epoch)))[0].numpy()
        for settings, epoch in ((FitConfig("data", batch_size=4), 0), (config, 0), (config, 1))
    )
    assert (small.shape, small.dtype) == ((4, 16, 16, 1), np.uint8)
    np.testing.assert_allclose(small, large.reshape(4, 16, 3, 16, 3, 1).mean(axis=(2, 4)), atol=0.51)
    assert after.shape == (4, 48, 48, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"flip": True},
        {"shift": 0.1},
        {"rotation": 15.0},
        {"scale": 0.2},
        {"brightness": 0.2},
        {"contrast": 0.4},
        {"lighting": 0.4},
        {"erase": 1.0},
        {"mixup": 1.0},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_each_setting_changes_pictures_and_none_of_their_kind(settings: dict[str, Any], train: Dataset) -> None:
    pictures, wanted = drawn(train.images[:64], **settings)
    assert (pictures.shape, pictures.dtype) == ((64, 48, 48), np.uint8)
    changed = (pictures != train.images[:64]).any(axis=(1, 2))
    assert changed.mean() > 0.3  # a flip happens half of the time
    assert np.abs(pictures.astype(float) - train.images[:64]).mean() < 60
    np.testing.assert_allclose(wanted.sum(axis=1), 1, atol=1e-5)


def test_a_flip_is_a_mirror_image_to_the_pixel(train: Dataset) -> None:
    pictures, _ = drawn(train.images[:64], flip=True)
    mirrored = (pictures == train.images[:64, :, ::-1]).all(axis=(1, 2))
    same = (pictures == train.images[:64]).all(axis=(1, 2))
    assert (mirrored | same).all()
    assert 0.25 < mirrored.mean() < 0.75


def test_shifts_stay_within_their_share_and_go_both_ways() -> None:
    dots = np.zeros((200, 48, 48), np.uint8)
    dots[:, 23:25, 23:25] = 255
    pictures, _ = drawn(dots, shift=0.125)
    rows = (pictures.sum(axis=2) * np.arange(48)).sum(axis=1) / pictures.sum(axis=(1, 2))
    assert np.abs(rows - 23.5).max() <= 6.1  # an eighth of 48
    assert rows.min() < 20
    assert rows.max() > 27


def test_a_turn_is_about_the_middle() -> None:
    dots = np.zeros((50, 48, 48), np.uint8)
    dots[:, 22:26, 22:26] = 255
    pictures, _ = drawn(dots, rotation=45.0)
    assert (pictures[:, 22:26, 22:26].mean(axis=(1, 2)) > 180).all()


def test_mixup_mixes_targets_as_it_mixes_pictures() -> None:
    images = np.zeros((70, 48, 48), np.uint8)
    images[::2] = 200
    pictures, wanted = drawn(images, mixup=1.0)
    share = wanted[np.arange(70), np.arange(70) % 7]
    expected = np.where(np.arange(70) % 2 == 0, share, 1 - share) * 200
    np.testing.assert_allclose(pictures[:, 0, 0], expected, atol=1)
