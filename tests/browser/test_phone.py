"""What ``python -m emojify phone`` starts, visited over HTTPS as a phone would."""

from __future__ import annotations

import signal
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import parse_uri

from emojify.phone import CERTIFICATE
from tests.helpers.audit_log import AUDIT_HOOK, is_this_machine, read_audit_log
from tests.helpers.browser import START_TIMEOUT_S, TIMEOUT_MS, free_port, start
from tests.helpers.programs import Program, end, run_in_terminal


def test_one_command_serves_a_phone_live_video_over_https_and_ends_with_ctrl_c(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port("0.0.0.0")
    record = tmp_path / "record.jsonl"
    arguments = ("-m", "emojify", "phone", "--address", "127.0.0.1", "--port", str(port))
    environment = {"EMOJIFY_DATA": str(tmp_path), "EMOJIFY_RECORD": str(record), "PYTHONPATH": str(AUDIT_HOOK)}
    with run_in_terminal(tmp_path, *arguments, **environment) as app:
        wait_for(f"https://127.0.0.1:{port}/_stcore/health", tmp_path / CERTIFICATE, app)
        context = browser.new_context(viewport={"width": 390, "height": 844}, ignore_https_errors=True)
        with closing(context):
            page = context.new_page()
            page.goto(f"https://127.0.0.1:{port}")
            start(page)
            expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=TIMEOUT_MS)
        with sleeping_phone(port, leaves=True), sleeping_phone(port, leaves=False):
            end(app.process, signal.SIGINT)
    assert app.process.returncode == 0
    assert f"On the phone, open  https://127.0.0.1:{port}\n" in app.output
    assert "Everyone in this network can now do all that you can do" in app.output
    assert "Traceback" not in app.errors
    asked = {(event, host) for event, host in read_audit_log(record) if event not in ("open", "socket.bind")}
    assert asked
    assert [one for one in sorted(asked, key=str) if not is_this_machine(one[1])] == []


@contextmanager
def sleeping_phone(port: int, leaves: bool) -> Iterator[None]:
    """A browser whose phone went to sleep with the line open, before or after it had said goodbye."""
    protocol = ClientProtocol(parse_uri(f"wss://127.0.0.1:{port}/_stcore/stream"))
    unverified = ssl._create_unverified_context()
    with unverified.wrap_socket(socket.create_connection(("127.0.0.1", port), 10)) as line:
        protocol.send_request(protocol.connect())
        line.sendall(b"".join(protocol.data_to_send()))
        while protocol.state is State.CONNECTING:
            protocol.receive_data(line.recv(65536))
        if leaves:
            protocol.send_close(1001)
            line.sendall(b"".join(protocol.data_to_send()))
            while protocol.close_rcvd is None:
                protocol.receive_data(line.recv(65536))
        yield


def wait_for(url: str, certificate: Path, app: Program) -> None:
    """Until it answers to somebody who trusts this certificate, and checks that it is for this address."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        assert app.process.poll() is None, app.errors
        assert time.monotonic() < deadline
        try:
            trusting = ssl.create_default_context(cafile=str(certificate))
            with urllib.request.urlopen(url, timeout=2, context=trusting):
                return
        except ssl.SSLError:
            raise
        except OSError:  # not there yet, the certificate included
            time.sleep(0.2)
