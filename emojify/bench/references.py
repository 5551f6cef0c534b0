"""Other programs' loops on the same frames, each in a process of its own, because they import TensorFlow."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from emojify.errors import EmojifyError
from emojify.settings import ROOT
from emojify.vision.readings import Image


def installed_references() -> list[str]:
    """Return the names of the loops that can run here: the tutorial's, and that of the package fer if installed."""
    return ["tutorial", *(["fer"] if importlib.util.find_spec("fer") else [])]


@contextmanager
def run_references(names: Sequence[str], frames: Sequence[Image]) -> Iterator[Callable[[str, int], float]]:
    """Start loops from :mod:`emojify.training.reference`.

    Yields:
        A function of a loop's name and a frame's number that returns the milliseconds of that frame.

    Raises:
        EmojifyError: if a loop does not start or ends early.
    """
    processes: dict[str, subprocess.Popen[str]] = {}

    def read_line(name: str) -> str:
        stdout = processes[name].stdout
        line = stdout.readline().strip() if stdout else ""
        if not line:
            raise EmojifyError(f"The loop to compare with ({name}) does not run here. Leave it out: --no-reference.")
        return line

    def time_frame(name: str, number: int) -> float:
        stdin = processes[name].stdin
        if stdin:
            print(number, file=stdin, flush=True)
        return float(read_line(name))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.npy"
        if names:
            np.save(path, np.stack(frames))
        try:
            for name in names:
                processes[name] = _start(name, path)
                while read_line(name) != "ready":
                    pass  # messages of the libraries
            yield time_frame
        finally:
            for process in processes.values():
                process.kill()
                process.wait()


def _start(name: str, frames: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "emojify.training.reference", name, str(frames)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
