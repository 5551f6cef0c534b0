"""The firewall rules of docs/deploy.md, loaded by nft in a network namespace of its own (as root, on Linux)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from emojify.settings import ROOT

APP_USER = 4321
OTHER_USER = 4322
TURN = ("203.0.113.5", 3478)
BROWSERS = [("198.51.100.7", 40000), ("8.8.8.8", 1024), ("2001:db8::7", 40000)]
FORBIDDEN = [
    ("198.51.100.7", 53),
    ("2001:db8::7", 123),
    ("0.0.0.0", 40000),
    ("127.0.0.1", 40000),
    ("10.1.2.3", 40000),
    ("100.64.0.1", 40000),
    ("169.254.169.254", 40000),
    ("172.16.0.1", 40000),
    ("172.31.255.255", 40000),
    ("192.168.1.1", 40000),
    ("224.0.0.251", 5353),
    ("::1", 40000),
    ("fc00::1", 40000),
    ("fe80::1%lo", 40000),
    ("64:ff9b::a01:203", 40000),
]
SEND = """
import encodings.idna, os, socket, sys  # before setuid: that user may not read the interpreter's folder
os.setuid(int(sys.argv[1]))
for argument in sys.argv[2:]:
    host, port = argument.rsplit("-", 1)
    family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as sender:
        try:
            sender.sendto(b"binding request", address)
        except PermissionError:  # the kernel's answer to a packet that a rule drops
            print(argument)
"""


def documented_rules() -> str:
    """The rules in docs/deploy.md, for the user with the number APP_USER."""
    lines = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("    table inet emojify {")
    end = lines.index("    }", start)
    rules = textwrap.dedent("\n".join(lines[start : end + 1]))
    assert rules.count('"emojify"') == 1
    return rules.replace('"emojify"', str(APP_USER))


def dropped(folder: Path, user: int, targets: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The targets to which ``user`` can send no UDP packet, in a namespace in which every target is reachable."""
    (folder / "rules.nft").write_text(documented_rules(), encoding="utf-8")
    names = [f"{host}-{port}" for host, port in targets]
    commands = ["set -e", "ip link set lo up", "ip route add default dev lo", "ip -6 route add default dev lo"]
    commands += ["ip route add 224.0.0.0/4 dev lo", "nft -f rules.nft", 'exec "$@"']
    shell = ["unshare", "--net", "sh", "-c", "\n".join(commands), "sh"]
    result = subprocess.run(
        [*shell, sys.executable, "-c", SEND, str(user), *names], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return [target for target, name in zip(targets, names, strict=True) if name in result.stdout.splitlines()]


@pytest.fixture(autouse=True)
def needs_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/sbin:/sbin", prepend=":")
    missing = [program for program in ("nft", "ip", "unshare") if shutil.which(program) is None]
    if missing or subprocess.run(["unshare", "--net", "nft", "list", "ruleset"], capture_output=True).returncode:
        pytest.skip(f"needs root and {', '.join(missing) or 'network namespaces'}")


def test_app_reaches_browsers_and_turn_server_only(tmp_path: Path) -> None:
    assert dropped(tmp_path, APP_USER, [TURN, *BROWSERS, *FORBIDDEN]) == FORBIDDEN


def test_other_users_are_not_limited(tmp_path: Path) -> None:
    assert dropped(tmp_path, OTHER_USER, [TURN, *BROWSERS, *FORBIDDEN]) == []
