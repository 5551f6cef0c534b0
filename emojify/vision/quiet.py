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
    with _lock, tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        try:
            original = os.dup(_STDERR)
        except OSError:  # a process without stderr
            yield
            return
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, _STDERR)
            held.seek(0)
            kept = b"".join(line for line in held if line.strip() != _START_UP_LINE)
            if kept:
                os.write(original, kept)
            os.close(original)
