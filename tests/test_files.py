import errno
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emojify.files import (
    MAX_DIGITS,
    fingerprint,
    locked,
    make_private_folder,
    new_file,
    new_folder,
    read_json,
    utc_timestamp,
    write_atomically,
    write_json,
)

ROOT = Path(__file__).resolve().parent.parent


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def raise_disk_full(*args: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def raise_interrupt(*args: object) -> None:
    raise KeyboardInterrupt


def test_write_atomically_replaces_content(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["live.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_write_atomically_failure_keeps_old_file(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "live.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os if step == "fsync" else Path, step, raise_disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["live.json"]


def test_write_atomically_interrupt_keeps_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "live.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", raise_interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["live.json"]


def test_write_atomically_takes_longest_possible_name(tmp_path: Path) -> None:
    write_atomically(tmp_path / f"{'x' * 250}.json", b"{}")
    assert names(tmp_path) == [f"{'x' * 250}.json"]


def test_new_file_replaces_target_only_at_end(tmp_path: Path) -> None:
    target = tmp_path / "party.mp4"
    target.write_bytes(b"old")
    with new_file(target, mode=0o600) as temporary:
        assert (temporary.parent, temporary.suffix, temporary.name[0]) == (tmp_path, ".mp4", ".")
        temporary.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["party.mp4"]


def test_new_file_interrupt_keeps_old_file(tmp_path: Path) -> None:
    def write() -> None:
        with new_file(target) as temporary:
            temporary.write_bytes(b"new")
            raise KeyboardInterrupt

    target = tmp_path / "party.mp4"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["party.mp4"]


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0, 0o666, 0o777)])
def test_new_files_and_folders_honor_umask(umask: int, file: int, folder: int, tmp_path: Path) -> None:
    former = os.umask(umask)
    try:
        write_atomically(tmp_path / "a.txt", b"a")
        with new_folder(tmp_path / "cats") as unfinished:
            write_atomically(unfinished / "pack.json", b"{}")
            (unfinished / "more").mkdir()
            (unfinished / "more" / "happy.png").write_bytes(b"picture")
    finally:
        os.umask(former)
    assert {mode_of(path) for path in (tmp_path / "cats", tmp_path / "cats/more")} == {folder}
    files = ("a.txt", "cats/pack.json", "cats/more/happy.png")
    assert {mode_of(tmp_path / name) for name in files} == {file}


def test_make_private_folder_closes_it_and_its_parents(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "data" / "samples")
    assert mode_of(tmp_path / "data") == mode_of(tmp_path / "data/samples") == 0o700
    (tmp_path / "data").chmod(0o755)
    make_private_folder(tmp_path / "data")
    assert mode_of(tmp_path / "data") == 0o700
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        make_private_folder(tmp_path / "file" / "samples")


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_new_folder_appears_complete(mode: int, tmp_path: Path) -> None:
    target = tmp_path / "cats"
    with new_folder(target, mode=mode) as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith(".")
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "happy.png").write_bytes(b"picture")
        (folder / "more").mkdir()
        (folder / "more" / "notes.txt").write_bytes(b"notes")
        assert not target.exists()
    assert names(tmp_path) == ["cats"]
    assert (target / "happy.png").read_bytes() == b"picture"
    assert (target / "more" / "notes.txt").read_bytes() == b"notes"
    assert target.stat().st_mode & 0o777 == mode


