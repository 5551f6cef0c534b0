"""Read the log of ``tests/browser/audit_hook``: the files, host names and addresses that a process used."""

from __future__ import annotations

import ipaddress
import json
import socket
from pathlib import Path

import psutil

from emojify.settings import ROOT

AUDIT_HOOK = ROOT / "tests" / "browser" / "audit_hook"


def read_audit_log(path: Path) -> set[tuple[str, str]]:
    """Return the logged events, each with its file, host name or address."""
    return {tuple(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()}


def local_addresses() -> set[str]:
    addresses = [entry.address for entries in psutil.net_if_addrs().values() for entry in entries]
    return {address.split("%")[0] for address in addresses}


def is_this_machine(host: str | None) -> bool:
    if host in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback or host in local_addresses()
    except ValueError:
        return False  # a host name, which a name server would have to resolve
