"""The videos page, and what can be shared from the live page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Browser, Page, expect

from tests.helpers.browser import (
    PRIORITY_HOOK,
    RENDER_TIMEOUT_MS,
    TIMEOUT_MS,
    component,
    component_frame,
    face_region,
    read_video_frame,
    run_app,
    start,
)
from tests.helpers.sample_videos import FACE, SampleVideo, astronaut, decode


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_app(EMOJIFY_DATA=str(tmp_path_factory.mktemp("data")), PYTHONPATH=PRIORITY_HOOK) as url:
        yield url


AT_SECOND_2 = "() => [...document.querySelectorAll('video')].every(video => Math.floor(video.currentTime) === 2)"
STORE_FROM_OTHER_TAB = """() => {
    const tokens = JSON.parse(localStorage.getItem("emojify-videos"));
    localStorage.setItem("emojify-videos", JSON.stringify(["a-video-of-another-tab", ...tokens]));
}"""
# Stopping the event keeps one speed from being passed on to the other video, so that they drift apart.
DRIFT_APART = """() => {
    const [before, after] = document.querySelectorAll("video");
    window.addEventListener("ratechange", event => event.stopImmediatePropagation(), {capture: true});
    after.playbackRate = 0.5;
    before.currentTime = 0;
    before.play();
}"""
IN_STEP_WHILE_PLAYING = """() => {
    const [before, after] = document.querySelectorAll("video");
    return after.currentTime > 1.2 && after.currentTime < 2 && Math.abs(before.currentTime - after.currentTime) < 0.5;
}"""


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1100})
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def test_video_is_rendered_and_survives_a_reload(page: Page, tmp_path: Path) -> None:
    film = SampleVideo(times_ms=tuple(range(0, 3000, 40)), audio="aac").write(tmp_path / "my party.mp4")
    page.get_by_role("link", name="Videos").click(timeout=TIMEOUT_MS)
    page.locator('input[type="file"]').set_input_files(film, timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Emojify it").click(timeout=TIMEOUT_MS)
    expect(page.get_by_text("You can leave this page")).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("link", name="Live", exact=True).click()
    page.get_by_role("link", name="Videos").click(timeout=TIMEOUT_MS)
    expect(page.get_by_text("my party.mp4")).to_be_visible(timeout=TIMEOUT_MS)
    page.reload()  # a new session of the server: the browser knows the video
    expect(page.locator('[class*="st-key-open_"] button')).to_be_visible(timeout=TIMEOUT_MS)
    page.evaluate(STORE_FROM_OTHER_TAB)
    page.locator('[class*="st-key-open_"] button').click(timeout=TIMEOUT_MS)
    expect(page.get_by_text("Emotions of the main face")).to_be_visible(timeout=RENDER_TIMEOUT_MS)
    expect(page.locator("video")).to_have_count(2)
    assert len(page.evaluate("JSON.parse(localStorage.getItem('emojify-videos'))")) == 2
    for number in range(2):
        page.wait_for_function(f"() => document.querySelectorAll('video')[{number}].readyState >= 2")

    chart = page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first
    box = chart.bounding_box()
    assert box is not None
    chart.click(position={"x": box["width"] * 0.75, "y": 40})
    page.wait_for_function(AT_SECOND_2, timeout=TIMEOUT_MS)

    page.evaluate("document.querySelectorAll('video')[1].currentTime = 0")
    page.wait_for_function("() => document.querySelectorAll('video')[0].currentTime < 0.2")
    chart.click(position={"x": box["width"] * 0.75, "y": 40})  # the same column once more
    page.wait_for_function(AT_SECOND_2, timeout=TIMEOUT_MS)

    page.evaluate("document.querySelectorAll('video')[0].currentTime = 0")
    page.wait_for_function("() => document.querySelectorAll('video')[1].currentTime < 0.2")
    page.evaluate("document.querySelectorAll('video')[0].play()")
    page.wait_for_function("() => [...document.querySelectorAll('video')].every(video => video.currentTime > 0.5)")
    page.evaluate(DRIFT_APART)
    page.wait_for_function(IN_STEP_WHILE_PLAYING, timeout=TIMEOUT_MS)

    with page.expect_download(timeout=TIMEOUT_MS) as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "my party-emojified.mp4"
    download.value.save_as(tmp_path / "out.mp4")
    after = decode(tmp_path / "out.mp4")
    assert len(after.frames) == 75
    assert after.audio_codec == "aac"
    assert np.abs(after.frames[0][FACE].astype(int) - astronaut()[FACE]).mean() > 30
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        page.get_by_role("button", name="Seconds as CSV").click()
    assert download.value.path().read_text().startswith("emotion,seconds,share\n")

    page.get_by_role("button", name="Delete and upload another").click()
    expect(page.get_by_role("button", name="Emojify it")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page).to_have_url(re.compile(r"/videos$"))


def test_clip_and_sticker_are_downloaded(page: Page) -> None:
    start(page)
    page.get_by_role("button", name="Clip", exact=True).click(timeout=TIMEOUT_MS)
    expect(page.get_by_text("Recording:")).to_be_visible(timeout=TIMEOUT_MS)
    save = page.get_by_role("button", name="Download clip")
    expect(save).to_be_visible(timeout=TIMEOUT_MS)
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        save.click()
    clip = decode(download.value.path())
    assert 3.5 < clip.end_s < 4.5
    assert clip.frames[0].shape == (480, 640, 3)

    page.get_by_role("radio", name="Sticker, WebP").click()
    expect(page.get_by_role("img", name="Your clip")).to_be_visible(timeout=TIMEOUT_MS)
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        save.click()  # at once: the button to the file before must be gone by now
    sticker = PillowImage.open(io.BytesIO(download.value.path().read_bytes()))
    assert (sticker.format, sticker.mode) == ("WEBP", "RGBA")
    assert sticker.width == sticker.height
    alpha = np.asarray(sticker)[:, :, 3]
    assert alpha[0, 0] == 0
    assert alpha[sticker.height // 2, sticker.width // 2] == 255


def test_photo_strip_has_four_shots(page: Page) -> None:
    start(page)
    page.get_by_role("button", name="Photo strip").click(timeout=TIMEOUT_MS)
    expect(page.get_by_text("Look into the camera: shot 1 of 4")).to_be_visible(timeout=TIMEOUT_MS)
    save = page.get_by_role("button", name="Download strip")
    expect(save).to_be_visible(timeout=TIMEOUT_MS)
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        save.click()
    strip = PillowImage.open(download.value.path())
    assert (strip.format, strip.size) == ("PNG", (480 + 36, 4 * (360 + 18) + 18))


def test_clean_view_shows_only_the_emoji_on_green(browser: Browser, url: str, camera_file: Path) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(f"{url}/?view=clean&background=green&show=emoji")
    start(page)
    rows, columns = face_region(camera_file)
    middle = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
    for _ in range(TIMEOUT_MS // 250):
        seen = read_video_frame(page).astype(int)
        if np.abs(seen[0, 0] - (0, 255, 0)).max() < 40 and np.abs(seen[middle] - (0, 255, 0)).max() > 60:
            break  # before its first frame a video is black
        page.wait_for_timeout(250)
    assert np.abs(seen[middle] - (0, 255, 0)).max() > 60  # an emoji
    assert np.abs(seen[-40:, :200] - (0, 255, 0)).max() < 40  # green where the camera shows a shuttle
    page.mouse.move(5, 5)  # over the picture, it would bring Stop back
    expect(component(page).get_by_role("button", name="Stop")).to_be_hidden(timeout=TIMEOUT_MS)
    expect(page.get_by_role("link", name="Videos")).to_be_hidden()
    frame = component_frame(page).frame_element().bounding_box()
    assert frame is not None
    assert frame["height"] == pytest.approx(720, abs=2)
    screenshot = np.asarray(PillowImage.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    assert np.abs(screenshot[360, 20] - (0, 255, 0)).max() < 5  # the page beside the picture
    page.context.close()
