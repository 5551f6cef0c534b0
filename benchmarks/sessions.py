"""Measure several visitors with live video at once. Print figures; assert nothing.

    python -m benchmarks.sessions [--sessions 4] [--seconds 10] [--closes 0] [--json]

The visitors are processes that speak Streamlit's protocol and WebRTC (:mod:`tests.helpers.webrtc_client`): browsers
would use more of this machine than the app, and normally run elsewhere. The first visitor decodes the received frames
and reads their numbers. Meanwhile two new visitors open the page: a client that loads all files as a browser does, and
a Chromium on the same cores.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import sync_playwright

from benchmarks.live import DISCONNECT_TIMEOUT_S, resident_mb, run_measured_app, threads
from tests.helpers.browser import CHROMIUM_NAMES, TIMEOUT_MS, component
from tests.helpers.cameras import number_of, write_numbered_camera
from tests.helpers.webrtc_client import VideoFigures, encode, visit

SETTLE_S = 8
# Streamlit keeps up to 128 lost sessions for two minutes; the next visitor after that ends them.
SESSION_CACHE_S = 130
SPARE_SESSIONS = 24  # the limiter releases a session ten seconds after its last frame
TIMEOUT_S = 60


class Visitor:
    """A client of the app in a process of its own."""

    def __init__(self, url: str, pictures: list[bytes], decodes: bool = False) -> None:
        self._pipe, other = multiprocessing.Pipe()
        context = multiprocessing.get_context("forkserver")
        arguments: tuple[Connection, str, list[bytes], Any] = (other, url, pictures, number_of if decodes else None)
        self.process: BaseProcess = context.Process(target=visit, args=arguments, daemon=True)
        self.process.start()
        self.opened_s: float = self.receive()

    def receive(self, after_s: float = 0) -> Any:
        if not self._pipe.poll(after_s + TIMEOUT_S):
            raise SystemExit("A visitor did not answer within a minute.")
        return self._pipe.recv()

    def send(self, command: str | float | None) -> None:
        self._pipe.send(command)

    def start(self) -> float:
        """Press Start and return the seconds until the first frame."""
        self.send("start")
        return float(self.receive())

    def leave(self) -> None:
        self.send(None)
        self.process.join(TIMEOUT_S)


def open_in_browser_s(url: str) -> dict[str, float]:
    """Return the seconds until a running browser shows the heading, and until Start can be pressed."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto("about:blank")
        began_s = time.monotonic()
        page.goto(url)
        page.get_by_role("heading", name="Emojify").wait_for(timeout=TIMEOUT_MS)
        heading_s = time.monotonic() - began_s
        component(page).get_by_role("button", name="Start").wait_for(timeout=TIMEOUT_MS)
        start_s = time.monotonic() - began_s
        browser.close()
    return {"heading": round(heading_s, 2), "Start can be pressed": round(start_s, 2)}


def measure(sessions: int, seconds: float, closes: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, run_measured_app(sessions + SPARE_SESSIONS) as (url, server):
        write_numbered_camera(Path(folder) / "camera.y4m")
        pictures = encode(Path(folder) / "camera.y4m")
        visitors = [Visitor(url, pictures, decodes=number == 0) for number in range(sessions)]
        begins_s = [visitor.start() for visitor in visitors]
        time.sleep(SETTLE_S)
        app, others = psutil.Process(server.pid), [psutil.Process(one.process.pid) for one in visitors]
        before = [sum(one.cpu_times()[:2]) for one in (app, *others)]
        began_s, looks = time.monotonic(), []
        for _ in range(2):
            for visitor in visitors:
                visitor.send(seconds)
            looks.append([visitor.receive(seconds) for visitor in visitors])
        elapsed_s = time.monotonic() - began_s
        after = [sum(one.cpu_times()[:2]) for one in (app, *others)]
        cores = [(late - early) / elapsed_s for early, late in zip(before, after, strict=True)]
        memory_mb = resident_mb(server)
        new_visitor = Visitor(url, pictures)
        browser_s = open_in_browser_s(url)
        for visitor in [new_visitor, *visitors]:
            visitor.leave()
        closed = close_abruptly(url, pictures, server, closes) if closes else {}
    return {
        "frames_sent_per_s": _rates(looks, "sent_per_s"),
        "frames_received_per_s": _rates(looks, "received_per_s"),
        "delay_ms": [_p50_and_p90(look[0].delays_ms) for look in looks],
        "page_opened_s": [round(visitor.opened_s, 2) for visitor in visitors],
        "start_to_first_frame_s": [round(value, 2) for value in begins_s],
        "new_visitor_s": {"whole page sent": round(new_visitor.opened_s, 2), **browser_s},
        "cores": {"app": round(cores[0], 2), "visitors": round(sum(cores[1:]), 2)},
        "resident_mb": round(memory_mb),
        "closed_abruptly": closed,
    }


def _rates(looks: list[list[VideoFigures]], name: str) -> list[list[float]]:
    return [[round(getattr(looked, name), 1) for looked in look] for look in looks]


def _p50_and_p90(values: list[float]) -> list[int]:
    return [round(statistics.median(values)), round(statistics.quantiles(values, n=10)[-1])]


def close_abruptly(url: str, pictures: list[bytes], server: subprocess.Popen[bytes], closes: int) -> dict[str, Any]:
    """Kill visitors with live video, one after the other; return the app's memory and threads."""
    time.sleep(DISCONNECT_TIMEOUT_S)
    held = [(round(resident_mb(server)), threads(server))]
    for number in range(closes):
        visitor = Visitor(url, pictures)
        visitor.start()
        if number % 20 == 0:
            print(f"{number} closed", file=sys.stderr, flush=True)
        visitor.process.kill()
        visitor.process.join(TIMEOUT_S)
    held.append((round(resident_mb(server)), threads(server)))
    time.sleep(SESSION_CACHE_S)
    # This visitor gets live video only if the limiter has released the killed ones, more than SPARE_SESSIONS of them.
    last = Visitor(url, pictures)
    last.start()
    last.leave()
    time.sleep(DISCONNECT_TIMEOUT_S)
    held.append((round(resident_mb(server)), threads(server)))
    return {"closed": closes, "resident_mb_and_threads": held}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10, help="length of each of the two measurements")
    parser.add_argument("--closes", type=int, default=0, help="then kill so many visitors")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.sessions, options.seconds, options.closes)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
