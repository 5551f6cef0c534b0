"""Measures several visitors with live video at once. Prints figures; asserts nothing.

    python -m benchmarks.sessions [--sessions 4] [--seconds 10] [--closes 0] [--json]

The visitors are processes that speak Streamlit's protocol and WebRTC, see
:mod:`tests.helpers.webrtc_client`: browsers would take
more of this machine than the app does, and in life they are on other ones. The first visitor decodes what comes back
and reads each picture's number. Meanwhile two newcomers open the page: one of their kind, who gets all that a browser
would load, and one in a real Chromium, which has to work for it on the same cores.
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

from benchmarks.live import DISCONNECT_TIMEOUT_S, component, resident_mb, run_app_on_port, threads
from tests.helpers.browser import TIMEOUT_MS
from tests.helpers.cameras import number_of, write_numbered_camera
from tests.helpers.webrtc_client import VideoFigures, encode, visit

SETTLE_S = 8
KEPT_S = (
    130  # Streamlit keeps what a lost visitor had for two minutes, at most 128 visitors'; then the next one ends it
)
SPARE_SEATS = 24  # a seat is free ten seconds after its last frame
TIMEOUT_S = 60


class Visitor:
    """A process of its own that visits the app."""

    def __init__(self, url: str, pictures: list[bytes], looks: bool = False) -> None:
        self._pipe, other = multiprocessing.Pipe()
        context = multiprocessing.get_context("forkserver")
        arguments: tuple[Connection, str, list[bytes], Any] = (other, url, pictures, number_of if looks else None)
        self.process: BaseProcess = context.Process(target=visit, args=arguments, daemon=True)
        self.process.start()
        self.opened_s: float = self.hear()

    def hear(self, after_s: float = 0) -> Any:
        if not self._pipe.poll(after_s + TIMEOUT_S):
            raise SystemExit("A visitor got no answer in a minute.")
        return self._pipe.recv()

    def say(self, wish: str | float | None) -> None:
        self._pipe.send(wish)

    def start(self) -> float:
        """Seconds from Start to the first picture."""
        self.say("start")
        return float(self.hear())

    def leave(self) -> None:
        self.say(None)
        self.process.join(TIMEOUT_S)


def newcomer_in_browser_s(url: str) -> dict[str, float]:
    """Seconds until a browser that was started before shows the heading, and a Start button that can be pressed."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
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
    with tempfile.TemporaryDirectory() as folder, run_app_on_port(seats=sessions + SPARE_SEATS) as (url, server):
        write_numbered_camera(Path(folder) / "camera.y4m")
        pictures = encode(Path(folder) / "camera.y4m")
        visitors = [Visitor(url, pictures, looks=number == 0) for number in range(sessions)]
        begins_s = [visitor.start() for visitor in visitors]
        time.sleep(SETTLE_S)
        app, others = psutil.Process(server.pid), [psutil.Process(one.process.pid) for one in visitors]
        before = [sum(one.cpu_times()[:2]) for one in (app, *others)]
        began_s, looks = time.monotonic(), []
        for _ in range(2):
            for visitor in visitors:
                visitor.say(seconds)
            looks.append([visitor.hear(seconds) for visitor in visitors])
        elapsed_s = time.monotonic() - began_s
        after = [sum(one.cpu_times()[:2]) for one in (app, *others)]
        cores = [(late - early) / elapsed_s for early, late in zip(before, after, strict=True)]
        memory_mb = resident_mb(server)
        newcomer = Visitor(url, pictures)
        browser_s = newcomer_in_browser_s(url)
        for visitor in [newcomer, *visitors]:
            visitor.leave()
        closed = close_abruptly(url, pictures, server, closes) if closes else {}
    return {
        "frames_sent_per_s": _rates(looks, "sent_per_s"),
        "frames_received_per_s": _rates(looks, "received_per_s"),
        "delay_ms": [_p50_and_p90(look[0].delays_ms) for look in looks],
        "page_opened_s": [round(visitor.opened_s, 2) for visitor in visitors],
        "start_to_first_frame_s": [round(value, 2) for value in begins_s],
        "newcomer_s": {"whole page sent": round(newcomer.opened_s, 2), **browser_s},
        "cores": {"app": round(cores[0], 2), "visitors": round(sum(cores[1:]), 2)},
        "resident_mb": round(memory_mb),
        "closed_abruptly": closed,
    }


def _rates(looks: list[list[VideoFigures]], name: str) -> list[list[float]]:
    return [[round(getattr(looked, name), 1) for looked in look] for look in looks]


def _p50_and_p90(values: list[float]) -> list[int]:
    return [round(statistics.median(values)), round(statistics.quantiles(values, n=10)[-1])]


def close_abruptly(url: str, pictures: list[bytes], server: subprocess.Popen[bytes], closes: int) -> dict[str, Any]:
    """Visitors who have live video and are then gone without a word, one after the other. What the app then holds."""
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
    time.sleep(KEPT_S)
    # With a seat: had more than SPARE_SEATS of those who are gone kept theirs, nobody would have got in any more.
    last = Visitor(url, pictures)
    last.start()
    last.leave()
    time.sleep(DISCONNECT_TIMEOUT_S)
    held.append((round(resident_mb(server)), threads(server)))
    return {"closed": closes, "resident_mb_and_threads": held}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10, help="of each of the two looks")
    parser.add_argument("--closes", type=int, default=0, help="then so many visitors who are gone without a word")
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
