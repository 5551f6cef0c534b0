"""A real app, a real Chromium, and a fake camera that shows a real face."""

from __future__ import annotations

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
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from skimage import data

from tests.programs import end

ROOT = Path(__file__).resolve().parents[2]
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


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


@pytest.fixture(scope="session")
def chromium() -> str:
    return installed(CHROMIUM_NAMES, "Chromium")


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """The app as ``streamlit run streamlit_app.py`` starts it, on a free port."""
    with serve() as url:
        yield url


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


@pytest.fixture(scope="session")
def camera_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video for Chromium's fake camera: scikit-image's astronaut, 640x480, 30 frames a second."""
    image = np.ascontiguousarray(data.astronaut()[:384, :512, ::-1])
    frame = cv2.cvtColor(cv2.resize(image, (640, 480), interpolation=cv2.INTER_CUBIC), cv2.COLOR_BGR2YUV_I420)
    path = tmp_path_factory.mktemp("camera") / "astronaut.y4m"
    path.write_bytes(b"YUV4MPEG2 W640 H480 F30:1 Ip C420jpeg\n" + 2 * (b"FRAME\n" + frame.tobytes()))
    return path


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str, camera_file: Path) -> Iterator[Browser]:
    """Has a camera and allows it."""
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    arguments = [*QUIET, *fake, f"--use-file-for-fake-video-capture={camera_file}"]
    browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser, app_url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(app_url)
    yield page
    context.close()
