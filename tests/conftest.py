"""Fixtures of many tests: a face, a model that reads brightness only, and folders of models and packs."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from emojify.models import Model
from emojify.settings import ROOT
from emojify.vision.classifier import Classifier
from tests.helpers.recordings import Record, record_person
from tests.helpers.rehearsal_bank import add_bank
from tests.helpers.stores import write_model, write_pack

FOLDER_MARKS = {"browser": pytest.mark.browser, "training": pytest.mark.training, "faults": pytest.mark.slow,
                "fuzz": pytest.mark.slow}  # fmt: skip

STARTED_FIRST = (
    "browser/test_cluster.py", "browser/test_videos.py", "browser/test_training.py", "browser/test_nginx.py",
    "browser/test_teach.py", "sweeps/test_sweep.py",
    "training/test_control.py", "training/test_fit.py", "training/test_kill.py",
    "video/test_covering.py", "vision/test_quality.py", "fuzz/test_guided.py", "live/test_visits.py",
)  # fmt: skip
"""The files that take longest. Started last, one of them would run alone while the other worker has nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of some folders, which `make check` leaves out, and put the longest files first."""
    for item in items:
        mark = FOLDER_MARKS.get(file_of(item).partition("/")[0])
        if mark is not None:
            item.add_marker(mark)
    rank = {name: number for number, name in enumerate(STARTED_FIRST)}
    items.sort(key=lambda item: rank.get(file_of(item), len(rank)))


def file_of(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT / "tests").as_posix()


@cache
def _astronaut() -> NDArray[np.uint8]:
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@pytest.fixture
def astronaut() -> NDArray[np.uint8]:
    """(512, 512, 3) uint8 BGR: Eileen Collins, smiling, with one face at about (177, 66, 95, 95).

    The tiny model reads neutral here: it uses brightness only.
    """
    return _astronaut().copy()


@pytest.fixture
def happy_astronaut() -> NDArray[np.uint8]:
    """The same picture, darker, so that the tiny model reads happy."""
    return (_astronaut() * 0.85).astype(np.uint8)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of the LiteRT models that ``make_tiny_models.py`` wrote."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def tiny_model(data_folder: Path) -> bytes:
    """A model that reads the crop's mean brightness: each emotion has a seventh of the range.

    In the middle of each part, at 18, 55, 91, 128, 165, 201 and 238, its probability is 99 %.
    """
    return (data_folder / "tiny.tflite").read_bytes()


@pytest.fixture
def classifier(tiny_model: bytes) -> Classifier:
    return Classifier(tiny_model, name="tiny")


@pytest.fixture
def models_folder(tmp_path: Path, tiny_model: bytes) -> Path:
    """A ``models/`` folder with the tiny model as ``seed``."""
    folder = tmp_path / "models"
    write_model(folder / "seed", tiny_model)
    return folder


@pytest.fixture
def packs_folder(tmp_path: Path) -> Path:
    """An ``emojis/`` with two packs: ``classic``, discs in the emotions' colors, and ``squares`` in the opposite ones.

    Both are transparent outside their shape.
    """
    folder = tmp_path / "emojis"
    write_pack(folder / "classic")
    write_pack(folder / "squares")
    return folder


@pytest.fixture(scope="session")
def record() -> Record:
    """Return ``record(emotion, day=1, frames=12)``, which gives a recording of one drawn person as cutouts."""
    return record_person


@pytest.fixture(scope="session")
def seed_with_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a ``seed`` whose rehearsal bank holds packaged faces, without its weights."""
    folder = tmp_path_factory.mktemp("models") / "seed"
    folder.mkdir()
    for name in ("card.json", "model.tflite"):
        shutil.copy(ROOT / "models" / "seed" / name, folder)
    add_bank(folder)
    return folder


@pytest.fixture
def base(tmp_path: Path, seed_with_bank: Path) -> Model:
    """A copy of ``seed`` with a rehearsal bank, in ``tmp_path / "models"``."""
    return Model(Path(shutil.copytree(seed_with_bank, tmp_path / "models" / "seed")))
