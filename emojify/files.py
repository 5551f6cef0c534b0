"""Writing files so that a kill or a full disk leaves the old one whole; taking turns; noticing that some changed."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
