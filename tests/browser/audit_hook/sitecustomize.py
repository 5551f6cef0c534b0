"""Log the addresses that a process connects to and the files and folders that it opens for writing.

Python runs this module at start if its folder is on PYTHONPATH. An audit hook is called before the action, whichever
library it comes from; Python's documentation has the "Audit events table".
"""

import json
import os
import sys
from typing import Any

_ADDRESS_EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
_NAME_EVENTS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_FILE = os.open(os.environ["EMOJIFY_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _log_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _ADDRESS_EVENTS and isinstance(arguments[1], tuple):  # a str is the path of a socket on this machine
        _write(event, arguments[1][0])
    elif event in _NAME_EVENTS:
        _write(event, arguments[0])
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        _write(event, os.fspath(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else "")
    elif event == "os.mkdir":  # files of C libraries raise no event, but Python makes their folders
        _write("open", os.fspath(arguments[0]))


def _write(event: str, host: object) -> None:
    host = host.decode() if isinstance(host, bytes) else host
    os.write(_FILE, (json.dumps([event, host]) + "\n").encode())


sys.addaudithook(_log_event)
# libuv sends without an audit event. Without uvloop the app sends through Python's own sockets.
sys.modules["uvloop"] = None  # type: ignore[assignment]  # makes its import fail
