"""Writing files so that a kill or a full disk leaves the old one whole; taking turns; noticing that some changed.

What is not whole yet, and what is being deleted, lies beside its place under a name that nobody lists: it begins with
:data:`UNFINISHED` or :data:`REMOVED`. A kill can leave it there; :func:`clear_leftovers` takes it away.
"""

import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

UNFINISHED, REMOVED = ".unfinished-", ".removed-"
ABANDONED_AFTER_S = 3600.0  # nothing takes an hour between two changes: whoever began it was killed


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write ``content`` beside ``path``, flush it to the disk, then rename it into place.

    Args:
        mode: who may read and write it, as ``chmod`` has it.

    Raises:
        OSError: if it can't be written; ``path`` is as it was, and nothing lies beside it.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{UNFINISHED}{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)  # mkstemp keeps it to its owner
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def remove_tree(folder: Path) -> None:
    """Delete a folder so that no half of it is ever seen: out of sight in one step, then for good.

    Raises:
        OSError: if it stays where it is.
    """
    # Renamed and not first put into a folder of its own: a full disk has no room for that, and must let go.
    gone = folder.rename(folder.with_name(f"{REMOVED}{secrets.token_hex(8)}"))
    shutil.rmtree(gone, ignore_errors=True)


def clear_leftovers(folder: Path) -> None:
    """Delete what somebody who was killed left in ``folder``; never raises, and leaves what may be under way."""
    for path in folder.glob(".*"):
        with suppress(OSError):  # its owner, or somebody else who clears, may be quicker
            old = time.time() - path.stat().st_mtime > ABANDONED_AFTER_S
            if not path.name.startswith((UNFINISHED, REMOVED)) or not old:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one thread of one process at a time gets past this; it needs no file, so a full disk does not matter.

    Raises:
        OSError: if ``folder`` can't be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # let go of with the descriptor, also by a kill
        yield
    finally:
        os.close(descriptor)


MAX_DIGITS = 300  # of a whole number in a file: with more it is no float, nor anything else that is meant


def parse_json(text: str) -> Any:
    """What :func:`json.loads` gives.

    Raises:
        ValueError: if it is no JSON, and also if it is nested deeper or holds longer numbers than Python takes.
    """
    try:
        return json.loads(text, parse_int=_whole_number)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number that is too long")
    return int(digits)


def fingerprint(folder: Path) -> str:
    """A text that changes when a file below ``folder`` is added, removed or written; cheap: nothing is read."""
    lines = []
    for path in sorted(folder.rglob("*")):
        try:
            status = path.stat()
        except OSError:
            continue  # removed while we looked
        lines.append(f"{path}:{status.st_mtime_ns}:{status.st_size}")
    return "\n".join(lines)
