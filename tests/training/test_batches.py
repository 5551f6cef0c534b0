"""Batches: the targets, and which pictures an epoch shows in which order."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.runs.config import FitConfig
from emojify.training.batches import targets, train_batches
from emojify.training.dataset import Dataset

EVERY_CHANGE: dict[str, Any] = {
    **{"flip": True, "shift": 0.1, "rotation": 15.0, "scale": 0.15, "erase": 0.5, "mixup": 0.2, "cutmix": 0.5},
    **{"dim": 0.3, "gamma": 0.3, "blur": 1.0, "low_resolution": 0.5, "noise": 0.05, "jpeg": 0.5},
}


def votes_on_the_first(train: Dataset) -> Dataset:
    """Return the data set with six votes for sad and four for neutral on its first picture, which is labeled angry."""
    votes = np.zeros((len(train), 10), np.uint8)
    votes[0, [Emotion.SAD, Emotion.NEUTRAL]] = 6, 4
    assert train.labels[0] == Emotion.ANGRY
    return replace(train, votes=votes)


def test_targets_are_labels_by_default(train: Dataset) -> None:
    np.testing.assert_array_equal(targets(train, FitConfig("data")), np.eye(7, dtype=np.float32)[train.labels])


def test_targets_label_smoothing(train: Dataset) -> None:
    row = targets(train, FitConfig("data", label_smoothing=0.14))[0]
    assert row[train.labels[0]] == pytest.approx(0.88)
    assert sorted(row)[:6] == pytest.approx([0.02] * 6)


def test_targets_mix_votes_by_weight(train: Dataset) -> None:
    rows = targets(votes_on_the_first(train), FitConfig("data", ferplus_weight=0.5))
    assert rows[0].tolist() == pytest.approx([0.5, 0, 0, 0, 0.2, 0.3, 0])
    assert rows[1].tolist() == targets(train, FitConfig("data"))[1].tolist()  # no votes


def test_targets_of_second_head_are_votes(train: Dataset) -> None:
    config = FitConfig("data", ferplus_head=0.5, label_smoothing=0.07)
    rows = targets(votes_on_the_first(train), config)
    assert rows[0].tolist() == pytest.approx([0.94, *[0.01] * 6, 0, 0, 0, 0, 0.4, 0.6, 0])
    assert rows[1, 7:].tolist() == [0] * 7


def test_class_balance_weighs_emotions_alike(train: Dataset) -> None:
    uneven = train.rows(np.flatnonzero((train.labels != Emotion.DISGUSTED) | (np.arange(len(train)) % 5 == 0)))
    weight_of = dict.fromkeys(range(7), 0.0)
    for _, rows, weights in train_batches(uneven, FitConfig("data", class_balance=1.0), 0):
        for label, weight in zip(rows.numpy().argmax(axis=1), weights.numpy(), strict=True):
            weight_of[label] += weight
    assert list(weight_of.values()) == pytest.approx([len(uneven) / 7] * 7, rel=1e-4)


def test_epoch_shows_every_picture_once(train: Dataset) -> None:
    shown = np.concatenate([images.numpy()[..., 0] for images, _ in train_batches(train, FitConfig("data"), 0)])
    assert sorted(image.tobytes() for image in shown) == sorted(image.tobytes() for image in train.images)


def test_epochs_differ_and_repeat_exactly(train: Dataset) -> None:
    def epoch(number: int) -> Iterator[NDArray[np.uint8]]:
        config = FitConfig("data", **EVERY_CHANGE)
        return (images.numpy() for images, *_ in train_batches(train, config, number))

    first, again, second = (np.concatenate(list(epoch(number))) for number in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()


def test_small_epochs_show_shrunken_pictures(train: Dataset) -> None:
    config = FitConfig("data", small_epochs=1, small_side=16, batch_size=4)
    large, small, after = (
        next(iter(train_batches(train, settings, epoch)))[0].numpy()
        for settings, epoch in ((FitConfig("data", batch_size=4), 0), (config, 0), (config, 1))
    )
    assert (small.shape, small.dtype) == ((4, 16, 16, 1), np.uint8)
    np.testing.assert_allclose(small, large.reshape(4, 16, 3, 16, 3, 1).mean(axis=(2, 4)), atol=0.51)
    assert after.shape == (4, 48, 48, 1)


def test_teacher_sees_augmented_full_size_pictures(train: Dataset) -> None:
    def brightness(images: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        assert images.shape[1:] == (48, 48, 1)
        mean = tf.reduce_mean(tf.cast(images, tf.float32), axis=(1, 2))
        return tf.repeat(mean, 7, axis=1)

    config = FitConfig("data", brightness=0.2, small_epochs=1, small_side=16)
    for images, rows in train_batches(train, config, 0, brightness):
        means = images.numpy().astype(float).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(rows.numpy()[:, 0], means, atol=0.6)
