"""Run operations in child processes that are killed half-way.

Read lines of JSON, ``{"root": folder, "operation": name, "steps": n, "max_bytes": n}``, and answer each with one of
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
from tests.helpers.failing_disk import DeadlyDisk, broken
from tests.helpers.workspace import OPERATIONS, Workspace

NEVER = 1_000_000_000


def do(root: Path, operation: str, steps: int, max_bytes: int) -> str:
    """What becomes of a operation whose process lives for ``steps`` changes, and for files of at most ``max_bytes``."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, _in_child(root, operation, steps, max_bytes).encode("utf-8", "replace"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else said


def _in_child(root: Path, operation: str, steps: int, max_bytes: int) -> str:
    # The system writes as much as fits and then kills, so a file is torn in the middle. No core beside it.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    os.fsync = lambda fd: None  # slow, and of use only where the power fails: the system keeps what a killed one wrote
    try:
        workspace = Workspace(root, None)
        with broken(DeadlyDisk(root, allowed=steps)):
            OPERATIONS[operation](workspace)
    except EmojifyError as error:
        return f"refused {error}"
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test must hear of it
        return f"failed {error!r}"
    return "done"


if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        print(do(Path(request["root"]), request["operation"], request["steps"], request["max_bytes"]), flush=True)
