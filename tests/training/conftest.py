"""A small data set that the tests draw themselves: seven kinds of face, easy to tell apart, none alike."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.training import networks
from emojify.training.fit import FitConfig, start

FOLDERS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
PREFIXES = {"train": ("train", "Training"), "public": ("test", "PublicTest"), "private": ("test", "PrivateTest")}


def draw_face(emotion: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A (48, 48) uint8 sketch whose mouth and brows say which emotion it is, with noise and a jitter of its own."""
    image = np.full((48, 48), 60, np.uint8)
    x, y = rng.integers(21, 28, 2)
    cv2.circle(image, (int(x), int(y)), 19, 190, -1)
    for side in (-8, 8):
        cv2.circle(image, (int(x) + side, int(y) - 5), 2 + 2 * (emotion == Emotion.FEARFUL), 20, -1)
    centre, mouth = (int(x), int(y) + 9), {"color": 20, "thickness": 2}
    if emotion == Emotion.HAPPY:
        cv2.ellipse(image, centre, (9, 6), 0, 0, 180, **mouth)
    elif emotion == Emotion.SAD:
        cv2.ellipse(image, centre, (9, 6), 0, 180, 360, **mouth)
    elif emotion in (Emotion.SURPRISED, Emotion.FEARFUL):
        cv2.circle(image, centre, 5, **mouth)
    elif emotion == Emotion.DISGUSTED:
        cv2.line(image, (centre[0] - 9, centre[1] - 4), (centre[0] + 9, centre[1] + 4), **mouth)
    else:
        cv2.line(image, (centre[0] - 8, centre[1]), (centre[0] + 8, centre[1]), **mouth)
    if emotion == Emotion.ANGRY:
        cv2.line(image, (int(x) - 12, int(y) - 14), (int(x) - 3, int(y) - 9), **mouth)
        cv2.line(image, (int(x) + 12, int(y) - 14), (int(x) + 3, int(y) - 9), **mouth)
    return np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)


def write_faces(folder: Path, *, train: int = 20, test: int = 6, seed: int = 0) -> Path:
    """Kaggle's layout: ``train`` pictures per class in train, ``test`` in public and as many in private."""
    rng, row = np.random.default_rng(seed), 0
    for split, (parent, prefix) in PREFIXES.items():
        for emotion, name in enumerate(FOLDERS):
            place = folder / parent / name
            place.mkdir(parents=True, exist_ok=True)
            for _ in range(train if split == "train" else test):
                cv2.imwrite(str(place / f"{prefix}_{row:05d}.png"), draw_face(emotion, rng))
                row += 1
    return folder


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faces(tmp_path_factory.mktemp("faces"))


def tiny() -> keras.Model:
    """Small enough to fit in a test, with what a real one has: convolutions, batch norm, dropout."""
    return keras.Sequential(
        [
            keras.Input((48, 48, 1), dtype="uint8", name="pixels"),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(8, 5, strides=3, use_bias=False),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(32, activation="relu"),
            layers.Dense(7, activation="softmax", dtype="float32", name="probabilities"),
        ],
        name="tiny",
    )


def pooled(side: int | None = 48) -> keras.Model:
    """As small, for pictures of any size."""
    return keras.Sequential(
        [
            keras.Input((side, side, 1), dtype="uint8", name="pixels"),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(8, 5, strides=3),
            layers.BatchNormalization(momentum=0.8),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7, activation="softmax", dtype="float32", name="probabilities"),
        ],
        name="pooled",
    )


@pytest.fixture(scope="session", autouse=True)
def tiny_network() -> Iterator[None]:
    """The networks ``tiny`` and ``pooled`` can be asked for by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(networks.NETWORKS, "tiny", tiny)
        patch.setitem(networks.NETWORKS, "pooled", pooled)
        yield


@pytest.fixture(scope="session")
def finished_run(tiny_network: None, faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the network ``tiny`` that learned to tell the drawn faces apart."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    start(FitConfig(str(faces), network="tiny", epochs=8, batch_size=8, learning_rate=3e-3), run)
    return run
