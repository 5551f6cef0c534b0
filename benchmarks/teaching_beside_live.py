"""Measure live video in Chromium while a model is taught. Print figures; assert nothing.

    python -m benchmarks.teaching_beside_live [--model ID]

All seven emotions of a simulated person, each recorded twice, are taught while the video of the two faces runs. Frames
are the page's frames/s, which the processor counts over the last two seconds, read twice a second.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from emojify.emotions import Emotion
from emojify.models import ModelStore
from emojify.settings import ROOT
from emojify.teaching.samples import SampleStore
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box
from tests.helpers.browser import CHROMIUM_NAMES, TIMEOUT_MS, launch_chromium, run_app, start
from tests.helpers.cameras import write_two_faces
from tests.helpers.simulated_people import drawn_person

SETTLING_S, BEFORE_S = 6, 10


def frames_per_s(page: Page) -> float:
    return float(page.get_by_text("frames/s").first.inner_text().split()[0])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", help="default: the shipped live model")
    model_id = parser.parse_args().model
    model = ModelStore(ROOT / "models").get(model_id) if model_id else ModelStore(ROOT / "models").open().model
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        workspace = Path(scratch)
        shutil.copytree(model.folder, workspace / "models" / model.id)
        store, person = SampleStore(workspace / "data" / "samples"), drawn_person(0)
        for emotion in Emotion:
            for day in (1, 2):
                store.add(emotion, [Cutout(crop, Box(0, 0, 48, 48)) for crop in person.record(emotion, day, 30)])
        write_two_faces(workspace / "faces.y4m", fps=30)
        with run_app(EMOJIFY_DATA=str(workspace / "data"), EMOJIFY_MODELS=str(workspace / "models")) as url:
            browser = launch_chromium(playwright, chromium, workspace / "faces.y4m")
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.goto(url)
            page.get_by_role("link", name="Teach it your face").click(timeout=TIMEOUT_MS)
            start(page)
            page.wait_for_timeout(1000 * SETTLING_S)
            before, during = [], []
            for _ in range(2 * BEFORE_S):
                before.append(frames_per_s(page))
                page.wait_for_timeout(500)
            began_s = time.monotonic()
            page.get_by_role("button", name="Teach it").last.click()
            done = page.get_by_role("heading", name="3. Try it")
            while not done.count():
                page.wait_for_timeout(500)
                during.append(frames_per_s(page))
            seconds = time.monotonic() - began_s
            browser.close()
    print(f"model                      {model.id}")
    print(f"click to 'Try it'          {seconds:.1f} s")
    print(f"frames a second before     {statistics.median(before):.0f} (lowest {min(before):.0f})")
    print(f"frames a second meanwhile  {statistics.median(during):.0f} (lowest {min(during):.0f})")


if __name__ == "__main__":
    main()
