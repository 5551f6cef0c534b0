"""Run operations in child processes that are killed half-way.

Read lines of JSON, ``{"root": folder, "operation": name, "changes": n, "max_bytes": n}``, and answer each with one of
``done``, ``killed``, ``refused <sentence>`` or ``failed <exception>``. The children are forked: starting a new
interpreter for each of some hundred kills would take a second each.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path

from emojify.errors import EmojifyError
from tests.helpers.failing_disk import KillingDisk, failing
from tests.helpers.operations import OPERATIONS
from tests.helpers.workspace import Workspace

NEVER = 1_000_000_000


def run_in_child(root: Path, operation: str, changes: int, max_bytes: int) -> str:
    """Return the outcome of an operation in a process that is killed after some changes, or at a file's size limit."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, _run(root, operation, changes, max_bytes).encode("utf-8", "replace"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        outcome = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else outcome


def _run(root: Path, operation: str, changes: int, max_bytes: int) -> str:
    # At the size limit the system writes what fits and then kills the process: the file ends in the middle.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    os.fsync = lambda fd: None  # slow, and needed only for power failures: written data survives a killed process
    try:
        workspace = Workspace(root, None)
        with failing(KillingDisk(root, allowed=changes)):
            OPERATIONS[operation].run(workspace)
    except EmojifyError as error:
        return f"refused {error}"
    except BaseException as error:  # noqa: BLE001 - the test must see every exception
        return f"failed {error!r}"
    return "done"


if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        arguments = request["operation"], request["changes"], request["max_bytes"]
        print(run_in_child(Path(request["root"]), *arguments), flush=True)
