"""Files and folders that are never seen half-written, JSON and locks.

A file or folder is written under a temporary name and then renamed to its target in one step. Temporary names are
siblings of the target and begin with :data:`UNFINISHED` or :data:`REMOVED`; listings skip them because of the leading
dot. Everything is flushed to the disk before the rename, so neither a killed process nor a power failure leaves a
target with half of its content. A killed process can leave a temporary name behind; :func:`clear_leftovers` deletes it.

The module works on Linux, macOS and Windows.
"""

import errno
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # in place of the module

UNFINISHED, REMOVED = ".unfinished-", ".removed-"
ABANDONED_AFTER_S = 3600.0
"""Age at which a temporary file counts as abandoned: no writer pauses for an hour between two changes."""

_MAX_NAME = 40  # characters of the target's name in a temporary name, which must not exceed the system's limit
_LOCK = ".lock"  # used on Windows only
_LOCK_RETRY_S = 0.05

MAX_DIGITS = 300
"""Longest integer that :func:`parse_json` accepts, in digits. A longer one does not fit into a float."""


def write_atomically(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Create or replace the file ``path`` in one step.

    Args:
        path: the file to create or replace.
        content: the whole content of the file.
        mode: permission bits of the new file, see :func:`new_file`.

    Raises:
        OSError: if the file can't be written. ``path`` is then unchanged and no temporary file is left.
    """
    with new_file(path, mode=mode) as temporary:
        temporary.write_bytes(content)


@contextmanager
def new_file(target: Path, *, mode: int = 0o666) -> Iterator[Path]:
    """Create or replace a file in one step, for writers that take a path. See :func:`write_atomically` for bytes.

    The block writes to a temporary sibling of ``target`` with the same suffix. When the block ends, the sibling is
    flushed to the disk and renamed to ``target``. If the block raises, the sibling is deleted and ``target`` is
    unchanged. ::

        with new_file(folder / "plot.png") as temporary:
            figure.savefig(temporary)

    Args:
        target: the file to create or replace; its parent must exist.
        mode: permission bits of the new file, less those of the process's umask, as in :func:`os.open`. Until
            the rename only its owner can read it.

    Yields:
        The temporary file, empty.

    Raises:
        OSError: if the file can't be written.
    """
    temporary = _temporary_name(target.parent, target.stem, target.suffix)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        mode = _close_to_others(temporary)
        yield temporary
        _flush_file(temporary)
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


@contextmanager
def new_folder(target: Path, *, mode: int = 0o777) -> Iterator[Path]:
    """Create a folder with all of its files in one step.

    The block fills a temporary sibling of ``target``. When the block ends, every file is flushed to the disk and the
    sibling is renamed to ``target``. If the block raises, the sibling is deleted and ``target`` does not appear. ::

        with new_folder(models / "mine") as folder:
            (folder / "card.json").write_text("{}")

    Args:
        target: the folder to create; its parent must exist.
        mode: permission bits of the new folder and, without those to execute, of all files in it, as in
            :func:`new_file`. Until the rename only its owner can enter it.

    Yields:
        The temporary folder, empty.

    Raises:
        FileExistsError: if ``target`` exists, before or after the block.
        OSError: if the folder can't be written.
    """
    _check_free(target)
    temporary = _temporary_name(target.parent, target.name)
    temporary.mkdir(mode)
    try:
        mode = _close_to_others(temporary)
        yield temporary
        _finish_tree(temporary, mode)
        _check_free(target)  # rename would replace an empty folder without an error
        try:
            temporary.rename(target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.ENOTDIR):  # another process created the target meanwhile
                raise _exists(target) from error
            raise
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _flush_folder(target.parent)


def make_private_folder(folder: Path) -> None:
    """Create ``folder`` and its missing parents for their owner alone; close an existing ``folder`` to others.

    Raises:
        OSError: if it can't be created.
    """
    missing = [folder, *folder.parents]
    missing = missing[: next((number for number, path in enumerate(missing) if path.exists()), len(missing))]
    for path in reversed(missing):
        path.mkdir(0o700, exist_ok=True)  # another process may create it first
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        with suppress(PermissionError):  # the folder belongs to another user, who has opened it to this one
            folder.chmod(0o700)


def remove_tree(folder: Path) -> None:
    """Delete a folder without ever showing half of it: rename it to a temporary name, then delete that.

    Raises:
        OSError: if the folder can't be renamed; it is then unchanged.
    """
    # Renaming needs no new folder, so it also works on a full disk.
    removed = folder.rename(folder.with_name(f"{REMOVED}{secrets.token_hex(8)}"))
    shutil.rmtree(removed, ignore_errors=True)


def clear_leftovers(folder: Path) -> None:
    """Delete the temporary files and folders that killed processes left in ``folder``.

    Names younger than :data:`ABANDONED_AFTER_S` stay, since a running process may still use them. Never raises.
    """
    for path in folder.glob(".*"):
        with suppress(OSError):  # another process may delete the same name first
            old = time.time() - path.stat().st_mtime > ABANDONED_AFTER_S
            if not path.name.startswith((UNFINISHED, REMOVED)) or not old:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``folder``; other threads and processes that ask for it wait.

    The system releases the lock when the process ends, also when it is killed. On Linux and macOS the lock is on the
    folder itself and needs no file, so it also works on a full or read-only disk (a library such as ``filelock``
    creates a lock file first). Windows can't lock a folder; there the lock is on the file ``.lock`` in it.

    Raises:
        OSError: if ``folder`` can't be opened.
    """
    if fcntl is not None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)  # releases the lock
    else:
        with _locked_file(folder / _LOCK):
            yield


