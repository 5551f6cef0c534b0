"""A browser that no packet reaches directly gets its live video through a TURN server: a real coturn here."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.conftest import QUIET, free_port, installed, serve
from tests.browser.test_live import PATIENCE_MS, component_frame, start, wait_for_emoji

SECRET = "what coturn and the app both know"
# What a strict firewall does to a browser: no UDP at all, so no direct path to the app, which speaks nothing else.
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
KEEP_CONNECTIONS = """
    window.connections = [];
    window.RTCPeerConnection = class extends window.RTCPeerConnection {
        constructor(...given) { super(...given); window.connections.push(this); }
    };
"""
STATISTICS = """async () => [...(await window.connections.at(-1).getStats()).values()]"""


@dataclass(frozen=True)
class TurnServer:
    port: int
    log: Path

    @property
    def relayed(self) -> list[tuple[str, int]]:
        """For every session that has ended: the user, and how many packets went through it to peers."""
        lines = re.findall(r"peer usage: .*username=<([^>]*)>.*, sp=(\d+)", self.log.read_text(errors="replace"))
        return [(user, int(packets)) for user, packets in lines]


@pytest.fixture
def turn_server(tmp_path: Path) -> Iterator[TurnServer]:
    program = installed(("turnserver",), "coturn")
    port, log = free_port(), tmp_path / "coturn.log"
    options = {
        "listening-ip": "127.0.0.1", "listening-port": port, "relay-ip": "127.0.0.1", "realm": "emojify",
        "static-auth-secret": SECRET, "userdb": tmp_path / "turndb", "pidfile": tmp_path / "turnserver.pid",
    }  # fmt: skip
    switches = ["-n", "-v", "--use-auth-secret", "--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout"]
    with log.open("wb") as output:
        command = [program, *switches, *(f"--{name}={value}" for name, value in options.items())]
        server = subprocess.Popen(command, stdout=output, stderr=output, cwd=tmp_path)
    try:
        wait_for_port(port, server)
        yield TurnServer(port, log)
    finally:
        server.terminate()
        server.wait(20)


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert server.poll() is None, "the server stopped while starting"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"nothing answers on port {port}")


@pytest.fixture
def behind_a_firewall(playwright: Playwright, chromium: str, camera_file: Path) -> Iterator[Browser]:
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    arguments = [*QUIET, *fake, f"--use-file-for-fake-video-capture={camera_file}", NO_UDP]
    browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
    yield browser
    browser.close()


def statistics(page: Page, kind: str) -> list[dict[str, object]]:
    return [entry for entry in component_frame(page).evaluate(STATISTICS) if entry["type"] == kind]


def test_live_video_comes_through_a_turn_server_where_no_direct_path_is_open(
    behind_a_firewall: Browser, turn_server: TurnServer, camera_file: Path
) -> None:
    servers = [{"urls": f"turn:127.0.0.1:{turn_server.port}?transport=tcp", "secret": SECRET}]
    with serve(EMOJIFY_ICE_SERVERS=json.dumps(servers)) as url:
        page = behind_a_firewall.new_page()
        page.add_init_script(KEEP_CONNECTIONS)
        page.goto(url)
        start(page)
        wait_for_emoji(page, "classic", camera_file)
        expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=PATIENCE_MS)
        here = {entry["id"]: entry for entry in statistics(page, "local-candidate")}
        (transport,) = statistics(page, "transport")
        pairs = {entry["id"]: entry for entry in statistics(page, "candidate-pair")}
        chosen = here[pairs[transport["selectedCandidatePairId"]]["localCandidateId"]]
        assert (chosen["candidateType"], chosen["relayProtocol"]) == ("relay", "tcp")
        direct = [one for one in here.values() if one["candidateType"] != "relay" and one["protocol"] == "udp"]
        assert not direct, "a direct path was open: this test proves nothing"
        page.close()
        (user, *_), *_ = waited_for(turn_server)
    assert re.fullmatch(r"\d{10}:emojify", user)


def waited_for(turn_server: TurnServer) -> list[tuple[str, int]]:
    """The sessions that carried video, once coturn has written them down."""
    for _ in range(100):
        if many := [one for one in turn_server.relayed if one[1] > 50]:
            return many
        time.sleep(0.1)
    pytest.fail("coturn relayed nothing: " + turn_server.log.read_text(errors="replace")[-2000:])
