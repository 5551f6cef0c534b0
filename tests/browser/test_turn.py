"""A browser without UDP gets its live video through coturn with docs/turnserver.conf."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint
from playwright.sync_api import Browser, Page, Playwright, expect

from emojify.live.connection import DAY_S, rtc_configuration
from emojify.settings import ROOT, Settings
from tests.helpers.browser import (
    TIMEOUT_MS,
    component_frame,
    find_program,
    free_port,
    launch_chromium,
    run_app,
    skip_or_fail,
    start,
    wait_for_emoji,
)
from tests.helpers.event_loop import run
from tests.helpers.programs import end

SECRET = "the secret of coturn and the app"
# A strict firewall blocks UDP, so the browser has no direct path to the app.
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
EXPOSE_CONNECTIONS = """
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
        """User and number of packets sent to peers, for every session that has ended."""
        lines = re.findall(r"peer usage: .*username=<([^>]*)>.*, sp=(\d+)", self.log.read_text(errors="replace"))
        return [(user, int(packets)) for user, packets in lines]


def own_address() -> str:
    """Return an address of this machine in its network; aioice does not offer 127.0.0.1 to browsers."""
    addresses = [entry.address for entries in psutil.net_if_addrs().values() for entry in entries if entry.family == 2]
    others = [address for address in addresses if not address.startswith("127.")]
    if not others:
        skip_or_fail("this machine has no network address that a browser could use")
    return others[0]


def documented_configuration(port: int, relay: str, app: str) -> str:
    """Return docs/turnserver.conf with the test's addresses and secret."""
    text = (ROOT / "docs" / "turnserver.conf").read_text()
    for documented, tested in (
        ("listening-ip=203.0.113.5", "listening-ip=127.0.0.1"),
        ("relay-ip=203.0.113.5", f"relay-ip={relay}"),
        ("listening-port=3478", f"listening-port={port}"),
        ("allowed-peer-ip=203.0.113.4", f"allowed-peer-ip={app}"),
        ("static-auth-secret=a long and random text", f"static-auth-secret={SECRET}"),
    ):
        assert text.count(f"\n{documented}\n") == 1
        text = text.replace(documented, tested)
    return text


@contextmanager
def coturn(folder: Path, relay: str, app: str, *more: str) -> Iterator[TurnServer]:
    """Run a TURN server that relays to ``app`` only, from its own address ``relay``."""
    program = find_program(("turnserver",), "coturn")
    port, log = free_port(), folder / "coturn.log"
    (folder / "turnserver.conf").write_text(documented_configuration(port, relay, app))
    files = [f"--userdb={folder / 'turndb'}", f"--pidfile={folder / 'turnserver.pid'}", "--log-file=stdout"]
    with log.open("wb") as output:
        command = [program, "-v", "-c", str(folder / "turnserver.conf"), *files, *more]
        server = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        wait_for_port(port, server)
        yield TurnServer(port, log)
    finally:
        end(server)


@pytest.fixture
def turn_server(tmp_path: Path) -> Iterator[TurnServer]:
    with coturn(tmp_path, relay=own_address(), app=own_address()) as server:
        yield server


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
def browser_without_udp(playwright: Playwright, chromium: str, camera_file: Path) -> Iterator[Browser]:
    with launch_chromium(playwright, chromium, camera_file, NO_UDP) as browser:
        yield browser


def statistics(page: Page, kind: str) -> list[dict[str, object]]:
    return [entry for entry in component_frame(page).evaluate(STATISTICS) if entry["type"] == kind]


def test_live_video_arrives_through_turn(
    browser_without_udp: Browser, turn_server: TurnServer, camera_file: Path
) -> None:
    expect_live_video(browser_without_udp, turn_server, camera_file, "tcp")
    users = [user for user, _ in wait_for_relayed(turn_server)]  # the browser's and, on a slow machine, the app's
    assert all(re.fullmatch(r"\d{10}:emojify", user) for user in users)


def test_unreachable_app_meets_browser_at_turn(browser_without_udp: Browser, tmp_path: Path, camera_file: Path) -> None:
    """As in a cloud: coturn does not relay to the app's address, only between two of its own relays."""
    with coturn(tmp_path, "127.0.0.1", "127.0.0.1", "--allow-loopback-peers") as turn_server:
        # The app uses the first server, the browser the one that its firewall allows.
        there = expect_live_video(browser_without_udp, turn_server, camera_file, "udp", "tcp")
        assert there == ("relay", "127.0.0.1")


