"""A fit as a process: how it is stopped, and what it leaves for those who watch it from outside.

<run>/process.json    that this process works on it, see :mod:`~emojify.processes`
<run>/ended.json      how the last process ended and why; not there while one works, nor after a kill -9
<run>/stopping.json   that somebody asked it to stop
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
from emojify.files import write_atomically

ENDED, STOP_REQUESTED = "ended.json", "stopping.json"
PROGRESS = "progress.jsonl"
FULL_BYTES = 20_000_000
"""Less room than that on the disk, and a failed write is put down to it."""


class Control:
    """What a fit asks of whoever runs it; this one lets it run to its end, unwatched."""

    def begin(self, run: Path) -> None:
        """The folder is there, and nothing has been fitted yet."""

    def phase(self, words: str) -> None:
        """What is being done before the first batch."""

    def batch(self) -> None:
        """A batch is done. Raises KeyboardInterrupt if the fit is to stop here."""


class Process(Control):
    """Runs a fit in a process of its own, inside a ``with``: it can be found, and leaves word of how it ended.

    The first SIGTERM stops it at once before the first batch, and at the end of a batch after that; the second one
    does not wait.
    """

    def __init__(self) -> None:
        self._fitting = self._asked = False
        self._run: Path | None = None

    def __enter__(self) -> Process:
        self._handler_before = signal.signal(signal.SIGTERM, self._stop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        signal.signal(signal.SIGTERM, self._handler_before)
        if self._run is None:
            return
        how = "finished" if error is None else "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        why = explain(error, self._run) if error is not None and how == "failed" else ""
        content = {"time": round(time.time(), 2), "how": how, "why": why}
        with suppress(OSError):  # the folder is gone, or the disk so full that not even this fits
            write_atomically(self._run / ENDED, (json.dumps(content, indent=1) + "\n").encode())

    def begin(self, run: Path) -> None:
        """Claim the run.

        Raises:
            EmojifyError: if another process works on it.
        """
        processes.register(run)
        self._run = run
        for name in (ENDED, STOP_REQUESTED):
            (run / name).unlink(missing_ok=True)

    def phase(self, words: str) -> None:
        if self._run is not None:
            with (self._run / PROGRESS).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"time": round(time.time(), 2), "phase": words}) + "\n")

    def batch(self) -> None:
        self._fitting = True
        if self._asked:
            raise KeyboardInterrupt

    def _stop(self, *_: object) -> None:
        if self._asked or not self._fitting:
            raise KeyboardInterrupt
        self._asked = True


def explain(error: BaseException, run: Path) -> str:
    """Why a fit ended, in a sentence that says what to do."""
    if isinstance(error, EmojifyError):
        return str(error)
    # By name: TensorFlow's errors are not imported for this alone.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "The memory ran out. Start again with a smaller batch, or close other programs and resume."
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or shutil.disk_usage(run).free < FULL_BYTES:
        return "The disk is full. Make room, then resume."
    first_line = (str(error).strip() or "no reason given").splitlines()[0]
    return f"{type(error).__name__}: {first_line[:300]}. The log says more."
