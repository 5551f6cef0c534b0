"""Disks that fail: an audit hook raises the error, or kills the process, before Python asks the system."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ALLOCATING = {"os.mkdir", "os.symlink", "os.link"}
_CHANGING = _ALLOCATING | {"os.rename", "os.remove", "os.rmdir", "os.chmod", "os.utime", "os.truncate"}


class FailingDisk:
    """Fail changes below one folder.

    Args:
        folder: the folder; changes elsewhere succeed.
        error: ``errno.ENOSPC`` fails what needs space, ``errno.EROFS`` every change.
        allowed: number of changes that succeed first.

    Attributes:
        failures: number of changes that failed.
    """

    def __init__(self, folder: Path, error: int, allowed: int) -> None:
        self.folder = os.fspath(folder)
        self.error = error
        self.allowed = allowed
        self.failures = 0

    def on_event(self, event: str, arguments: tuple[object, ...]) -> None:
        """Handle an audit event.

        Raises:
            OSError: the event is a change below the folder, and no more are allowed.
        """
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if not writes or not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(self.folder):
                return
        elif event in (_CHANGING if self.error == errno.EROFS else _ALLOCATING):
            path = arguments[0]
            # A path relative to a descriptor comes from shutil.rmtree, the only caller of that kind here: it counts.
            if isinstance(path, str) and path.startswith("/") and not path.startswith(self.folder):
                return
        else:
            return
        if self.allowed > 0:
            self.allowed -= 1
            return
        self.fail(path)

    def fail(self, path: object) -> None:
        self.failures += 1
        raise OSError(self.error, os.strerror(self.error), path)


class KillingDisk(FailingDisk):
    """Kill the process with SIGKILL before its next change below the folder."""

    def __init__(self, folder: Path, allowed: int) -> None:
        super().__init__(folder, errno.EROFS, allowed)

    def fail(self, path: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


_current = threading.local()
_hook_installed = False


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    disk: FailingDisk | None = getattr(_current, "disk", None)
    if disk is not None:
        disk.on_event(event, arguments)


@contextmanager
def failing(disk: FailingDisk) -> Iterator[FailingDisk]:
    """Apply ``disk`` to this thread until the block ends."""
    global _hook_installed
    if not _hook_installed:
        sys.addaudithook(_hook)  # Python has no call to remove it
        _hook_installed = True
    _current.disk = disk
    try:
        yield disk
    finally:
        _current.disk = None