def expect_live_video(
    browser: Browser, turn_server: TurnServer, camera_file: Path, *transports: str
) -> tuple[object, object]:
    """Expect live video through the TURN server; return the type and address of the app's candidate."""
    urls = [f"turn:127.0.0.1:{turn_server.port}?transport={transport}" for transport in transports]
    with run_app(EMOJIFY_ICE_SERVERS=json.dumps([{"urls": urls, "secret": SECRET}])) as url:
        page = browser.new_page()
        page.add_init_script(EXPOSE_CONNECTIONS)
        page.goto(url)
        start(page)
        wait_for_emoji(page, "classic", camera_file)
        expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=TIMEOUT_MS)
        here = {entry["id"]: entry for entry in statistics(page, "local-candidate")}
        (transport,) = statistics(page, "transport")
        pairs = {entry["id"]: entry for entry in statistics(page, "candidate-pair")}
        chosen = here[pairs[transport["selectedCandidatePairId"]]["localCandidateId"]]
        assert (chosen["candidateType"], chosen["relayProtocol"]) == ("relay", "tcp")
        direct = [one for one in here.values() if one["candidateType"] != "relay" and one["protocol"] == "udp"]
        assert not direct, "the browser had a direct path"
        remote = {entry["id"]: entry for entry in statistics(page, "remote-candidate")}
        there = remote[pairs[transport["selectedCandidatePairId"]]["remoteCandidateId"]]
        page.close()
    return there["candidateType"], there["address"]


def wait_for_relayed(turn_server: TurnServer) -> list[tuple[str, int]]:
    """Return the sessions that carried video, once coturn has logged one."""
    for _ in range(100):
        if many := [one for one in turn_server.relayed if one[1] > 20]:
            return many
        time.sleep(0.1)
    pytest.fail("coturn relayed nothing: " + turn_server.log.read_text(errors="replace")[-3000:])


# ---- attacks with a visitor's credential ----


class Sender(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.refused: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def error_received(self, exc: Exception) -> None:
        self.refused.set_result(exc)


class Listener(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received.set_result(data)


async def send_through(server: TurnServer, username: str, credential: str, peer: str) -> bytes | Exception:
    """Send a datagram to this machine's address ``peer`` through the server; return its data, or the refusal."""
    loop = asyncio.get_running_loop()
    listening, listener = await loop.create_datagram_endpoint(Listener, ("0.0.0.0", 0))
    relay, sender = await create_turn_endpoint(Sender, ("127.0.0.1", server.port), username, credential)
    relay.sendto(b"hello", (peer, listening.get_extra_info("sockname")[1]))
    outcomes: list[asyncio.Future[Any]] = [listener.received, sender.refused]
    done, _ = await asyncio.wait(outcomes, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    relay.close()
    listening.close()
    outcome: bytes | Exception = done.pop().result() if done else b""
    return outcome


def credential_of(secret: str, now_s: float | None = None) -> tuple[str, str]:
    settings = Settings(ice_servers=({"urls": "turn:127.0.0.1", "secret": secret},))
    (server,) = rtc_configuration(settings, now_s)["iceServers"]
    return server["username"], server["credential"]


def test_visitor_credential_reaches_only_the_app(turn_server: TurnServer) -> None:
    assert run(send_through(turn_server, *credential_of(SECRET), own_address())) == b"hello"
    # The last two are documentation addresses (RFC 5737); coturn always refuses the first two.
    for peer in ("127.0.0.1", "127.0.0.2", "198.51.100.1", "203.0.113.5"):
        with pytest.raises(TransactionFailed, match="403"):
            raise to_error(run(send_through(turn_server, *credential_of(SECRET), peer)))


@pytest.mark.parametrize(
    "credential",
    [credential_of("another secret"), credential_of(SECRET, time.time() - 3 * DAY_S), ("emojify", SECRET)],
    ids=["another secret", "three days old", "the secret itself"],
)
def test_other_credentials_are_refused(turn_server: TurnServer, credential: tuple[str, str]) -> None:
    with pytest.raises(TransactionFailed, match="401"):
        run(send_through(turn_server, *credential, own_address()))


def to_error(outcome: bytes | Exception) -> Exception:
    return outcome if isinstance(outcome, Exception) else AssertionError(f"{outcome!r} was received")