@contextmanager
def _locked_file(path: Path) -> Iterator[None]:
    import msvcrt  # exists on Windows only

    system: Any = msvcrt  # its functions are unknown to type checkers that run on other systems
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        while True:  # LK_LOCK waits too, but only for ten seconds and in steps of one
            try:
                system.locking(descriptor, system.LK_NBLCK, 1)
                break
            except PermissionError:
                time.sleep(_LOCK_RETRY_S)
        try:
            yield
        finally:
            system.locking(descriptor, system.LK_UNLCK, 1)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any, *, mode: int = 0o666) -> None:
    """Write ``value`` as indented JSON in ASCII, with a newline at the end. See :func:`write_atomically`.

    Raises:
        OSError: if the file can't be written; ``path`` is then unchanged.
        TypeError: if ``value`` holds an object that JSON can't represent.
    """
    write_atomically(path, (json.dumps(value, indent=1) + "\n").encode(), mode)


def read_json(path: Path) -> Any:
    """Read a JSON file in UTF-8. See :func:`parse_json`.

    Raises:
        OSError: if the file can't be read.
        ValueError: if its content is not valid JSON.
    """
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str) -> Any:
    """Parse JSON like :func:`json.loads`, but raise ValueError for every text that can't be parsed.

    Raises:
        ValueError: if ``text`` is not valid JSON, is nested too deeply for Python, or holds an integer of more than
            :data:`MAX_DIGITS` digits.
    """
    try:
        return json.loads(text, parse_int=_parse_int)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def utc_timestamp() -> str:
    """Return the current time in UTC as ISO 8601, to the second: ``"2026-01-31T12:00:00+00:00"``."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def fingerprint(folder: Path) -> str:
    """Return a text that changes when a file below ``folder`` is added, removed or written.

    Compares modification times and sizes; no file is read. A missing folder has a fingerprint too.
    """
    lines = []
    for path in sorted(folder.rglob("*")):
        try:
            status = path.stat()
        except OSError:
            continue  # deleted since rglob listed it
        lines.append(f"{path}:{status.st_mtime_ns}:{status.st_size}")
    return "\n".join(lines)


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer has more than {MAX_DIGITS} digits")
    return int(digits)


def _check_free(target: Path) -> None:
    if os.path.lexists(target):
        raise _exists(target)


def _exists(target: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _temporary_name(parent: Path, stem: str, suffix: str = "") -> Path:
    return parent / f"{UNFINISHED}{stem[:_MAX_NAME]}.{secrets.token_hex(4)}{suffix}"


def _close_to_others(new: Path) -> int:
    """Let only its owner open a new file or folder; return the permissions that it had from the umask."""
    mode = stat.S_IMODE(new.stat().st_mode)
    new.chmod(mode & 0o700)
    return mode


def _finish_tree(folder: Path, mode: int) -> None:
    """Set the permissions of everything in ``folder``, then of itself; flush every file, then every folder."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(mode & 0o666)
                _flush_file(path)
        Path(parent).chmod(mode)
        _flush_folder(Path(parent))


def _flush_file(path: Path) -> None:
    # Windows flushes only files that are open for writing.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can: Windows opens no folders."""
    with suppress(OSError):  # the rename is done; only a power failure within seconds could still undo it
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
