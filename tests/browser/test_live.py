"""The live page with a fake camera, in Chromium."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Page, Playwright, expect
from skimage import data

from emojify.emotions import LABELS
from tests.helpers.browser import (
    CHROMIUM_FLAGS,
    IS_VIDEO_PLAYING,
    TIMEOUT_MS,
    component,
    component_frame,
    start,
    wait_for_emoji,
)


def bar_values(page: Page) -> dict[str, int]:
    return {label: int(str(page.get_by_role("meter", name=label).get_attribute("aria-valuenow"))) for label in LABELS}


def test_start_draws_the_emoji_and_stop_ends_the_video(page: Page, camera_file: Path) -> None:
    start(page)
    wait_for_emoji(page, "classic", camera_file)
    expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=TIMEOUT_MS)
    values = bar_values(page)
    assert max(values, key=values.__getitem__) == "happy"

    component(page).get_by_role("button", name="Stop").click()
    expect(component(page).get_by_role("button", name="Start")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_text("Press Start, allow the camera")).to_be_visible(timeout=TIMEOUT_MS)
    assert not component_frame(page).evaluate("() => !!document.querySelector('video')?.srcObject?.active")


def test_pack_and_style_change_during_the_video(page: Page, camera_file: Path) -> None:
    start(page)
    wait_for_emoji(page, "classic", camera_file)
    page.get_by_label("Emoji pack").click()
    page.get_by_role("option", name="Person").click()
    wait_for_emoji(page, "person", camera_file)
    page.get_by_text("Side by side").click()
    component_frame(page).wait_for_function(
        "() => { const v = document.querySelector('video'); return v.videoWidth > 1.5 * v.videoHeight }",
        timeout=TIMEOUT_MS,
    )


def test_snapshot_is_a_png_of_the_frame(page: Page) -> None:
    start(page)
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        page.get_by_role("button", name="Snapshot").click(timeout=TIMEOUT_MS)
        page.get_by_role("button", name="Download snapshot").click(timeout=TIMEOUT_MS)
    picture = PillowImage.open(download.value.path())
    assert picture.format == "PNG"
    assert picture.width * 3 == picture.height * 4
    assert re.fullmatch(r"emojify [-0-9]{10} [0-9.]{8}\.png", download.value.suggested_filename)


def test_keys_take_snapshots_choose_packs_and_show_full_screen(page: Page, camera_file: Path) -> None:
    start(page)
    expect(page.get_by_role("button", name="Full screen")).to_be_visible(timeout=TIMEOUT_MS)
    page.keyboard.press("2")  # the Start button in the video's frame has the focus
    wait_for_emoji(page, "cat", camera_file)
    page.mouse.click(600, 120)  # beside the title: nothing has the focus
    page.keyboard.press("1")
    wait_for_emoji(page, "classic", camera_file)
    page.keyboard.press(" ")
    expect(page.get_by_role("img", name="Your snapshot")).to_be_visible(timeout=TIMEOUT_MS)
    page.keyboard.press("f")
    component_frame(page).wait_for_function("() => document.fullscreenElement?.tagName === 'VIDEO'")


def test_sample_face_plays_with_one_click_and_no_camera(playwright: Playwright, chromium: str, app_url: str) -> None:
    with playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS]) as browser:
        page = browser.new_page()
        page.goto(app_url)
        page.get_by_role("button", name="No camera? Try a sample face").click(timeout=TIMEOUT_MS)
        expect(page.get_by_role("heading", name=re.compile("happy|surprised|angry"))).to_be_visible(timeout=TIMEOUT_MS)
        assert component_frame(page).evaluate(IS_VIDEO_PLAYING)
        page.get_by_text("Live video", exact=True).click()
        expect(page.get_by_role("heading", name="Press Start")).to_be_visible(timeout=TIMEOUT_MS)
        expect(page.locator('iframe[title*="webrtc_streamer"]')).to_have_count(1, timeout=TIMEOUT_MS)
        expect(component(page).get_by_role("button", name="Start")).to_be_visible(timeout=TIMEOUT_MS)


def test_choices_are_remembered_by_the_browser(page: Page, app_url: str) -> None:
    page.get_by_text("Box and label").click(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("Mirror the picture").click()
    page.wait_for_function("() => JSON.parse(localStorage.getItem('emojify-choices'))?.mirror === false")
    page.goto(app_url)  # an address without choices
    expect(page.get_by_role("radio", name="Box and label")).to_be_checked(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("switch", name="Mirror the picture")).not_to_be_checked(timeout=TIMEOUT_MS)


def test_pack_survives_a_reload(page: Page) -> None:
    page.get_by_label("Emoji pack").click(timeout=TIMEOUT_MS)
    page.get_by_role("option", name="Person").click()
    expect(page).to_have_url(re.compile("pack=Person"), timeout=TIMEOUT_MS)
    page.reload()
    expect(page.get_by_label("Emoji pack")).to_have_value("Person", timeout=TIMEOUT_MS)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--use-fake-device-for-media-stream", "--deny-permission-prompts"], "The camera was refused"),
        (["--use-fake-ui-for-media-stream"], "There is no camera here"),
    ],
    ids=["refused", "none"],
)
def test_camera_error_is_explained(
    playwright: Playwright, chromium: str, app_url: str, flags: list[str], sentence: str
) -> None:
    with playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, *flags]) as browser:
        page = browser.new_page()
        page.goto(app_url)
        component(page).get_by_role("button", name="Start").click(timeout=TIMEOUT_MS)
        expect(page.get_by_text(sentence)).to_be_visible(timeout=TIMEOUT_MS)
        expect(component(page).get_by_role("alert", include_hidden=True)).to_be_hidden()


def test_unknown_camera_error_is_not_shown_raw(playwright: Playwright, chromium: str, app_url: str) -> None:
    with playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS) as browser:
        page = browser.new_page()
        page.add_init_script(
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('0x80070005', 'OddError') }"
        )
        page.goto(app_url)
        component(page).get_by_role("button", name="Start").click(timeout=TIMEOUT_MS)
        expect(page.get_by_text("The camera did not start")).to_be_visible(timeout=TIMEOUT_MS)
        expect(component(page).get_by_text("OddError")).to_be_hidden()


def test_photo_is_emojified_without_a_camera(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "me.png"
    PillowImage.fromarray(data.astronaut()).save(path)
    page.get_by_text("Photo", exact=True).click(timeout=TIMEOUT_MS)
    page.locator('input[type="file"]').set_input_files(path, timeout=TIMEOUT_MS)
    expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=TIMEOUT_MS)
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        page.get_by_role("button", name="Download PNG").click()
    result = np.asarray(PillowImage.open(download.value.path()).convert("RGB")).astype(int)
    original = data.astronaut().astype(int)
    changed = np.abs(result - original).max(axis=2) > 0
    assert changed[66 + 20 : 66 + 75, 177 + 20 : 177 + 75].mean() > 0.95  # the face
    assert not changed[300:].any()
