"""Measure the live page in Chromium on this machine. Print figures; assert nothing.

    python -m benchmarks.live [--seconds 20] [--minutes 0] [--cycles 20] [--json]

Camera-to-screen: every frame of the fake camera carries its number as black and white squares along its lower
edge, where no emoji covers them. The page reads them back, from the camera's track and from the shown video;
the time between the two is the delay that a person sees.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.helpers.browser import (
    CHROMIUM_NAMES,
    IS_VIDEO_PLAYING,
    TIMEOUT_MS,
    component,
    component_frame,
    free_port,
    launch_chromium,
    run_app_on_port,
)
from tests.helpers.cameras import BITS, FRAMES, SQUARE_PX, write_numbered_camera

DISCONNECT_TIMEOUT_S = 40  # the app detects a closed tab within half a minute

# Runs before the page's own code: keep the camera's stream, so that its frames can be read too.
KEEP_TRACKS = """
const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (ask) navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await ask(constraints);
    window.cameraStream = stream;
    return stream;
};
"""
WATCH = """(seconds) => new Promise((resolve) => {
    const canvas = new OffscreenCanvas(BITS, 1).getContext('2d', {willReadFrequently: true});
    const read = (video, mirrored) => {
        const side = video.videoWidth * SQUARE / 640;
        canvas.drawImage(video, 0, video.videoHeight - side * 0.75, side * BITS, side * 0.5, 0, 0, BITS, 1);
        const pixels = canvas.getImageData(0, 0, BITS, 1).data;
        let number = 0;
        for (let bit = 0; bit < BITS; bit++) number |= (pixels[bit * 4] > 127) << bit;
        return number;
    };
    const log = {camera: [], screen: []};
    const shown = document.querySelector('video');
    const camera = document.createElement('video');
    camera.muted = true;
    camera.srcObject = window.cameraStream;
    camera.play();
    const watch = (video, name) => {
        const next = (now) => {
            log[name].push([read(video), performance.now()]);
            video.requestVideoFrameCallback(next);
        };
        video.requestVideoFrameCallback(next);
    };
    watch(camera, 'camera');
    watch(shown, 'screen');
    setTimeout(() => { camera.srcObject = null; resolve(log); }, seconds * 1000);
})""".replace("BITS", str(BITS)).replace("SQUARE", str(SQUARE_PX))

# Measure the detail of the shown picture (mean difference of neighboring pixels) every tenth of a second.
DETAIL = """(seconds) => new Promise((resolve) => {
    const context = new OffscreenCanvas(640, 480).getContext('2d', {willReadFrequently: true});
    const began = performance.now(), log = [];
    const look = () => {
        const video = document.querySelector('video');
        if (video?.videoWidth) {
            context.drawImage(video, 0, 0, 640, 480);
            const pixels = context.getImageData(0, 0, 640, 480).data;
            let sum = 0;
            for (let at = 1; at + 4 < pixels.length; at += 4) sum += Math.abs(pixels[at] - pixels[at + 4]);
            log.push([performance.now() - began, sum / (640 * 480), video.videoWidth]);
        }
        if (performance.now() - began > seconds * 1000) resolve(log); else setTimeout(look, 100);
    };
    look();
})"""
SHARP = 0.9  # share of the final detail; key frames change it by a twentieth


@contextmanager
def run_measured_app(max_sessions: int = 8) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run the app on a free port; yield its address and process once it responds."""
    port = free_port()
    with run_app_on_port(port, EMOJIFY_MAX_SESSIONS=str(max_sessions)) as server:
        yield f"http://localhost:{port}", server


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    return _status_field(process, "VmRSS") / 1024


def threads(process: subprocess.Popen[bytes]) -> int:
    return int(_status_field(process, "Threads"))


def _status_field(process: subprocess.Popen[bytes], name: str) -> float:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1])
    raise ValueError(f"/proc has no {name} for {process.pid}")


def start(page: Page) -> float:
    """Click Start and return the seconds until the first frame is on the screen."""
    button = component(page).get_by_role("button", name="Start")
    button.wait_for(timeout=TIMEOUT_MS)
    began = time.monotonic()
    button.click()
    component_frame(page).wait_for_function(IS_VIDEO_PLAYING, timeout=TIMEOUT_MS)
    return time.monotonic() - began


