"""Augmentation: change a batch of pictures at random, in TensorFlow operations for the tf.data graph.

The operations come in the order in which a camera's picture arises: the face's position, the light, the blur of the
lens, the resolution and noise of the sensor, compression. Mixing pictures and covering parts of them come last.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from emojify.runs.config import FitConfig
from emojify.runs.networks import SIDE

ERASED_AREA = (0.02, 0.2)
ERASED_ASPECT = (0.5, 2.0)
JPEG_QUALITY = (10, 50)
LOWEST_RESOLUTION = 1 / 3
"""Of the picture's side: 16 pixels, a face that is about 3 m away from a webcam."""

_CHANGES = (
    *("flip", "shift", "rotation", "scale", "brightness", "contrast", "lighting", "dim", "gamma", "blur"),
    *("low_resolution", "noise", "jpeg", "mixup", "cutmix", "erase"),
)


def augments(config: FitConfig) -> bool:
    """Return True if any augmentation is on."""
    return any(getattr(config, name) for name in _CHANGES)


def augment(images: tf.Tensor, targets: tf.Tensor, config: FitConfig, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Change every picture of a batch at random.

    Args:
        images: (b, 48, 48, 1) uint8.
        targets: (b, c) float32, rows that sum to 1.
        config: the strength of every change; what is 0 draws no random numbers.
        seed: (2,) int32; the same seed makes the same changes.

    Returns:
        Pictures and targets of the same shapes and types.
    """
    draws = _Draws(seed, tf.shape(images)[0])
    pictures = tf.cast(images, tf.float32)
    if config.flip or config.shift or config.rotation or config.scale:
        pictures = _move(pictures, config, draws)
    pictures = _relight(pictures, config, draws)
    pictures = _degrade(pictures, config, draws)
    if config.mixup:
        # Batches are shuffled, so the next picture is as good a partner as any.
        share = draws.beta(config.mixup)
        pictures = share * pictures + (1 - share) * tf.roll(pictures, 1, axis=0)
        targets = share[:, :, 0, 0] * targets + (1 - share[:, :, 0, 0]) * tf.roll(targets, 1, axis=0)
    if config.cutmix:
        pictures, targets = _cutmix(pictures, targets, config, draws)
    if config.erase:
        pictures = _erase(pictures, config, draws)
    return tf.cast(tf.clip_by_value(tf.round(pictures), 0, 255), tf.uint8), targets


# (1, 48, 48, 1), from -1 at one edge to 1 at the other
_GRID_X = np.linspace(-1, 1, SIDE, dtype=np.float32).reshape(1, 1, SIDE, 1)
_GRID_Y = np.linspace(-1, 1, SIDE, dtype=np.float32).reshape(1, SIDE, 1, 1)


class _Draws:
    """Random numbers for a batch, new ones at every call, the same ones for the same seed."""

    def __init__(self, seed: tf.Tensor, count: tf.Tensor) -> None:
        self._seed, self._shape, self._calls = seed, tf.stack([count, 1, 1, 1]), 0

    def _next_seed(self) -> tf.Tensor:
        self._calls += 1
        return tf.random.experimental.stateless_fold_in(self._seed, self._calls)

    def per_picture(self, low: float, high: float) -> tf.Tensor:
        """Return (b, 1, 1, 1) float32, uniform."""
        return tf.random.stateless_uniform(self._shape, self._next_seed(), low, high)

    def per_batch(self, low: float, high: float) -> tf.Tensor:
        """Return one float32, uniform."""
        return tf.random.stateless_uniform([], self._next_seed(), low, high)

    def per_pixel(self, pictures: tf.Tensor) -> tf.Tensor:
        """Return float32 of the pictures' shape, normal with deviation 1."""
        return tf.random.stateless_normal(tf.shape(pictures), self._next_seed())

    def beta(self, alpha: float) -> tf.Tensor:
        """Return (b, 1, 1, 1) float32 from Beta(alpha, alpha)."""
        first = tf.random.stateless_gamma(self._shape, self._next_seed(), alpha)
        second = tf.random.stateless_gamma(self._shape, self._next_seed(), alpha)
        return (first + 1e-6) / (first + second + 2e-6)


def _move(pictures: tf.Tensor, config: FitConfig, draws: _Draws) -> tf.Tensor:
    """Flip, rotate, scale and shift in one resampling, around the center of the picture."""
    angle = draws.per_picture(-math.radians(config.rotation), math.radians(config.rotation))
    zoom = 1 / draws.per_picture(1 - config.scale, 1 + config.scale)
    right, down = (draws.per_picture(-config.shift, config.shift) * SIDE for _ in range(2))
    mirror = tf.where(draws.per_picture(0, 1) < 0.5, -1.0, 1.0) if config.flip else tf.ones_like(angle)
    # The operation maps each pixel of the result to the source: (a x + b y + c, d x + e y + f).
    center = (SIDE - 1) / 2
    a, b = zoom * tf.cos(angle) * mirror, -zoom * tf.sin(angle) * mirror
    d, e = zoom * tf.sin(angle), zoom * tf.cos(angle)
    c, f = center - a * center - b * center + right, center - d * center - e * center + down
    zero = tf.zeros_like(a)
    transforms = tf.reshape(tf.concat([a, b, c, d, e, f, zero, zero], axis=1), (-1, 8))
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=transforms,
        output_shape=[SIDE, SIDE],
        interpolation="BILINEAR",
        fill_mode="NEAREST",  # repeats the edge pixels, which look more like a photograph than black does
        fill_value=0.0,
    )


