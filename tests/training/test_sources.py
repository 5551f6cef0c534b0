"""Files of data sets are read in parts, with limits."""

from __future__ import annotations

import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from emojify.errors import EmojifyError
from emojify.training import sources
from emojify.training.csv_rows import read_rows
from emojify.training.dataset import load
from emojify.training.sources import open_source

HEADER = "emotion,pixels,Usage\n"
ROW = f"3,{' '.join(['0'] * 48 * 48)},Training\n"


def zip_of(folder: Path, name: str, *parts: str) -> Path:
    path = folder / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as file:
        for part in parts:
            file.write(part.encode())
    return path


def peak_bytes_of_rows(path: Path, name: str) -> int:
    with open_source(path) as source:
        tracemalloc.start()
        try:
            for _ in read_rows(source, name):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_rows_of_large_csv_are_not_all_in_memory(tmp_path: Path) -> None:
    path = zip_of(tmp_path, "fer2013.csv", HEADER, *[ROW] * 4000)  # 18 MB
    assert peak_bytes_of_rows(path, "fer2013.csv") < 2_000_000


@pytest.mark.parametrize("name", ["fer2013.csv", "labels.csv"])
def test_endless_line_is_refused_before_it_is_in_memory(name: str, tmp_path: Path) -> None:
    parts = (ROW, *["0 " * 500_000] * 40)  # 40 MB
    tracemalloc.start()
    with (
        open_source(zip_of(tmp_path, name, *parts)) as source,
        pytest.raises(EmojifyError, match=r"line 2: .* too long"),
    ):
        for _ in read_rows(source, name):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("limit", ["MAX_LINES", "MAX_TEXT_CHARACTERS"])
def test_too_long_csv_is_refused(limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zip_of(tmp_path, "fer2013.csv", HEADER, *[ROW] * 10)
    monkeypatch.setattr(sources, limit, 5 if limit == "MAX_LINES" else 5 * len(ROW))
    with pytest.raises(EmojifyError, match=r"fer2013\.csv, line 6: the file or this line is too long"):
        load(path)


def test_quote_that_does_not_end_takes_one_line(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(f'{HEADER}"3,{ROW}{ROW}')
    with pytest.raises(EmojifyError, match="line 2"):
        load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_open_source_refuses_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "data.zip")
    with pytest.raises(EmojifyError, match="is a pipe or a device"):
        load(tmp_path / "data.zip")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_folder_leaves_out_pipes_and_devices(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to("/dev/zero")
    with open_source(tmp_path) as source:
        assert source.names == ["a.png"]
