"""Kills its process, as ``kill -9`` does, right before one of its changes below a folder.

Python runs this first where its folder is on PYTHONPATH. ``EMOJIFY_DIES_BELOW`` is the folder, ``EMOJIFY_DIES_AFTER``
how many changes it lives for.
"""

import os
import signal
import sys
from typing import Any

_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.chmod")
_BELOW = os.environ["EMOJIFY_DIES_BELOW"]
_left = int(os.environ["EMOJIFY_DIES_AFTER"])


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    global _left
    if event in _CHANGES and os.fspath(arguments[0]).startswith(_BELOW):
        _left -= 1
        if _left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(_hear)
