"""Drawn faces, a tiny network, and a run of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emojify.runs.config import FitConfig
from emojify.runs.networks import NETWORKS, Network
from emojify.training.dataset import Dataset, load
from emojify.training.fit import start
from tests.helpers.drawn_faces import write_faces, write_votes


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="session")
def train(faces: Path) -> Dataset:
    return load(faces).split("train")


@pytest.fixture(scope="session")
def voted_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_votes(write_faces(tmp_path_factory.mktemp("voted_faces")))


def tiny(keras: Any, side: int | None) -> Any:
    """Build a network that is small but has the layers of a real one: convolutions, batch norm, dropout."""
    layers = keras.layers
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


def pooled(keras: Any, side: int | None) -> Any:
    """Build a small network for pictures of any size."""
    layers = keras.layers
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
    """Register the networks ``tiny`` and ``pooled``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "tiny", Network(tiny, "For tests.", images_per_s=1000))
        patch.setitem(NETWORKS, "pooled", Network(pooled, "For tests.", images_per_s=1000))
        yield


@pytest.fixture(scope="session")
def finished_run(tiny_network: None, faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of the network ``tiny`` that learned to tell the drawn faces apart."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    start(FitConfig(str(faces), network="tiny", epochs=8, batch_size=8, learning_rate=3e-3), run)
    return run


@pytest.fixture
def own(faces: Path, tmp_path: Path) -> Path:
    """Return a copy of the drawn data set that a test may change."""
    return shutil.copytree(faces, tmp_path / "own")
