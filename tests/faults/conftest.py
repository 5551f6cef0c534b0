from collections.abc import Iterator
from pathlib import Path

import pytest

from emojify import processes
from tests.helpers import fake_training
from tests.helpers.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace in a folder whose name has spaces, quotes and letters of several alphabets."""
    fake_training.install(tmp_path / "root")
    monkeypatch.setattr(processes, "ROOT", tmp_path / "root")
    workspace = Workspace(tmp_path / "Émilie's Bücher 笑顔 🙂", tiny_model)
    yield workspace
    workspace.kill_processes()
