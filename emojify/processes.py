"""Background processes that outlive the app: ``python -m emojify ...``, found again by their folder.

    <folder>/process.json   the process that works for this folder: id, start time, arguments
    <folder>/process.log    everything that it prints; later processes of the same folder append to it

A process id alone does not identify a process, because the system reuses ids. An id and a start time together do.
On Linux the start time is counted in ticks since the machine started, so setting the clock does not change it. The
state of a folder can therefore be read after a reload, from another browser, or after a restart of the app.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from emojify.errors import EmojifyError
from emojify.files import read_json, write_json
from emojify.public import admin_only
from emojify.settings import ROOT

PROCESS, LOG = "process.json", "process.log"
INTERACTIVE_NICENESS = 10
"""On Linux a process with this niceness gets a ninth of the processor time of an ordinary one."""


@admin_only
def start(arguments: Sequence[str], folder: Path, *, interactive: bool = False) -> None:
    """Start ``python -m emojify`` with ``arguments`` and return at once.

    The process has its own session, so it continues when the app ends. It yields the processor to everything else,
    above all to live video.

    Args:
        arguments: of the command line.
        folder: an existing folder, in which the process is recorded.
        interactive: True for work of at most a minute that a user waits for. It gets a small share of the processor
            even if other processes want all of it. Without it, a check of FER-2013 took 155 s next to other work;
            alone, 28.

    Raises:
        OSError: if the process can't be started or ``folder`` can't be written. No process is left running.
    """
    command = [sys.executable, "-m", "emojify", *arguments]
    # NumPy's threads wait for each other by spinning: next to live video, one thread is faster than two.
    # The caller has been checked by admin_only, so the process itself is no visitor even if this copy is public.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "EMOJIFY_PUBLIC": "0"}
    with (folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        process = psutil.Process(child.pid)
        _lower_priority(process, interactive)
        _write_record(process, arguments, folder)
    except BaseException:
        child.kill()
        child.wait()
        raise


def register(folder: Path) -> None:
    """Record this process as the one that works for ``folder``, so that the app also finds work started in a terminal.

    Raises:
        EmojifyError: if another process works for ``folder``.
        OSError: if ``folder`` can't be written.
    """
    other = _find(folder)
    if other is not None and other.pid != os.getpid():
        raise EmojifyError(f"Process {other.pid} works on {folder} already. Wait until it ends, or stop it.")
    _write_record(psutil.Process(), sys.argv[1:], folder)


def started_at(folder: Path) -> float | None:
    """Return when the last process of ``folder`` started, in seconds since 1970; None if it never had one."""
    try:
        return float(read_json(folder / PROCESS)["born"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_running(folder: Path) -> bool:
    """Return True if the last process of ``folder`` still runs."""
    return _find(folder) is not None


@admin_only
def stop(folder: Path) -> None:
    """Ask the process of ``folder`` to end (SIGTERM). Does nothing if none runs."""
    process = _find(folder)
    if process is not None:
        process.send_signal(signal.SIGTERM)


@admin_only
def kill(folder: Path, timeout_s: float = 5.0) -> None:
    """Kill the process of ``folder`` and all of its children. Does nothing if none runs, or if it is this process.

    Raises:
        psutil.TimeoutExpired: if the process still exists after ``timeout_s`` seconds.
    """
    process = _find(folder)
    if process is None or process.pid == os.getpid():
        return
    for one in (*process.children(recursive=True), process):
        one.kill()
    deadline_s = time.monotonic() + timeout_s
    # Not process.wait(): the child of another process stays as a zombie until that process asks for its status.
    while _find(folder) is not None:
        if time.monotonic() > deadline_s:
            raise psutil.TimeoutExpired(timeout_s, process.pid)
        time.sleep(0.02)


def _find(folder: Path) -> psutil.Process | None:
    """Return the process that is recorded in ``folder``, if it still runs."""
    try:
        content = read_json(folder / PROCESS)
        process = psutil.Process(int(content["pid"]))
        # A child of this process that has ended stays as a zombie until its status is asked for.
        if _start_mark(process) != content["birth"] or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return process


def _write_record(process: psutil.Process, arguments: Sequence[str], folder: Path) -> None:
    content = {
        "pid": process.pid,
        "birth": _start_mark(process),
        "born": process.create_time(),
        "arguments": list(arguments),
    }
    write_json(folder / PROCESS, content)


def _start_mark(process: psutil.Process) -> str:
    """Return a text that differs between all processes that ever have the same id."""
    if not Path("/proc/self/stat").exists():
        return str(process.create_time())
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    # proc(5): the start time is field 22. Field 2, the program's name, may hold any character and ends with ")".
    ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{boot} {ticks}"


def _lower_priority(process: psutil.Process, interactive: bool) -> None:
    """Give a process little processor time, or none unless the processor is idle. Its later threads inherit this."""
    if interactive:
        process.nice(max(INTERACTIVE_NICENESS, process.nice()))
    elif hasattr(os, "SCHED_IDLE"):  # Linux
        os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
        # Some Linux systems share the processor between sessions. A niceness then counts within its session only, so
        # the session of the process must have a low priority as a whole. Other systems lack this file.
        with contextlib.suppress(OSError):
            Path(f"/proc/{process.pid}/autogroup").write_text("19")
    elif sys.platform == "win32":
        process.nice(psutil.IDLE_PRIORITY_CLASS)
    else:
        process.nice(19)
