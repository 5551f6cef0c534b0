"""Read what ``tests/browser/recorder`` wrote: the files, names and addresses that a process asked for."""

from __future__ import annotations

import ipaddress
import json
import socket
from pathlib import Path

import psutil

from emojify.settings import ROOT

RECORDER = ROOT / "tests" / "browser" / "recorder"


def heard(path: Path) -> set[tuple[str, str]]:
    """What was done, and towards whom."""
    return {tuple(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()}


def own_addresses() -> set[str]:
    addresses = [entry.address for entries in psutil.net_if_addrs().values() for entry in entries]
    return {address.split("%")[0] for address in addresses}


def is_here(host: str | None) -> bool:
    if host in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback or host in own_addresses()
    except ValueError:
        return False  # a name, which somebody would have to be asked about
