"""From a data set to batches of pictures and targets, with augmentation in the tf.data graph.

Every random number is drawn from (seed, epoch, batch), so a resumed fit sees the same pictures as one that was never
interrupted.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.training.dataset import SIDE, Dataset
from emojify.training.ferplus import distribution

ERASED_AREA = (0.02, 0.2)
ERASED_ASPECT = (0.5, 2.0)


def targets(data: Dataset, config: FitConfig) -> NDArray[np.float32]:
    """What the network is to say: (n, 7) float32, rows that sum to 1, from labels, FER+ votes and smoothing.

    With a second head (n, 14): then come the votes alone, rows of zeros where there are none.

    Raises:
        EmojifyError: if FER+ votes are asked for and there are none.
    """
    wanted = np.eye(len(LABELS), dtype=np.float32)[data.labels]
    voted = distribution(data.votes)
    has_votes = voted.any(axis=1, keepdims=True)
    if (config.ferplus_weight > 0 or config.ferplus_head > 0) and not has_votes.any():
        raise EmojifyError(
            "This data set has no FER+ votes. Put FER+'s fer2013new.csv into it, or set ferplus_weight and "
            "ferplus_head to 0."
        )
    weight = np.float32(config.ferplus_weight) * has_votes
    wanted = (1 - weight) * wanted + weight * voted
    smoothing = np.float32(config.label_smoothing)
    wanted = wanted * (1 - smoothing) + smoothing / np.float32(len(LABELS))
    return np.hstack([wanted, voted]) if config.ferplus_head else wanted


def class_shares(data: Dataset) -> NDArray[np.float32]:
    """(7,) float32: how frequent each emotion is."""
    return (np.bincount(data.labels, minlength=len(LABELS)) / len(data)).astype(np.float32)


def train_batches(data: Dataset, config: FitConfig, epoch: int) -> tf.data.Dataset:
    """One epoch: ((b, 48, 48, 1) uint8, (b, 7) float32), with (b,) float32 weights if the classes are balanced.

    In the first ``small_epochs`` the pictures are ``small_side`` pixels wide and high.
    """
    columns = [data.images[..., None], targets(data, config)]
    if config.class_balance > 0:
        weights = (class_shares(data) * len(LABELS))[data.labels] ** -config.class_balance
        columns.append((weights / weights.mean()).astype(np.float32))
    seed = config.seed * 1000 + epoch
    rows = tf.data.Dataset.from_tensor_slices(tuple(columns)).shuffle(len(data), seed=seed).batch(config.batch_size)
    if _augments(config):

        def augmented(batch: tf.Tensor, row: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
            images, wanted = augment(row[0], row[1], config, tf.stack([seed, tf.cast(batch, tf.int32)]))
            return (images, wanted, *row[2:])

        rows = rows.enumerate().map(augmented, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if epoch < config.small_epochs:
        side = config.small_side

        def shrunken(images: tf.Tensor, *row: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return (tf.cast(tf.round(tf.image.resize(images, (side, side), "area")), tf.uint8), *row)

        rows = rows.map(shrunken, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return rows.prefetch(2)


def augment(images: tf.Tensor, wanted: tf.Tensor, config: FitConfig, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Draw new versions of a batch.

    Args:
        images: (b, 48, 48, 1) uint8.
        wanted: (b, 7) float32, the targets.
        seed: (2,) int32; the same seed draws the same versions.

    Returns:
        Pictures and targets of the same shapes and types.
    """
    draws = _Draws(seed, tf.shape(images)[0])
    pictures = tf.cast(images, tf.float32)
    if config.flip or config.shift or config.rotation or config.scale:
        pictures = _moved(pictures, config, draws)
    if config.contrast:
        mean = tf.reduce_mean(pictures, axis=(1, 2), keepdims=True)
        pictures = mean + (pictures - mean) * draws.per_picture(1 - config.contrast, 1 + config.contrast)
    if config.lighting:
        angle, strength = draws.per_picture(0, 2 * math.pi), draws.per_picture(0, config.lighting)
        slope = tf.cos(angle) * _GRID_X + tf.sin(angle) * _GRID_Y
        pictures *= 1 + strength * slope
    if config.brightness:
        pictures += 255 * draws.per_picture(-config.brightness, config.brightness)
    if config.mixup:
        # A batch comes shuffled: its neighbour is as good a partner as any.
        share = draws.beta(config.mixup)
        pictures = share * pictures + (1 - share) * tf.roll(pictures, 1, axis=0)
        wanted = share[:, :, 0, 0] * wanted + (1 - share[:, :, 0, 0]) * tf.roll(wanted, 1, axis=0)
    if config.erase:
        pictures = _erased(pictures, config, draws)
    return tf.cast(tf.clip_by_value(tf.round(pictures), 0, 255), tf.uint8), wanted


