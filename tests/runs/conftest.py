"""A store of runs that are trained without TensorFlow."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emojify import processes
from emojify.runs.store import RunStore
from tests.helpers import fake_training


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    """A store whose fits are run by ``fake_training``."""
    fake_training.install(tmp_path / "root")
    monkeypatch.setattr(processes, "ROOT", tmp_path / "root")
    yield RunStore(tmp_path / "runs")
    fake_training.kill_all(tmp_path / "runs")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty file in place of a data set."""
    path = tmp_path / "faces.zip"
    path.touch()
    return path
