"""LiteRT's start-up line, kept out of the output of commands."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_START_UP_LINE = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
_STDERR = 2
_lock = threading.Lock()  # two threads that both moved stderr would each restore the other's file


@contextmanager
def without_start_up_line() -> Iterator[None]:
    """Hold back what is written to stderr, and write it at the end without LiteRT's start-up line.

    LiteRT has no setting for the line. It writes to the file descriptor, so ``sys.stderr`` can't filter it. ::

        with without_start_up_line():
            interpreter.allocate_tensors()
    """
    with _lock, _held_stderr() as held:
        sys.stderr.flush()
        try:
            original = os.dup(_STDERR)
        except OSError:  # a process without stderr
            yield
            return
        os.dup2(held, _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, _STDERR)
            os.lseek(held, 0, os.SEEK_SET)
            lines = b"".join(iter(lambda: os.read(held, 65_536), b"")).splitlines(keepends=True)
            kept = b"".join(line for line in lines if line.strip() != _START_UP_LINE)
            if kept:
                os.write(original, kept)
            os.close(original)


@contextmanager
def _held_stderr() -> Iterator[int]:
    """Yield the descriptor of a file without a name, on Linux in memory: live video writes no file to the disk."""
    if sys.platform == "linux":
        held = os.memfd_create("stderr")
        try:
            yield held
        finally:
            os.close(held)
    else:
        with tempfile.TemporaryFile() as file:
            yield file.fileno()
