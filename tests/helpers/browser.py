"""Run the app and drive its live page in Chromium."""

from __future__ import annotations

import base64
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from playwright.sync_api import Browser, Frame, FrameLocator, Page, Playwright, expect

from emojify.emotions import Emotion
from emojify.packs.pack import EmojiPack
from emojify.settings import ROOT
from emojify.vision.detectors.haar import HaarDetector
from tests.helpers.page_driver import ALL_PAGES
from tests.helpers.programs import end

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PRIORITY_HOOK = str(ROOT / "tests" / "browser" / "priority_hook")  # for PYTHONPATH of an app that renders or trains
START_TIMEOUT_S = 60
TIMEOUT_MS = 60_000  # long enough for a busy machine: no test asserts a time
RENDER_TIMEOUT_MS = 300_000
READ_VIDEO_FRAME = """() => {
    const video = document.querySelector('video');
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    canvas.getContext('2d').drawImage(video, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1];
}"""
IS_VIDEO_PLAYING = "() => document.querySelector('video')?.videoWidth > 0"


def find_program(names: tuple[str, ...], what: str) -> str:
    """Return the path of the first installed program of ``names``; skip the test, or fail it in CI, if none is."""
    for name in names:
        path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")  # Debian's servers
        if path:
            return path
    skip_or_fail(f"no {what} found ({', '.join(names)}); install it to run these browser tests")


def skip_or_fail(why: str) -> NoReturn:
    """Skip a test that this machine cannot run; fail it where EMOJIFY_BROWSER_TESTS says that it must run."""
    if os.environ.get("EMOJIFY_BROWSER_TESTS") == "required":
        pytest.fail(why)
    pytest.skip(why)


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_app(folder: Path = ROOT, /, **environment: str) -> Iterator[str]:
    """Run the app on a free port with these environment variables; yield its address."""
    port = free_port()
    with run_app_on_port(port, folder, **environment):
        yield f"http://localhost:{port}"


@contextmanager
def run_app_on_port(
    port: int, folder: Path = ROOT, /, command: Sequence[str] = (), **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the app until the block ends, by ``command`` if there is one, which must name the port."""
    streamlit = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true"]
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1", **environment}
    server = subprocess.Popen(command or [*streamlit, "--server.port", str(port)], cwd=folder, env=environment)
    deadline = time.monotonic() + START_TIMEOUT_S
    try:
        while not responds(f"http://localhost:{port}/_stcore/health"):
            assert server.poll() is None, "the app ended while it started"
            assert time.monotonic() < deadline, f"the app did not answer within {START_TIMEOUT_S} s"
            time.sleep(0.02)
        yield server
    finally:
        end(server)


def responds(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def launch_chromium(playwright: Playwright, chromium: str | None, camera_file: Path, *flags: str) -> Browser:
    """Start Chromium with a fake camera that plays ``camera_file`` and that pages may use."""
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    arguments = [*CHROMIUM_FLAGS, *fake, f"--use-file-for-fake-video-capture={camera_file}", *flags]
    return playwright.chromium.launch(executable_path=chromium, args=arguments)


def component(page: Page) -> FrameLocator:
    return page.frame_locator('iframe[title*="webrtc_streamer"]')


def component_frame(page: Page) -> Frame:
    return next(frame for frame in page.frames if "webrtc_streamer" in frame.url)


def start(page: Page) -> None:
    component(page).get_by_role("button", name="Start").click(timeout=TIMEOUT_MS)
    expect(component(page).get_by_role("button", name="Stop")).to_be_visible(timeout=TIMEOUT_MS)
    component_frame(page).wait_for_function(IS_VIDEO_PLAYING, timeout=TIMEOUT_MS)


def read_video_frame(page: Page) -> NDArray[np.uint8]:
    """Return the video frame that the browser shows, (H, W, 3) uint8 RGB."""
    content = base64.b64decode(component_frame(page).evaluate(READ_VIDEO_FRAME))
    return np.asarray(PillowImage.open(io.BytesIO(content)).convert("RGB"))


def face_region(camera_file: Path) -> tuple[slice, slice]:
    """Return the rows and columns of the center of the face in the mirrored video."""
    content = camera_file.read_bytes()
    planes = np.frombuffer(content[-640 * 480 * 3 // 2 :], np.uint8).reshape(720, 640)
    (box,) = HaarDetector().detect(np.ascontiguousarray(planes[:480, ::-1]))
    x, y = (round(value) for value in box.center)
    reach = box.width // 3
    return slice(y - reach, y + reach), slice(x - reach, x + reach)


def expected_face(pack: EmojiPack, emotion: Emotion, height_px: int) -> NDArray[np.float32]:
    """Return the region of :func:`face_region` with the pack's picture on the face, blurred as VP8 blurs it."""
    picture = PillowImage.open(pack.path(emotion)).convert("RGB")
    box_px = height_px * 3 / 2  # face_region() reaches a third of the box to each side
    scale = picture.width * pack.head.width / (box_px * 1.38)
    x, y = picture.width * pack.head.x, picture.height * pack.head.y + 0.05 * box_px * scale
    reach = height_px / 2 * scale
    crop = picture.crop((round(x - reach), round(y - reach), round(x + reach), round(y + reach)))
    return np.asarray(cv2.blur(np.asarray(crop.resize((height_px, height_px)), np.float32), (9, 9)), np.float32)


def wait_for_emoji(page: Page, pack: str, camera_file: Path) -> None:
    """Wait until the face in the video looks like the pack's happy picture, apart from VP8's blur."""
    rows, columns = face_region(camera_file)
    expected = expected_face(EmojiPack.load(ROOT / "emojis" / pack), Emotion.HAPPY, rows.stop - rows.start)
    difference = 255.0
    for _ in range(TIMEOUT_MS // 250):
        shown = cv2.blur(read_video_frame(page)[rows, columns].astype(np.float32), (9, 9))
        difference = float(np.abs(shown - expected).mean())
        if difference < 30:
            return
        page.wait_for_timeout(250)
    pytest.fail(f"the face does not look like {pack}/happy.png: mean difference {difference:.0f}")


def upload_pack(page: Page, file: Path) -> None:
    """Choose a file in the large upload field; the page has seven more, for single pictures."""
    page.get_by_text("Add a pack", exact=True).click(timeout=TIMEOUT_MS)
    field = page.get_by_role("region", name="A zip, or pictures")
    field.locator('input[type="file"]').set_input_files(file, timeout=TIMEOUT_MS)


def expect_pages(page: Page, *names: str) -> None:
    for name in names:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    others = {*ALL_PAGES, "Admin"} - set(names)
    for name in others:
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0, timeout=TIMEOUT_MS)
