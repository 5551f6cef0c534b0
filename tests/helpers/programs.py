"""Start programs as a terminal does, and end them within a time limit."""

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

# A shell starts background commands with Ctrl-C ignored, and their children inherit that: restore the defaults.
RESET_SIGNALS = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.pthread_sigmask(signal.SIG_SETMASK, []); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, limit_s: float = 20) -> None:
    """Send a signal and fail if the process runs for longer than ``limit_s``.

    A Python program with PYTHONFAULTHANDLER set then prints the stack of each thread.
    """
    process.send_signal(number)
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        pytest.fail(f"{process.args!r} still ran {limit_s:.0f} s after signal {number}")


@dataclass(frozen=True)
class Program:
    """A running program and the folder with its output."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def output(self) -> str:
        return (self.folder / "stdout").read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        return (self.folder / "stderr").read_text(encoding="utf-8")


@contextmanager
def run_in_terminal(folder: Path, *arguments: str, **environment: str) -> Iterator[Program]:
    """Run Python with these arguments, its output in files of ``folder``; send Ctrl-C at the end of the block."""
    command = [sys.executable, "-c", RESET_SIGNALS, *arguments]
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1", **environment}
    with (folder / "stdout").open("wb") as output, (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=errors)
    program = Program(process, folder)
    try:
        yield program
    finally:
        try:
            end(process, signal.SIGINT)
        except pytest.fail.Exception as failure:
            pytest.fail(f"{failure}\n{program.output}\n{program.errors}")


def wait_until(condition: Callable[[], bool], limit_s: float = 60) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it does not hold after ``limit_s`` seconds.
    """
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
