"""What people upload and record is readable by the owner of the app's process alone."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emojify import phone
from emojify.emotions import Emotion
from emojify.runs.datasets import DatasetStore
from emojify.teaching.samples import SampleStore
from emojify.video.jobs import JobStore
from tests.helpers.workspace import CUTOUTS, REQUEST


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    former = os.umask(0)
    yield
    os.umask(former)


def open_to_others(folder: Path) -> list[str]:
    paths = [folder, *folder.rglob("*")]
    return [str(path.relative_to(folder)) for path in paths if path.stat().st_mode & 0o077]


@pytest.mark.parametrize("exists", [False, True])
def test_uploads_and_recordings_are_the_owners_alone(exists: bool, tmp_path: Path) -> None:
    data = tmp_path / "data"
    if exists:  # made by an earlier version
        (data / "samples").mkdir(parents=True)
    SampleStore(data / "samples").add(Emotion.HAPPY, CUTOUTS)
    JobStore(data / "videos").add(b"film", REQUEST)
    store = DatasetStore(data)
    upload = store.upload("faces.csv", io.BytesIO(b"a,b"), 3, lambda share: None)
    store.accept(upload)
    phone.ensure_certificate("192.168.1.20", data)
    assert len(list(data.rglob("*"))) >= 8
    assert open_to_others(data) == []
