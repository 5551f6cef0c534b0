"""The app in a server process, Chromium, and a fake camera that shows a face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from skimage import data

from tests.helpers.browser import CHROMIUM_NAMES, find_program, launch_chromium, run_app


@pytest.fixture(scope="session")
def chromium() -> str:
    return find_program(CHROMIUM_NAMES, "Chromium")


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """The app as ``streamlit run streamlit_app.py`` starts it, on a free port."""
    with run_app() as url:
        yield url


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
def shared_browser(playwright: Playwright, chromium: str, camera_file: Path) -> Iterator[Browser]:
    """A Chromium with a camera that pages may use."""
    with launch_chromium(playwright, chromium, camera_file) as browser:
        yield browser


@pytest.fixture
def browser(shared_browser: Browser) -> Iterator[Browser]:
    """The shared Chromium. After the test it closes all pages: the video of a failed test would go on."""
    yield shared_browser
    for context in shared_browser.contexts:
        context.close()


@pytest.fixture
def page(browser: Browser, app_url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(app_url)
    yield page
    context.close()
