"""``emojify phone``, opened over HTTPS as a phone does."""

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


def test_phone_command_serves_https_and_ends_on_ctrl_c(browser: Browser, tmp_path: Path) -> None:
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
    contacted = {(event, host) for event, host in read_audit_log(record) if event not in ("open", "socket.bind")}
    assert contacted
    assert [one for one in sorted(contacted, key=str) if not is_this_machine(one[1])] == []


@contextmanager
def sleeping_phone(port: int, leaves: bool) -> Iterator[None]:
    """Hold the connection of a sleeping phone, which sent a close frame before if it ``leaves``."""
    protocol = ClientProtocol(parse_uri(f"wss://127.0.0.1:{port}/_stcore/stream"))
    unverified = ssl._create_unverified_context()
    with unverified.wrap_socket(socket.create_connection(("127.0.0.1", port), 10)) as connection:
        protocol.send_request(protocol.connect())
        connection.sendall(b"".join(protocol.data_to_send()))
        while protocol.state is State.CONNECTING:
            protocol.receive_data(connection.recv(65536))
        if leaves:
            protocol.send_close(1001)
            connection.sendall(b"".join(protocol.data_to_send()))
            while protocol.close_rcvd is None:
                protocol.receive_data(connection.recv(65536))
        yield


def wait_for(url: str, certificate: Path, app: Program) -> None:
    """Wait until the app responds with this certificate, made for this address."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        assert app.process.poll() is None, app.errors
        assert time.monotonic() < deadline
        try:
            context = ssl.create_default_context(cafile=str(certificate))
            with urllib.request.urlopen(url, timeout=2, context=context):
                return
        except ssl.SSLError:
            raise
        except OSError:  # the app or the certificate is not there yet
            time.sleep(0.2)
