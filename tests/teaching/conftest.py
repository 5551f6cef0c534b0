"""The store of recordings that the tests of teaching share."""

from __future__ import annotations

from pathlib import Path

import pytest

from emojify.teaching.samples import SampleStore


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    """An empty store."""
    return SampleStore(tmp_path / "data" / "samples")