def stop(page: Page) -> None:
    component(page).get_by_role("button", name="Stop").click(timeout=TIMEOUT_MS)
    component(page).get_by_role("button", name="Start").wait_for(timeout=TIMEOUT_MS)


def delays_ms(log: dict[str, list[list[float]]]) -> list[float]:
    """Return, for each number that reached the screen, the time since the camera's track last showed it."""
    delays = []
    for number, shown_ms in log["screen"]:
        left = [at_ms for seen, at_ms in log["camera"] if seen == number and at_ms <= shown_ms]
        if left and shown_ms - left[-1] < 5000:
            delays.append(shown_ms - left[-1])
    return delays


def sharp_ms(details: list[list[float]]) -> float:
    """Return the time from the first frame until the picture has the share SHARP of its final detail."""
    final = statistics.median(detail for _, detail, _ in details[-20:])
    return next(at_ms for at_ms, detail, _ in details if detail >= SHARP * final)


def stay(page: Page, server: subprocess.Popen[bytes], minutes: float) -> dict[str, Any]:
    """Keep the video running; return memory and threads every half minute, and the page's figures at the end."""
    memories_mb, thread_counts = [round(resident_mb(server))], [threads(server)]
    for _ in range(round(minutes * 2)):
        page.wait_for_timeout(30_000)
        memories_mb.append(round(resident_mb(server)))
        thread_counts.append(threads(server))
    says = page.get_by_text("frames/s").inner_text()
    return {"minutes": minutes, "resident_mb": memories_mb, "threads": thread_counts, "page_says": says}


def measure(seconds: int, minutes: float, cycles: int) -> dict[str, Any]:
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        camera = Path(folder) / "camera.y4m"
        write_numbered_camera(camera)
        browser = launch_chromium(playwright, chromium, camera)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(KEEP_TRACKS)
        launched = time.monotonic()
        with run_measured_app() as (url, server):
            page.goto(url)
            page.get_by_role("heading", name="Emojify").wait_for(timeout=TIMEOUT_MS)
            heading_s = time.monotonic() - launched
            component(page).get_by_role("button", name="Start").wait_for(timeout=TIMEOUT_MS)
            first_page_s = time.monotonic() - launched
            # The numbers are read from left to right, so the picture must not be mirrored.
            page.get_by_text("Settings", exact=True).click()
            page.get_by_text("Mirror the picture").click()
            page.wait_for_timeout(1500)
            starts_s = [start(page)]
            details = component_frame(page).evaluate(DETAIL, 8)
            log = component_frame(page).evaluate(WATCH, seconds)
            figures = page.get_by_text("frames/s").inner_text()
            memory_mb = resident_mb(server)
            delays = delays_ms(log)
            long_run = stay(page, server, minutes)
            stop(page)
            page.wait_for_timeout(3000)
            memories_mb, thread_counts = [round(resident_mb(server))], [threads(server)]
            for _ in range(cycles):
                starts_s.append(start(page))
                page.wait_for_timeout(1500)
                stop(page)
                page.wait_for_timeout(1500)
                memories_mb.append(round(resident_mb(server)))
            page.wait_for_timeout(3000)
            memories_mb.append(round(resident_mb(server)))
            thread_counts.append(threads(server))
        browser.close()
    return {
        "heading_s": round(heading_s, 2),
        "start_can_be_pressed_s": round(first_page_s, 2),
        "start_to_first_frame_s": {"first": round(starts_s[0], 2), "worst": round(max(starts_s), 2)},
        "sharp_after_s": round(starts_s[0] + sharp_ms(details) / 1000, 2),
        "page_says": figures,
        "distinct_frames_per_s": round(len({n for n, _ in log["screen"]}) / min(seconds, FRAMES / 30), 1),
        "camera_to_screen_ms": {
            "p50": round(statistics.median(delays), 1),
            "p90": round(statistics.quantiles(delays, n=10)[-1], 1),
            "n": len(delays),
        },
        "resident_mb_live": round(memory_mb),
        "stays_live": long_run,
        "cycles": {
            "connected": len(starts_s) - 1,
            "resident_mb": memories_mb,
            "threads": thread_counts,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="how long to watch (the camera's numbers last 10 s)")
    parser.add_argument("--minutes", type=float, default=0, help="then keep the video running for so long")
    parser.add_argument("--cycles", type=int, default=20, help="start and stop this many times afterwards")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.seconds, options.minutes, options.cycles)
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