def _relight(pictures: tf.Tensor, config: FitConfig, draws: _Draws) -> tf.Tensor:
    """Change contrast, slope of light, brightness, amount of light and gamma."""
    if config.contrast:
        mean = tf.reduce_mean(pictures, axis=(1, 2), keepdims=True)
        pictures = mean + (pictures - mean) * draws.per_picture(1 - config.contrast, 1 + config.contrast)
    if config.lighting:
        angle, strength = draws.per_picture(0, 2 * math.pi), draws.per_picture(0, config.lighting)
        slope = tf.cos(angle) * _GRID_X + tf.sin(angle) * _GRID_Y
        pictures *= 1 + strength * slope
    if config.brightness:
        pictures += 255 * draws.per_picture(-config.brightness, config.brightness)
    if config.dim:
        pictures *= draws.per_picture(1 - config.dim, 1)
    if config.gamma:
        exponent = tf.exp(draws.per_picture(-math.log1p(config.gamma), math.log1p(config.gamma)))
        pictures = 255 * (tf.clip_by_value(pictures, 0, 255) / 255) ** exponent
    return pictures


def _degrade(pictures: tf.Tensor, config: FitConfig, draws: _Draws) -> tf.Tensor:
    """Blur, lose resolution, add noise and compress."""
    if config.blur:
        pictures = _blur(pictures, draws.per_picture(0, config.blur), math.ceil(2.5 * config.blur))
    if config.low_resolution:
        # One size for the whole batch, since a resize has one output size; each picture is chosen by itself.
        side = tf.cast(tf.round(draws.per_batch(LOWEST_RESOLUTION * SIDE, SIDE)), tf.int32)
        small = tf.image.resize(pictures, tf.stack([side, side]), "area")
        chosen = draws.per_picture(0, 1) < config.low_resolution
        pictures = tf.where(chosen, tf.image.resize(small, (SIDE, SIDE), "bilinear"), pictures)
    if config.noise:
        deviation = draws.per_picture(0, 255 * config.noise)
        pictures = tf.clip_by_value(pictures, 0, 255) + deviation * draws.per_pixel(pictures)
    if config.jpeg:
        compressed = jpeg(tf.clip_by_value(pictures, 0, 255), draws.per_picture(*JPEG_QUALITY))
        pictures = tf.where(draws.per_picture(0, 1) < config.jpeg, compressed, pictures)
    return pictures


