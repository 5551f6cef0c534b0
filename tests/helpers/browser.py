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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from playwright.sync_api import Frame, FrameLocator, Page, expect

from emojify.emotions import Emotion
from emojify.packs.pack import EmojiPack
from emojify.settings import ROOT
from emojify.vision.detector import FaceDetector
from tests.helpers.programs import end

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_LIMIT_S = 60
PATIENCE_MS = 30_000
WORK_MS = 180_000  # the work gives way to all else
VISITORS_PAGES = ("Live", "Emoji packs", "Make an avatar")
ALL_PAGES = (*VISITORS_PAGES, "Teach it your face", "Videos", "Training")
VIDEO_PIXELS = """() => {
    const video = document.querySelector('video');
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    canvas.getContext('2d').drawImage(video, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1];
}"""
VIDEO_PLAYS = "() => document.querySelector('video')?.videoWidth > 0"


def installed(names: tuple[str, ...], what: str) -> str:
    """The path of the first of these programs; without any the test is skipped, in CI it fails."""
    for name in names:
        path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")  # Debian's servers lie there
        if path:
            return path
    lacks(f"no {what} found ({', '.join(names)}); install it to run these browser tests")


def lacks(why: str) -> NoReturn:
    """This machine can't run the test: skipped, saying why; in CI, which must be able to, it fails."""
    if os.environ.get("EMOJIFY_BROWSER_TESTS") == "required":
        pytest.fail(why)
    pytest.skip(why)


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serve(folder: Path = ROOT, /, **environment: str) -> Iterator[str]:
    """Run the app on a free port, with these variables beside those that are set; gives its address."""
    port = free_port()
    with running_app(port, folder, **environment):
        yield f"http://localhost:{port}"


@contextmanager
def running_app(port: int, folder: Path = ROOT, /, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true"]
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1", **environment}
    server = subprocess.Popen([*command, "--server.port", str(port)], cwd=folder, env=environment)
    deadline = time.monotonic() + START_LIMIT_S
    try:
        while not answers(f"http://localhost:{port}/_stcore/health"):
            assert server.poll() is None, "the app stopped while starting"
            assert time.monotonic() < deadline, f"the app did not answer within {START_LIMIT_S} s"
            time.sleep(0.1)
        yield server
    finally:
        end(server)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def component(page: Page) -> FrameLocator:
    return page.frame_locator('iframe[title*="webrtc_streamer"]')


def component_frame(page: Page) -> Frame:
    return next(frame for frame in page.frames if "webrtc_streamer" in frame.url)


def start(page: Page) -> None:
    component(page).get_by_role("button", name="Start").click(timeout=PATIENCE_MS)
    expect(component(page).get_by_role("button", name="Stop")).to_be_visible(timeout=PATIENCE_MS)
    component_frame(page).wait_for_function(VIDEO_PLAYS, timeout=PATIENCE_MS)


def video_picture(page: Page) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: what the browser shows right now."""
    content = base64.b64decode(component_frame(page).evaluate(VIDEO_PIXELS))
    return np.asarray(PillowImage.open(io.BytesIO(content)).convert("RGB"))


def face_patch(camera_file: Path) -> tuple[slice, slice]:
    """Rows and columns of the middle of the face in the mirrored video."""
    content = camera_file.read_bytes()
    planes = np.frombuffer(content[-640 * 480 * 3 // 2 :], np.uint8).reshape(720, 640)
    (box,) = FaceDetector().detect(np.ascontiguousarray(planes[:480, ::-1]))
    x, y = (round(value) for value in box.center)
    reach = box.width // 3
    return slice(y - reach, y + reach), slice(x - reach, x + reach)


def worn_face(pack: EmojiPack, emotion: Emotion, height_px: int) -> NDArray[np.float32]:
    """What the patch in the middle of the face shows with one of the pictures on it, blurred as VP8 does."""
    picture = PillowImage.open(pack.path(emotion)).convert("RGB")
    box_px = height_px * 3 / 2  # face_patch() takes a third of the box to every side
    scale = picture.width * pack.head.width / (box_px * 1.38)
    x, y = picture.width * pack.head.x, picture.height * pack.head.y + 0.05 * box_px * scale
    reach = height_px / 2 * scale
    crop = picture.crop((round(x - reach), round(y - reach), round(x + reach), round(y + reach)))
    return np.asarray(cv2.blur(np.asarray(crop.resize((height_px, height_px)), np.float32), (9, 9)), np.float32)


def wait_for_emoji(page: Page, pack: str, camera_file: Path) -> None:
    """Until the face in the video looks like the pack's happy picture, as far as VP8 leaves it."""
    rows, columns = face_patch(camera_file)
    wanted = worn_face(EmojiPack.load(ROOT / "emojis" / pack), Emotion.HAPPY, rows.stop - rows.start)
    difference = 255.0
    for _ in range(40):
        seen = cv2.blur(video_picture(page)[rows, columns].astype(np.float32), (9, 9))
        difference = float(np.abs(seen - wanted).mean())
        if difference < 30:
            return
        page.wait_for_timeout(250)
    pytest.fail(f"the face does not look like {pack}/happy.png: mean difference {difference:.0f}")


def bring(page: Page, file: Path) -> None:
    """Into the large field; the page has eight, and while it loads the first may be any of them."""
    field = page.get_by_role("region", name="A zip, or pictures")
    field.locator('input[type="file"]').set_input_files(file, timeout=PATIENCE_MS)


def expect_pages(page: Page, *names: str) -> None:
    for name in names:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible(timeout=PATIENCE_MS)
    others = {"Live", "Emoji packs", "Make an avatar", "Teach it your face", "Videos", "Training", "Admin"} - set(names)
    for name in others:
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0, timeout=PATIENCE_MS)
