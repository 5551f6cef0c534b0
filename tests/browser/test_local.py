"""The app contacts no other machine, whatever its environment contains."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, expect
from websockets import InvalidStatus, Origin
from websockets.sync.client import connect

from tests.helpers.audit_log import AUDIT_HOOK, is_this_machine, read_audit_log
from tests.helpers.browser import TIMEOUT_MS, run_app, start

# Without explicit ICE servers streamlit-webrtc would send these to Hugging Face or Twilio, to get a TURN server.
CREDENTIALS = {"HF_TOKEN": "hf_secret", "TWILIO_ACCOUNT_SID": "AC00", "TWILIO_AUTH_TOKEN": "secret"}


@contextmanager
def peers_of(port: int) -> Iterator[set[str]]:
    """Collect the peers of all sockets of the app's processes, those of C libraries included, when the block ends."""
    peers: set[str] = set()
    yield peers
    for process in psutil.process_iter():
        try:
            ours = f"{port}" in process.cmdline()
            for one in [process, *process.children(recursive=True)] if ours else []:
                peers |= {connection.raddr.ip for connection in one.net_connections() if connection.raddr}
        except psutil.Error:
            continue


def test_live_video_contacts_only_this_machine(browser: Browser, tmp_path: Path) -> None:
    """Check also that it writes no file. The app has no home folder here."""
    record = tmp_path / "record.jsonl"
    hosts_of_page: set[str] = set()
    with run_app(PYTHONPATH=str(AUDIT_HOOK), EMOJIFY_RECORD=str(record), HOME="/proc/home", **CREDENTIALS) as url:
        context = browser.new_context()
        context.on("request", lambda request: hosts_of_page.add(urlsplit(request.url).hostname or ""))
        page = context.new_page()
        page.goto(url)
        with peers_of(urlsplit(url).port or 0) as peers:
            start(page)
            expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=TIMEOUT_MS)
        page.get_by_role("link", name="Emoji packs").click()
        expect(page.get_by_role("heading", name="Emoji packs")).to_be_visible(timeout=TIMEOUT_MS)
        context.close()
        with pytest.raises(
            InvalidStatus, match="403"
        ):  # a page of another site: Streamlit would look up this machine's address
            connect(f"{url.replace('http', 'ws')}/_stcore/stream", origin=Origin("https://elsewhere.example"))
    events = read_audit_log(record)
    assert "socket.sendto" in {event for event, _ in events}, "the log has no packet of the video"
    assert [one for one in sorted(events, key=str) if one[0] != "open" and not is_this_machine(one[1])] == []
    written = {path for event, path in events if event == "open"}
    assert [path for path in written if not path.startswith("/dev/") and "__pycache__" not in path] == []
    listening = {host for event, host in events if event == "socket.bind"}
    assert "localhost" in listening
    assert not {"", None} & listening, "the app listens on every network"
    assert peers
    assert [peer for peer in peers if not is_this_machine(peer)] == []
    assert hosts_of_page <= {"localhost", ""}


def test_audit_hook_logs_connections_and_files(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    code = "import socket\ntry: socket.create_connection(('stun.invalid', 1), 0.1)\nexcept OSError: pass\n"
    code += f"open({str(tmp_path / 'written')!r}, 'a')\n"
    code += "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('198.51.100.1', 9))"
    subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(AUDIT_HOOK), "EMOJIFY_RECORD": str(record)}, check=False
    )
    assert {one for one in read_audit_log(record) if not is_this_machine(one[1])} == {
        ("socket.getaddrinfo", "stun.invalid"),
        ("open", str(tmp_path / "written")),
        ("socket.connect", "198.51.100.1"),
    }
