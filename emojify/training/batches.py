"""Batches of pictures and targets for a fit.

Every random number depends on (seed, epoch, batch) alone, so a resumed fit sees the same pictures as an uninterrupted
one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.training.augment import augment, augments
from emojify.training.dataset import Dataset
from emojify.training.ferplus import distribution

Teach = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""A function of (b, 48, 48, 1) uint8 pictures and their (b, c) targets that returns new targets."""


def targets(data: Dataset, config: FitConfig) -> NDArray[np.float32]:
    """Return the targets of a data set: labels, FER+ votes and smoothing, mixed as the settings say.

    Returns:
        (n, 7) float32, rows that sum to 1. With a second head (n, 14): the last seven are the votes alone, with a row
        of zeros for a picture without votes.

    Raises:
        EmojifyError: if FER+ votes are asked for and there are none.
    """
    labels = np.eye(len(LABELS), dtype=np.float32)[data.labels]
    votes = distribution(data.votes)
    has_votes = votes.any(axis=1, keepdims=True)
    if (config.ferplus_weight > 0 or config.ferplus_head > 0) and not has_votes.any():
        raise EmojifyError(
            "This data set has no FER+ votes. Put FER+'s fer2013new.csv into it, or set ferplus_weight and "
            "ferplus_head to 0."
        )
    weight = np.float32(config.ferplus_weight) * has_votes
    mixed = (1 - weight) * labels + weight * votes
    smoothing = np.float32(config.label_smoothing)
    mixed = mixed * (1 - smoothing) + smoothing / np.float32(len(LABELS))
    return np.hstack([mixed, votes]) if config.ferplus_head else mixed


def class_shares(data: Dataset) -> NDArray[np.float32]:
    """Return the share of each emotion among the labels: (7,) float32."""
    return (np.bincount(data.labels, minlength=len(LABELS)) / len(data)).astype(np.float32)


def train_batches(data: Dataset, config: FitConfig, epoch: int, teach: Teach | None = None) -> tf.data.Dataset:
    """Return the batches of one epoch.

    Args:
        data: the training pictures.
        config: in the first ``small_epochs`` the pictures are shrunk to ``small_side`` pixels.
        epoch: counted from 0.
        teach: replaces the targets of a batch after augmentation, before the pictures are shrunk.

    Returns:
        ((b, 48, 48, 1) uint8, (b, c) float32), and (b,) float32 weights if the classes are balanced.
    """
    columns = [data.images[..., None], targets(data, config)]
    if config.class_balance > 0:
        weights = (class_shares(data) * len(LABELS))[data.labels] ** -config.class_balance
        columns.append((weights / weights.mean()).astype(np.float32))
    seed = config.seed * 1000 + epoch
    rows = tf.data.Dataset.from_tensor_slices(tuple(columns)).shuffle(len(data), seed=seed).batch(config.batch_size)
    if augments(config):

        def augmented(batch: tf.Tensor, row: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
            changed = augment(row[0], row[1], config, tf.stack([seed, tf.cast(batch, tf.int32)]))
            return (*changed, *row[2:])

        rows = rows.enumerate().map(augmented, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if teach is not None:
        rows = rows.map(lambda images, targets, *rest: (images, teach(images, targets), *rest))
    if epoch < config.small_epochs:
        side = config.small_side

        def shrunken(images: tf.Tensor, *row: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return (tf.cast(tf.round(tf.image.resize(images, (side, side), "area")), tf.uint8), *row)

        rows = rows.map(shrunken, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return rows.prefetch(2)
