"""The start-up lines of LiteRT and TensorFlow, kept out of the output of commands."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_START_UP_LINE = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK delegate for CPU\."
    rb"|WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    rb"|[IE]\d{4} .*\] (oneDNN custom operations are on|Could not find cuda drivers|failed call to cuInit).*"
    rb"|fully_quantize: \d.*"
)
_STDERR = 2
_lock = threading.Lock()  # two threads that both moved stderr would each restore the other's file


@contextmanager
def without_start_up_lines() -> Iterator[None]:
    """Hold back what is written to stderr, and write it at the end without the libraries' start-up lines.

    They have no setting for these lines. They write to the file descriptor, so ``sys.stderr`` can't filter them. ::

        with without_start_up_lines():
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
            kept = b"".join(line for line in lines if not _START_UP_LINE.fullmatch(line.strip()))
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
