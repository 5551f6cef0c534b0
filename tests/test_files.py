import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from emojify.files import fingerprint, write_atomically


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_written_file_is_whole_and_everybodys_to_read(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["live.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "live.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["live.json"]


def test_a_kill_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "live.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["live.json"]


def rewrite_with_the_same_size(folder: Path) -> None:
    path = folder / "pack" / "happy.png"
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))  # no sleep: the clock of a file system may be coarse


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "pack" / "sad.png").write_bytes(b"new"),
        lambda folder: (folder / "pack" / "happy.png").unlink(),
        lambda folder: (folder / "pack" / "happy.png").write_bytes(b"longer"),
        rewrite_with_the_same_size,
        lambda folder: (folder / "another").mkdir(),
    ],
    ids=["added", "removed", "longer", "same size", "folder added"],
)
def test_a_fingerprint_tells_that_something_changed(change: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "happy.png").write_bytes(b"one")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    change(tmp_path)
    assert fingerprint(tmp_path) != before


def test_a_folder_that_is_not_there_has_a_fingerprint_too(tmp_path: Path) -> None:
    before = fingerprint(tmp_path / "packs")
    (tmp_path / "packs" / "discs").mkdir(parents=True)
    assert fingerprint(tmp_path / "packs") != before
