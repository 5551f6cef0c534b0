"""Programs that tests start beside themselves: as a terminal runs them, and ended for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from emojify.settings import ROOT

# What a shell starts with & ignores Ctrl-C, and so does all that this starts in turn, this suite's programs included.
AS_IN_A_TERMINAL = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.pthread_sigmask(signal.SIG_SETMASK, []); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, limit_s: float = 20) -> None:
    """Fails where it goes on for longer; a Python program with PYTHONFAULTHANDLER then says what each thread does."""
    process.send_signal(number)
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        pytest.fail(f"{process.args!r} went on for {limit_s:.0f} s after signal {number}")


@dataclass(frozen=True)
class Program:
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def said(self) -> str:
        return (self.folder / "stdout").read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        return (self.folder / "stderr").read_text(encoding="utf-8")


@contextmanager
def in_terminal(folder: Path, *arguments: str, **environment: str) -> Iterator[Program]:
    """Python with these arguments; what it says goes into ``folder``. Ctrl-C at the end, if it still runs."""
    command = [sys.executable, "-c", AS_IN_A_TERMINAL, *arguments]
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1", **environment}
    with (folder / "stdout").open("wb") as said, (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=errors)
    program = Program(process, folder)
    try:
        yield program
    finally:
        try:
            end(process, signal.SIGINT)
        except pytest.fail.Exception as failure:
            pytest.fail(f"{failure}\n{program.said}\n{program.errors}")


def wait_until(condition: Callable[[], bool], limit_s: float = 60) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it does not hold after ``limit_s`` seconds.
    """
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