def test_new_folder_flushes_files_before_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = set()
    rename, fsync = Path.rename, os.fsync

    def record_flush(descriptor: int) -> None:
        flushed.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def check_then_rename(path: Path, target: Path) -> Path:
        assert {entry.stat().st_ino for entry in (*path.rglob("*"), path)} <= flushed
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", record_flush)
    monkeypatch.setattr(Path, "rename", check_then_rename)
    with new_folder(tmp_path / "cats") as folder:
        (folder / "more").mkdir()
        for name in ("happy.png", "more/sad.png"):
            (folder / name).write_bytes(b"picture")
    assert tmp_path.stat().st_ino in flushed


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"")], ids=["folder", "file"])
def test_new_folder_refuses_existing_target(make: Callable[[Path], object], tmp_path: Path) -> None:
    target = tmp_path / "cats"
    make(target)
    with pytest.raises(FileExistsError), new_folder(target):
        pytest.fail("the block must not run")
    assert names(tmp_path) == ["cats"]


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"")], ids=["folder", "file"])
def test_new_folder_refuses_target_created_meanwhile(make: Callable[[Path], object], tmp_path: Path) -> None:
    def write() -> None:
        with new_folder(target) as folder:
            (folder / "happy.png").write_bytes(b"picture")
            make(target)

    target = tmp_path / "cats"
    with pytest.raises(FileExistsError):
        write()
    assert names(tmp_path) == ["cats"]


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_new_folder_failure_leaves_nothing(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write() -> None:
        with new_folder(tmp_path / "cats") as folder:
            (folder / "happy.png").write_bytes(b"picture")
            monkeypatch.setattr(os if step == "fsync" else Path, step, raise_disk_full)

    with pytest.raises(OSError, match="No space left"):
        write()
    assert names(tmp_path) == []


def test_new_folder_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with new_folder(tmp_path / "cats") as folder:
            (folder / "happy.png").write_bytes(b"picture")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert names(tmp_path) == []


def test_json_round_trip_keeps_surrogates(tmp_path: Path) -> None:
    value = {"name": "Größe \udcff", "shares": [0.5, None]}  # a file name in another encoding holds surrogates
    write_json(tmp_path / "card.json", value, mode=0o600)
    assert read_json(tmp_path / "card.json") == value
    assert (tmp_path / "card.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[" * 100_000, b"1" * (MAX_DIGITS + 1)],
    ids=["empty", "cut short", "not UTF-8", "too deep", "too long"],
)
def test_read_json_rejects_unparsable_content(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011 - the words come from json and from the codec
        read_json(tmp_path / "card.json")


def test_utc_timestamp_is_current_time_in_utc() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    stamp = utc_timestamp()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", stamp)
    assert before <= datetime.fromisoformat(stamp) <= datetime.now(UTC)


def test_locked_makes_other_thread_wait(tmp_path: Path) -> None:
    acquired = threading.Event()

    def acquire() -> None:
        with locked(tmp_path):
            acquired.set()

    thread = threading.Thread(target=acquire)
    with locked(tmp_path):
        thread.start()
        assert not acquired.wait(0.2)
    assert acquired.wait(10)
    thread.join()
    assert names(tmp_path) == []


# Windows has no fcntl, its msvcrt refuses a locked byte with PermissionError, and it opens no folders.
LIKE_WINDOWS = """
import os, subprocess, sys, types  # subprocess chooses its system by the presence of msvcrt
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock

def locking(descriptor, mode, count):
    try:
        flock(descriptor, mode)
    except BlockingIOError:
        raise PermissionError(13, "Permission denied")

real_open = os.open
def open_file(path, flags, *rest, **options):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", path)
    return real_open(path, flags, *rest, **options)

os.open = open_file
sys.modules["fcntl"] = None
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=LOCK_EX | LOCK_NB, LK_UNLCK=LOCK_UN)
"""
LOCK_AND_WRITE = """
import threading
from pathlib import Path
from emojify.files import locked, new_folder, write_json

folder, acquired = Path(sys.argv[1]), threading.Event()
def acquire():
    with locked(folder):
        acquired.set()

thread = threading.Thread(target=acquire)
with locked(folder):
    thread.start()
    assert not acquired.wait(0.2)
    with new_folder(folder / "cats") as unfinished:
        write_json(unfinished / "card.json", {})
assert acquired.wait(10)
thread.join()
"""
IMPORT_CORE = """
import emojify.live.processor, emojify.models, emojify.packs.store, emojify.phone, emojify.processes
import emojify.runs.datasets, emojify.runs.store, emojify.teaching.drafts, emojify.teaching.samples, emojify.video.jobs
"""


def run_like_windows(code: str, *arguments: str) -> None:
    command = [sys.executable, "-c", LIKE_WINDOWS + code, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_files_work_without_fcntl_and_folder_descriptors(tmp_path: Path) -> None:
    run_like_windows(LOCK_AND_WRITE, str(tmp_path))
    assert names(tmp_path) == [".lock", "cats"]


def test_core_modules_import_without_fcntl() -> None:
    run_like_windows(IMPORT_CORE)


def rewrite_with_the_same_size(folder: Path) -> None:
    path = folder / "pack" / "happy.png"
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))  # set the time instead of sleeping: a file system's clock may be coarse


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
def test_fingerprint_changes_with_files(change: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "happy.png").write_bytes(b"one")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    change(tmp_path)
    assert fingerprint(tmp_path) != before


def test_fingerprint_of_missing_folder_changes_when_created(tmp_path: Path) -> None:
    before = fingerprint(tmp_path / "packs")
    (tmp_path / "packs" / "discs").mkdir(parents=True)
    assert fingerprint(tmp_path / "packs") != before
