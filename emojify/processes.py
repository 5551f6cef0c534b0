"""Work that outlives the app: ``python -m emojify ...`` in a process of its own, found again through its folder.

    <folder>/process.json   which process works here: its number, when it was born, what it was asked
    <folder>/process.log    all that it printed; later processes in the same folder append to it

A process number alone says little, since the system hands it out again; together with the time of birth it is one
process for good; on Linux that is counted in ticks since the machine started, which setting the clock does not change.
So a folder can be asked after a reload, from another browser or after the app was restarted.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from emojify.errors import EmojifyError
from emojify.files import parse_json, write_atomically
from emojify.public import admin_only
from emojify.settings import ROOT

PROCESS, LOG = "process.json", "process.log"
INTERACTIVE_NICENESS = 10
"""On Linux that is a ninth of what an ordinary program gets."""


@admin_only
def start(arguments: Sequence[str], folder: Path, *, interactive: bool = False) -> None:
    """Run ``python -m emojify`` with ``arguments`` for ``folder``, which must exist, and return at once.

    It has a session of its own, so it goes on when the app ends, and gives way to everything else that wants the
    processor: live video comes first.

    Args:
        arguments: of the command line.
        folder: where it is recorded.
        interactive: for a minute's work at most that somebody waits for: it gets a small share of the processor
            even when all of it is wanted. Without it a check of FER-2013 took 155 s beside other work; alone, 28.

    Raises:
        OSError: if it can't be started or ``folder`` can't be written; then nothing runs.
    """
    command = [sys.executable, "-m", "emojify", *arguments]
    # NumPy's own threads wait for each other by spinning: beside live video, one does more than two.
    # Whoever may start it lets it do its work: it is no visitor, wherever this copy stands.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "EMOJIFY_PUBLIC": "0"}
    with (folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        process = psutil.Process(child.pid)
        _lower_priority(process, interactive)
        _record(process, arguments, folder)
    except BaseException:
        child.kill()
        child.wait()
        raise


def register(folder: Path) -> None:
    """Say that this very process works for ``folder``: one that was started in a terminal is then found as well.

    Raises:
        EmojifyError: if another one works there.
        OSError: if ``folder`` can't be written.
    """
    other = _find(folder)
    if other is not None and other.pid != os.getpid():
        raise EmojifyError(f"Process {other.pid} works on {folder} already. Wait until it ends, or stop it.")
    _record(psutil.Process(), sys.argv[1:], folder)


def started_at(folder: Path) -> float | None:
    """When the process that was started last for ``folder`` began, in seconds since 1970; None if none ever did."""
    try:
        return float(parse_json((folder / PROCESS).read_text(encoding="utf-8"))["born"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_running(folder: Path) -> bool:
    """Whether the process that was started last for ``folder`` still works."""
    return _find(folder) is not None


@admin_only
def stop(folder: Path) -> None:
    """Ask the process of ``folder`` to end in its own time. Does nothing if none runs."""
    process = _find(folder)
    if process is not None:
        process.send_signal(signal.SIGTERM)


@admin_only
def kill(folder: Path, timeout_s: float = 5.0) -> None:
    """End the process of ``folder`` and all that it started, now. Does nothing if none runs, or if it is this very one.

    Raises:
        psutil.TimeoutExpired: if it is still there after ``timeout_s``.
    """
    process = _find(folder)
    if process is None or process.pid == os.getpid():
        return
    for one in (*process.children(recursive=True), process):
        one.kill()
    deadline_s = time.monotonic() + timeout_s
    # Not process.wait(): another process' child that has ended stays until that one asks for its status.
    while _find(folder) is not None:
        if time.monotonic() > deadline_s:
            raise psutil.TimeoutExpired(timeout_s, process.pid)
        time.sleep(0.02)


def _find(folder: Path) -> psutil.Process | None:
    try:
        content = parse_json((folder / PROCESS).read_text(encoding="utf-8"))
        process = psutil.Process(int(content["pid"]))
        # Our own child that has ended stays as a zombie until somebody asks for its status.
        if _birth(process) != content["birth"] or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return process


def _record(process: psutil.Process, arguments: Sequence[str], folder: Path) -> None:
    content = {
        "pid": process.pid,
        "birth": _birth(process),
        "born": process.create_time(),
        "arguments": list(arguments),
    }
    write_atomically(folder / PROCESS, (json.dumps(content, indent=1) + "\n").encode())


def _birth(process: psutil.Process) -> str:
    """What tells it from every other one that has had or will have its number."""
    if not Path("/proc/self/stat").exists():
        return str(process.create_time())
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    # proc(5): the 22nd field is the start time; the second, the program's name, may hold anything but ends with ")".
    ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{boot} {ticks}"


def _lower_priority(process: psutil.Process, interactive: bool) -> None:
    """Run only while nobody else wants to, or almost; threads that it starts later inherit this."""
    if interactive:
        process.nice(max(INTERACTIVE_NICENESS, process.nice()))
    elif hasattr(os, "SCHED_IDLE"):  # Linux
        os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
        # Where Linux shares the processor out by session, a niceness counts within its session only, and ours has one
        # of its own: the session as a whole must give way. Not every system shares by session.
        with contextlib.suppress(OSError):
            Path(f"/proc/{process.pid}/autogroup").write_text("19")
    else:
        process.nice(19)
