"""Cutouts that can be told apart, and a model that can be taught without anything that is not in the project."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.models import Model
from emojify.settings import ROOT
from emojify.teaching.samples import SampleStore
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box
from tests.helpers.rehearsal_bank import add_bank
from tests.helpers.simulated_people import drawn_person

Record = Callable[..., list[Cutout]]


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    return SampleStore(tmp_path / "data" / "samples")


@pytest.fixture(scope="session")
def record() -> Record:
    """``record(emotion, day)``: a recording of one drawn person, as cutouts."""
    person = drawn_person(0)

    @cache
    def record(emotion: Emotion, day: int = 1, frames: int = 12) -> list[Cutout]:
        return [Cutout(crop, Box(0, 0, 48, 48)) for crop in person.record(emotion, day, frames)]

    return record


@pytest.fixture(scope="session")
def with_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "seed"
    folder.mkdir()
    for name in ("card.json", "model.tflite"):
        shutil.copy(ROOT / "models" / "seed" / name, folder)
    add_bank(folder)
    return folder


@pytest.fixture
def base(tmp_path: Path, with_bank: Path) -> Model:
    """The model that ships, with a rehearsal bank of packaged faces, without its weights."""
    return Model(Path(shutil.copytree(with_bank, tmp_path / "models" / "seed")))


def noise(seed: int, frames: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (frames, 48, 48)).astype(np.uint8)
