"""Kill the process with SIGKILL before one of its changes below a folder.

Python runs this module at start if its folder is on PYTHONPATH. ``EMOJIFY_KILL_FOLDER`` is the folder,
``EMOJIFY_KILL_AFTER`` the number of changes before the kill.
"""

import os
import signal
import sys
from typing import Any

_CHANGE_EVENTS = ("os.mkdir", "os.rename", "os.remove", "os.chmod")
_FOLDER = os.environ["EMOJIFY_KILL_FOLDER"]
_left = int(os.environ["EMOJIFY_KILL_AFTER"])


def _count_change(event: str, arguments: tuple[Any, ...]) -> None:
    global _left
    writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
    changes = writes or event in _CHANGE_EVENTS
    if changes and isinstance(arguments[0], str | os.PathLike) and os.fspath(arguments[0]).startswith(_FOLDER):
        _left -= 1
        if _left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(_count_change)
