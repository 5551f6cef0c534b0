"""Cutouts that can be told apart, and a model that can be taught without anything that is not in the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emojify.teaching.samples import SampleStore
from emojify.vision.cutout import Cutout

Record = Callable[..., list[Cutout]]


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    return SampleStore(tmp_path / "data" / "samples")
