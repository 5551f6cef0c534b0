from collections.abc import Iterator
from pathlib import Path

import pytest

from emojify import processes
from tests.faults.house import House, kill_what_was_started
from tests.helpers import fake_training


@pytest.fixture
def house(tmp_path: Path, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """In a folder whose name has spaces and letters of several alphabets, which is no fault at all."""
    fake_training.install(tmp_path / "root")
    monkeypatch.setattr(processes, "ROOT", tmp_path / "root")
    house = House(tmp_path / "Émilie's Bücher 笑顔 🙂", tiny_model)
    yield house
    kill_what_was_started(house)
