"""A disk that refuses, at the level where Python asks the system: an audit hook raises what the system would."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEEDS_ROOM = {"os.mkdir", "os.symlink", "os.link"}
_CHANGES = _NEEDS_ROOM | {"os.rename", "os.remove", "os.rmdir", "os.chmod", "os.utime", "os.truncate"}


class BrokenDisk:
    """Refuses what is done below one folder.

    Args:
        below: everywhere else all goes on as ever.
        error: ``errno.ENOSPC``: what needs room is refused. ``errno.EROFS``: so is every other change.
        allowed: how many times it still says yes.
    """

    def __init__(self, below: Path, error: int, allowed: int) -> None:
        self.below = os.fspath(below)
        self.error = error
        self.allowed = allowed
        self.refused = 0

    def look_at(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if not writes or not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(self.below):
                return
        elif event in (_CHANGES if self.error == errno.EROFS else _NEEDS_ROOM):
            path = arguments[0]
            # Relative to a folder's descriptor: shutil.rmtree deletes so. Nobody else here does.
            if isinstance(path, str) and path.startswith("/") and not path.startswith(self.below):
                return
        else:
            return
        if self.allowed > 0:
            self.allowed -= 1
            return
        self.refuse(path)

    def refuse(self, path: object) -> None:
        self.refused += 1
        raise OSError(self.error, os.strerror(self.error), path)


class DeadlyDisk(BrokenDisk):
    """Kills the whole process, as ``kill -9`` does, right before its next change below the folder."""

    def __init__(self, below: Path, allowed: int) -> None:
        super().__init__(below, errno.EROFS, allowed)

    def refuse(self, path: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


_broken = threading.local()


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    disk: BrokenDisk | None = getattr(_broken, "disk", None)
    if disk is not None:
        disk.look_at(event, arguments)


_installed = False


@contextmanager
def broken(disk: BrokenDisk) -> Iterator[BrokenDisk]:
    """For this thread alone, until the block ends."""
    global _installed
    if not _installed:
        sys.addaudithook(_hook)  # it stays for good, and does nothing outside of such a block
        _installed = True
    _broken.disk = disk
    try:
        yield disk
    finally:
        _broken.disk = None
