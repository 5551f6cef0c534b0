"""Measure live video in Chromium while a fit runs. Print figures; assert nothing.

    python -m benchmarks.training_beside_live [--seconds 20] [--network seed]

One tab plays live video, another shows the training page. Frames carry numbers as in ``benchmarks/live.py``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.live import WATCH, component_frame, start
from emojify.emotions import LABELS
from emojify.runs.store import RunStore
from emojify.settings import ROOT
from tests.helpers.browser import CHROMIUM_NAMES, TIMEOUT_MS, launch_chromium, run_app
from tests.helpers.cameras import FRAMES, write_numbered_camera

PICTURES = 500  # of each emotion: an epoch then takes longer than the measurement


def write_noise(folder: Path) -> None:
    """Write a data set of gray noise: the time of a batch does not depend on its pictures."""
    rng = np.random.default_rng(0)
    for label in LABELS:
        (folder / label).mkdir(parents=True)
        for number in range(PICTURES):
            cv2.imwrite(str(folder / label / f"{number}.png"), rng.integers(0, 255, (48, 48), np.uint8))


def frames_per_s(page: Page, seconds: int) -> dict[str, Any]:
    """Return the number of different frames on the screen per second, and the page's own figure."""
    log = component_frame(page).evaluate(WATCH, seconds)
    shown = {number for number, _ in log["screen"]}
    says = page.get_by_text("frames/s").inner_text()
    return {"distinct_frames_per_s": round(len(shown) / min(seconds, FRAMES / 30), 1), "page_says": says}


@contextmanager
def kill_fits_afterwards(runs: Path) -> Iterator[None]:
    """Kill all fits at the end of the block: they outlive the app by design."""
    try:
        yield
    finally:
        store = RunStore(runs)
        for run_id in store.ids():
            store.kill(run_id)


def measure(seconds: int, network: str) -> None:
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        write_numbered_camera(folder / "camera.y4m")
        write_noise(folder / "data" / "noise")
        browser = launch_chromium(playwright, chromium, folder / "camera.y4m")
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_init_script(
            "const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);"
            "if (ask) navigator.mediaDevices.getUserMedia = async (wanted) => window.cameraStream = await ask(wanted);"
        )
        shutil.copytree(ROOT / "models", folder / "models")
        places = {f"EMOJIFY_{place.upper()}": str(folder / place) for place in ("data", "runs", "models")}
        with run_app(**places) as url, kill_fits_afterwards(folder / "runs"):
            training = context.new_page()
            training.goto(url)
            training.get_by_role("link", name="Training").click(timeout=TIMEOUT_MS)
            training.get_by_role("button", name="Start").wait_for(timeout=TIMEOUT_MS)
            if network != "seed":
                training.get_by_text("The best recipe").click()
            else:
                training.get_by_text("The tutorial's fit").click()
            training.wait_for_timeout(1500)
            training.get_by_role("button", name="Start").click()
            clicked_s = time.monotonic()
            training.get_by_text("starting", exact=True).first.wait_for(timeout=TIMEOUT_MS)
            say("first sign of life, s", round(time.monotonic() - clicked_s, 2))
            training.get_by_text(re.compile(r"Batch \d+ of")).first.wait_for(timeout=10 * TIMEOUT_MS)
            say("first batch, s", round(time.monotonic() - clicked_s, 1))
            live = context.new_page()
            live.goto(url)
            live.get_by_text("Settings", exact=True).click(timeout=TIMEOUT_MS)
            live.get_by_text("Mirror the picture").click()
            live.wait_for_timeout(1500)
            start(live)
            live.wait_for_timeout(4000)
            say("during the fit", frames_per_s(live, seconds))
            say("how far it is then", training.get_by_text(re.compile(r"Batch \d+ of")).first.inner_text())
            for run_id in RunStore(folder / "runs").ids():
                RunStore(folder / "runs").kill(run_id)
            live.wait_for_timeout(4000)
            say("without a fit", frames_per_s(live, seconds))
        browser.close()


def say(name: str, value: object) -> None:
    print(f"{name:26} {value}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="how long to watch (the camera's numbers last 10 s)")
    parser.add_argument("--network", choices=("seed", "residual"), default="seed")
    options = parser.parse_args()
    measure(options.seconds, options.network)


if __name__ == "__main__":
    main()