def _blur(pictures: tf.Tensor, deviation: tf.Tensor, radius: int) -> tf.Tensor:
    """Blur each picture by a Gaussian of its own ``deviation``, (b, 1, 1, 1) pixels, cut off at ``radius``."""
    offsets = tf.range(-radius, radius + 1, dtype=tf.float32)
    weights = tf.exp(-0.5 * (offsets / tf.maximum(deviation, 1e-3)) ** 2)  # (b, 1, 1, 2 radius + 1)
    weights /= tf.reduce_sum(weights, axis=3, keepdims=True)
    rows = tf.pad(pictures, [[0, 0], [radius, radius], [0, 0], [0, 0]], "SYMMETRIC")
    pictures = tf.add_n([weights[..., i : i + 1] * rows[:, i : i + SIDE] for i in range(2 * radius + 1)])
    columns = tf.pad(pictures, [[0, 0], [0, 0], [radius, radius], [0, 0]], "SYMMETRIC")
    return tf.add_n([weights[..., i : i + 1] * columns[:, :, i : i + SIDE] for i in range(2 * radius + 1)])


# JPEG's luminance table for quality 50 (ITU-T T.81, table K.1)
_QUANTIZATION = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
_BLOCK = 8
_COSINES = np.array(
    [
        [math.sqrt((1 if row == 0 else 2) / _BLOCK) * math.cos((2 * column + 1) * row * math.pi / (2 * _BLOCK))
         for column in range(_BLOCK)]
        for row in range(_BLOCK)
    ],
    np.float32,
)  # fmt: skip


def jpeg(pictures: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    """Compress pictures as JPEG does, which is a rounding of the cosine transform of 8x8 blocks.

    Computed here because TensorFlow's own JPEG operations take one picture at a time.

    Args:
        pictures: (b, 48, 48, 1) float32, 0 to 255.
        quality: (b, 1, 1, 1) float32, 1 to 50, as libjpeg counts it.

    Returns:
        (b, 48, 48, 1) float32.
    """
    table = tf.clip_by_value(tf.floor(_QUANTIZATION * 50 / tf.reshape(quality, (-1, 1, 1)) + 0.5), 1, 255)
    table = tf.reshape(table, (-1, 1, _BLOCK, 1, _BLOCK))
    count = SIDE // _BLOCK
    blocks = tf.reshape(pictures - 128, (-1, count, _BLOCK, count, _BLOCK))
    cosines = tf.constant(_COSINES)
    frequencies = tf.einsum("ui,bxiyj,vj->bxuyv", cosines, blocks, cosines)
    frequencies = tf.round(frequencies / table) * table
    blocks = tf.einsum("ui,bxuyv,vj->bxiyj", cosines, frequencies, cosines)
    return tf.clip_by_value(tf.reshape(blocks, tf.shape(pictures)) + 128, 0, 255)


def _cutmix(pictures: tf.Tensor, targets: tf.Tensor, config: FitConfig, draws: _Draws) -> tuple[tf.Tensor, tf.Tensor]:
    """Paste a rectangle of the next picture into each chosen one, and mix the targets by its area."""
    half_side = tf.sqrt(draws.per_picture(0, 1))  # the grids run from -1 to 1; the area is uniform, as in the paper
    inside = (tf.abs(_GRID_X - draws.per_picture(-1, 1)) < half_side) & (
        tf.abs(_GRID_Y - draws.per_picture(-1, 1)) < half_side
    )
    inside &= draws.per_picture(0, 1) < config.cutmix
    share = tf.reduce_mean(tf.cast(inside, tf.float32), axis=(1, 2))
    pictures = tf.where(inside, tf.roll(pictures, 1, axis=0), pictures)
    return pictures, (1 - share) * targets + share * tf.roll(targets, 1, axis=0)


def _erase(pictures: tf.Tensor, config: FitConfig, draws: _Draws) -> tf.Tensor:
    area = draws.per_picture(*ERASED_AREA)
    aspect = tf.exp(draws.per_picture(math.log(ERASED_ASPECT[0]), math.log(ERASED_ASPECT[1])))
    half_width, half_height = tf.sqrt(area * aspect), tf.sqrt(area / aspect)  # the grids run from -1 to 1
    inside = (tf.abs(_GRID_X - draws.per_picture(-1, 1)) < half_width) & (
        tf.abs(_GRID_Y - draws.per_picture(-1, 1)) < half_height
    )
    chosen = draws.per_picture(0, 1) < config.erase
    return tf.where(inside & chosen, draws.per_picture(0, 255), pictures)
