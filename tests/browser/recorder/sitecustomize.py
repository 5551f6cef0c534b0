"""Writes down whom a process talks to and which files and folders it makes or opens for writing.

Python runs this first where its folder is on PYTHONPATH.

An audit hook hears of a call before it is made, from whatever library; see Python's "Audit events table".
"""

import json
import os
import sys
from typing import Any

_SAYS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
_ASKS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_FILE = os.open(os.environ["EMOJIFY_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _SAYS and isinstance(arguments[1], tuple):  # a name stands for a socket within the machine
        _note(event, arguments[1][0])
    elif event in _ASKS:
        _note(event, arguments[0])
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        _note(event, os.fspath(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else "")
    elif event == "os.mkdir":  # what C libraries write, Python does not hear; the folder for it is made by Python
        _note("open", os.fspath(arguments[0]))


def _note(event: str, host: object) -> None:
    host = host.decode() if isinstance(host, bytes) else host
    os.write(_FILE, (json.dumps([event, host]) + "\n").encode())


sys.addaudithook(_hear)
# libuv sends without a word to Python; where there is no uvloop, the same app sends through Python's own sockets.
sys.modules["uvloop"] = None  # type: ignore[assignment]  # Python's own sign for "there is none"
