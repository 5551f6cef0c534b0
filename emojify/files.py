"""Writing files so that a kill or a full disk leaves the old one whole; taking turns; noticing that some changed."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` beside ``path``, flush it to the disk, then rename it into place.

    Raises:
        OSError: if it can't be written; ``path`` is as it was, and nothing lies beside it.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp keeps it to its owner
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


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