# (1, 48, 48, 1), -1 at one edge to 1 at the other
_GRID_X = np.linspace(-1, 1, SIDE, dtype=np.float32).reshape(1, 1, SIDE, 1)
_GRID_Y = np.linspace(-1, 1, SIDE, dtype=np.float32).reshape(1, SIDE, 1, 1)


class _Draws:
    """Random numbers for a batch, (b, 1, 1, 1) each, a new one at every call but the same for the same seed."""

    def __init__(self, seed: tf.Tensor, count: tf.Tensor) -> None:
        self._seed, self._shape, self._calls = seed, tf.stack([count, 1, 1, 1]), 0

    def _next_seed(self) -> tf.Tensor:
        self._calls += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._calls)

    def per_picture(self, low: float, high: float) -> tf.Tensor:
        return tf.random.stateless_uniform(self._shape, self._next_seed(), low, high)

    def beta(self, alpha: float) -> tf.Tensor:
        first = tf.random.stateless_gamma(self._shape, self._next_seed(), alpha)
        second = tf.random.stateless_gamma(self._shape, self._next_seed(), alpha)
        return (first + 1e-6) / (first + second + 2e-6)


def _moved(pictures: tf.Tensor, config: FitConfig, draws: _Draws) -> tf.Tensor:
    """Flip, turn, scale and shift in one resampling, about the middle of the picture."""
    angle = draws.per_picture(-math.radians(config.rotation), math.radians(config.rotation))
    zoom = 1 / draws.per_picture(1 - config.scale, 1 + config.scale)
    right, down = (draws.per_picture(-config.shift, config.shift) * SIDE for _ in range(2))
    mirror = tf.where(draws.per_picture(0, 1) < 0.5, -1.0, 1.0) if config.flip else tf.ones_like(angle)
    # The op asks, for each pixel of the result, where in the source it lies: (a x + b y + c, d x + e y + f).
    middle = (SIDE - 1) / 2
    a, b = zoom * tf.cos(angle) * mirror, -zoom * tf.sin(angle) * mirror
    d, e = zoom * tf.sin(angle), zoom * tf.cos(angle)
    c, f = middle - a * middle - b * middle + right, middle - d * middle - e * middle + down
    zero = tf.zeros_like(a)
    transforms = tf.reshape(tf.concat([a, b, c, d, e, f, zero, zero], axis=1), (-1, 8))
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=transforms,
        output_shape=[SIDE, SIDE],
        interpolation="BILINEAR",
        fill_mode="NEAREST",  # what comes in at the edges looks like more of the photograph
        fill_value=0.0,
    )


def _erased(pictures: tf.Tensor, config: FitConfig, draws: _Draws) -> tf.Tensor:
    area = draws.per_picture(*ERASED_AREA)
    aspect = tf.exp(draws.per_picture(math.log(ERASED_ASPECT[0]), math.log(ERASED_ASPECT[1])))
    half_width, half_height = tf.sqrt(area * aspect), tf.sqrt(area / aspect)  # the grids run from -1 to 1
    inside = (tf.abs(_GRID_X - draws.per_picture(-1, 1)) < half_width) & (
        tf.abs(_GRID_Y - draws.per_picture(-1, 1)) < half_height
    )
    chosen = draws.per_picture(0, 1) < config.erase
    return tf.where(inside & chosen, draws.per_picture(0, 255), pictures)


def _augments(config: FitConfig) -> bool:
    strengths = (config.shift, config.rotation, config.scale, config.brightness, config.contrast)
    return config.flip or any(strengths) or any((config.lighting, config.erase, config.mixup))
