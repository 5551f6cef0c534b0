"""Fitting a last layer to one person without forgetting the others.

What it is taught: the person's pictures, each in a few lights and places, every emotion weighing the same. What it
rehearses beside them: to say of everyone else's faces what it said before (Li and Hoiem 2016, "Learning without
forgetting"). How much it rehearses is found by trying, from little to much, until the guard says that it forgets no
more than ``MAX_FORGOTTEN``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.teaching.head import Head
from emojify.teaching.rehearsal import GUARD, LEARN, Bank
from emojify.vision.classifier import CROP_PX

WISHED = 0.7
"""Probability that the person's own emotion is to get. With 0.9, one emotion taught alone drew 60 % of a simulated
person's other faces to it; with 0.7, 45 %."""

REHEARSALS = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
"""Weight of everyone else beside the person's pictures. On six simulated people with all seven emotions taught to
``seed``, from 10 to 30: the person's later recordings are read right in 73 % instead of 83 %, everyone else (FER-2013
private) loses 0.3 points instead of 0.5."""

MAX_FORGOTTEN = 0.01
"""Share of the guard's faces that may be read worse on balance: what is promised."""

STEPS = 120
LEARNING_RATE = 0.6  # divided by how many features there are; for features whose mean square is 1
SHRINKAGE = 0.04  # pull towards the layer as it was, for such features
MAX_VERSIONS = 6  # of each picture
WANTED_PICTURES = 1200  # in all versions together; more take longer than they help

TURN_DEGREES, ZOOM, SHIFT_PX, GAIN, OFFSET = 6.0, 0.08, 3.0, 0.25, 25.0


@dataclass(frozen=True, eq=False)
class Taught:
    """A fitted layer.

    Attributes:
        head: the layer.
        rehearsal: the weight out of ``REHEARSALS`` that was needed.
        forgotten: what the guard lost of its accuracy, 0 to 1; below zero if it gained.
    """

    head: Head
    rehearsal: float
    forgotten: float


def augment(crops: NDArray[np.uint8], seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Each picture as it is, mirrored, and moved, turned and lit a little otherwise a few times.

    Returns:
        (m, 48, 48) uint8 pictures, and the row of ``crops`` that each one is made from.
    """
    chance = np.random.default_rng(seed)
    others = max(0, min(MAX_VERSIONS, WANTED_PICTURES // max(1, len(crops))) - 2)
    versions = [crops, crops[:, :, ::-1]]
    for _ in range(others):
        versions.append(np.stack([_another(crop, chance) for crop in crops]))
    return np.concatenate(versions), np.tile(np.arange(len(crops)), len(versions))


def _another(crop: NDArray[np.uint8], chance: np.random.Generator) -> NDArray[np.uint8]:
    middle = ((CROP_PX - 1) / 2, (CROP_PX - 1) / 2)
    move = cv2.getRotationMatrix2D(middle, chance.uniform(-TURN_DEGREES, TURN_DEGREES), 1 + chance.uniform(-ZOOM, ZOOM))
    move = move + np.pad(chance.uniform(-SHIFT_PX, SHIFT_PX, (2, 1)), ((0, 0), (2, 0)))
    picture = crop[:, ::-1] if chance.random() < 0.5 else crop
    size = (CROP_PX, CROP_PX)
    moved = cv2.warpAffine(np.ascontiguousarray(picture), move, size, borderMode=cv2.BORDER_REPLICATE)
    lit = moved * (1 + chance.uniform(-GAIN, GAIN)) + chance.uniform(-OFFSET, OFFSET)
    return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8)


def fit(
    base: Head,
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    bank: Bank,
    on_progress: Callable[[float], None] | None = None,
    *,
    at_least: float = 0.0,
) -> Taught:
    """Fit a layer to one person's pictures.

    Args:
        base: the layer to start from, and to stay like for everyone else.
        features: (n, d) float32, of the person's pictures.
        labels: (n,) int64.
        bank: everyone else.
        on_progress: called with the share that is done; it may jump ahead.
        at_least: don't try to rehearse less than this; for whoever knows already that it would not be enough.

    Returns:
        The first that forgets little enough; if none does, the layer as it was.
    """
    guard, truth = bank.part(GUARD)
    before = accuracy(base, guard, truth)
    for number, rehearsal in enumerate(REHEARSALS):
        if rehearsal < at_least:
            continue
        head = _descend(base, features, labels, bank.part(LEARN)[0], rehearsal)
        forgotten = before - accuracy(head, guard, truth)
        if on_progress is not None:
            on_progress((number + 1) / len(REHEARSALS))
        if forgotten <= max(MAX_FORGOTTEN, 1 / len(truth)):
            return Taught(head, rehearsal, forgotten)
    return Taught(base, math.inf, 0.0)


def accuracy(head: Head, features: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Share that is read right; NaN of none."""
    return float((head.logits(features).argmax(axis=1) == labels).mean()) if len(labels) else math.nan


def _descend(
    base: Head, own: NDArray[np.float32], labels: NDArray[np.int64], others: NDArray[np.float32], rehearsal: float
) -> Head:
    """Adam (Kingma and Ba 2015) on the crossentropy over all pictures at once; the bias is a feature that is 1.

    Features are scaled first, so that the steps fit any network.
    """
    scale = np.float32(max(float(np.sqrt(np.mean(others**2))), 1e-6))
    counts = np.bincount(labels, minlength=len(LABELS))
    wanted = np.full((len(labels), len(LABELS)), (1 - WISHED) / (len(LABELS) - 1), np.float32)
    wanted[np.arange(len(labels)), labels] = WISHED
    weights = np.concatenate([1 / (counts[labels] * (counts > 0).sum()), np.full(len(others), rehearsal / len(others))])
    inputs = np.concatenate([own, others]) / scale
    inputs = np.concatenate([inputs, np.ones((len(inputs), 1), np.float32)], axis=1)
    targets = np.concatenate([wanted, _softmax(base.logits(others))])
    start = np.concatenate([base.kernel * scale, base.bias[None]])
    layer, mean, square = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, STEPS + 1):
        error = (_softmax(inputs @ layer) - targets) * weights[:, None].astype(np.float32)
        gradient = inputs.T @ error + SHRINKAGE * (layer - start)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        rate = LEARNING_RATE / len(base.kernel) * (1 - 0.95 * step / STEPS)
        layer = layer - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return Head(np.asarray(layer[:-1] / scale, np.float32), np.asarray(layer[-1], np.float32))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
