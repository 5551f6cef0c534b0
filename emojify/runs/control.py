"""Control of a fit that runs in a process of its own: how it is stopped, and what its process records.

<run>/process.json    the process that works on the run, see :mod:`~emojify.processes`
<run>/ended.json      how and why the last process ended; missing while one works, and after a kill -9
<run>/stopping.json   the run was asked to stop
"""

from __future__ import annotations

import errno
import json
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import write_json

ENDED, STOP_REQUESTED = "ended.json", "stopping.json"
PROGRESS = "progress.jsonl"
FULL_BYTES = 20_000_000
"""With less free space than this, a failed write is explained by a full disk."""


class Control:
    """Hooks that a fit calls. This class does nothing in them: the fit runs to its end unobserved."""

    def start_run(self, run: Path) -> None:
        """Called once, when the run's folder exists and nothing has been fitted yet."""

    def report_phase(self, text: str) -> None:
        """Called before the first batch with what is being done, such as "reading the pictures"."""

    def after_batch(self) -> None:
        """Called after every batch. Raises KeyboardInterrupt if the fit is to stop here."""


class ProcessControl(Control):
    """Registers the process that runs a fit, stops it on SIGTERM, and records how it ended.

    The first SIGTERM stops the fit at once before the first batch, and at the end of the current batch later on. The
    second SIGTERM always stops it at once. ::

        with ProcessControl() as control:
            fit.start(config, run, control)
    """

    def __init__(self) -> None:
        self._fitting = self._stop_requested = False
        self._run: Path | None = None

    def __enter__(self) -> ProcessControl:
        self._previous_handler = signal.signal(signal.SIGTERM, self._on_sigterm)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        signal.signal(signal.SIGTERM, self._previous_handler)
        if self._run is None:
            return
        how = "finished" if error is None else "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        why = explain(error, self._run) if error is not None and how == "failed" else ""
        with suppress(OSError):  # the folder is gone, or the disk is so full that even this file does not fit
            write_json(self._run / ENDED, {"time": round(time.time(), 2), "how": how, "why": why})

    def start_run(self, run: Path) -> None:
        """Register this process as the one that works on the run.

        Raises:
            EmojifyError: if another process works on it.
        """
        processes.register(run)
        self._run = run
        for name in (ENDED, STOP_REQUESTED):
            (run / name).unlink(missing_ok=True)

    def report_phase(self, text: str) -> None:
        if self._run is not None:
            with (self._run / PROGRESS).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"time": round(time.time(), 2), "phase": text}) + "\n")

    def after_batch(self) -> None:
        self._fitting = True
        if self._stop_requested:
            raise KeyboardInterrupt

    def _on_sigterm(self, *_: object) -> None:
        if self._stop_requested or not self._fitting:
            raise KeyboardInterrupt
        self._stop_requested = True


def explain(error: BaseException, run: Path) -> str:
    """Return a sentence that says why a fit failed and what to do."""
    if isinstance(error, EmojifyError):
        return str(error)
    # Compared by name, so that TensorFlow is not imported only for its error classes.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "The memory ran out. Start again with a smaller batch, or close other programs and resume."
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or shutil.disk_usage(run).free < FULL_BYTES:
        return "The disk is full. Make room, then resume."
    first_line = (str(error).strip() or "no reason given").splitlines()[0]
    return f"{type(error).__name__}: {first_line[:300]}. The log says more."
