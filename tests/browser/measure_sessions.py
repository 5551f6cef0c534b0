"""Measures several visitors with live video at once, in a real Chromium here. Prints figures; asserts nothing.

    python -m tests.browser.measure_sessions [--sessions 4] [--seconds 10] [--json]

All visitors share the machine with the app, which in life they don't: their browsers take more of it than the app does.
So only the first one's picture is on a screen, where its frames are read back as in ``measure_live``; the others send
and receive theirs all the same, and Chromium's own statistics count them. Then one more visitor opens the page.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.measure_live import (
    KEEP_TRACKS,
    PATIENCE_MS,
    WATCH,
    component,
    component_frame,
    delays_ms,
    resident_mb,
    running_app,
    start,
    write_camera,
)

SETTLE_MS = 8000
NICE = 15
KEEP_CONNECTIONS = """
const Connection = window.RTCPeerConnection;
window.connections = [];
window.RTCPeerConnection = function (...given) {
    const connection = new Connection(...given);
    window.connections.push(connection);
    return connection;
};
"""
COUNTS = """async () => {
    const counts = {};
    for (const connection of window.connections)
        for (const report of (await connection.getStats()).values()) {
            if (report.type === 'inbound-rtp') counts.received = report.framesDecoded;
            if (report.type === 'outbound-rtp') counts.sent = report.framesSent;
        }
    return counts;
}"""


def open_page(browser: Browser, url: str) -> tuple[Page, float]:
    """A new visitor's page, and the seconds until its Start button can be pressed."""
    page = browser.new_context(viewport={"width": 800, "height": 600}).new_page()
    page.add_init_script(KEEP_TRACKS + KEEP_CONNECTIONS)
    began = time.monotonic()
    page.goto(url)
    component(page).get_by_role("button", name="Start").wait_for(timeout=PATIENCE_MS)
    return page, time.monotonic() - began


def measure(sessions: int, seconds: int) -> dict[str, Any]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, running_app() as (url, server), sync_playwright() as playwright:
        camera = Path(folder) / "camera.y4m"
        write_camera(camera)
        fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        awake = ["--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"]
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", *fake, *awake, f"--use-file-for-fake-video-capture={camera}"],
        )
        pages = [open_page(browser, url)[0] for _ in range(sessions)]
        # The picture must not be mirrored: the numbers are read from left to right.
        pages[0].get_by_text("Settings", exact=True).click()
        pages[0].get_by_text("Mirror the picture").click()
        pages[0].wait_for_timeout(1500)
        begins_s = [start(page) for page in pages]
        frames = [component_frame(page) for page in pages]
        for frame in frames[1:]:
            frame.add_style_tag(content="video { display: none !important }")
        pages[0].wait_for_timeout(SETTLE_MS)

        delays = []
        began, process = time.monotonic(), psutil.Process(server.pid)
        before = [frame.evaluate(COUNTS) for frame in frames]
        spent_s = sum(process.cpu_times()[:2])
        for _ in range(2):
            delays.append(delays_ms(frames[0].evaluate(WATCH, seconds)))
        after = [frame.evaluate(COUNTS) for frame in frames]
        elapsed_s = time.monotonic() - began
        cores = (sum(process.cpu_times()[:2]) - spent_s) / elapsed_s
        memory_mb = resident_mb(server)
        notes = [page.get_by_test_id("stAlert").all_inner_texts() for page in pages]
        says = [page.get_by_text("frames/s").inner_text() for page in pages]
        # Whoever comes now has a machine of their own in life: their browser goes ahead of the others'.
        for one in psutil.Process().children(recursive=True):
            if "chrom" in one.name():
                one.nice(NICE)
        newcomer = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        newcomer.new_page().goto("about:blank")
        _, newcomer_s = open_page(newcomer, url)
        newcomer.close()
        browser.close()
    return {
        "frames_per_s": {
            key: [round((a.get(key, 0) - b.get(key, 0)) / elapsed_s, 1) for a, b in zip(after, before, strict=True)]
            for key in ("sent", "received")
        },
        "pages_say": says,
        "warnings": notes,
        "start_to_first_frame_s": [round(value, 2) for value in begins_s],
        "camera_to_screen_p50_ms": [round(statistics.median(part)) if part else None for part in delays],
        "newcomer_first_page_s": round(newcomer_s, 2),
        "app_uses_cores": round(cores, 2),
        "resident_mb": round(memory_mb),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=10, help="of each of the two looks")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.sessions, options.seconds)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
