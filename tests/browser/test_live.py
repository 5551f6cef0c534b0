"""The live page as its user meets it."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from playwright.sync_api import Browser, Frame, FrameLocator, Page, Playwright, expect
from skimage import data

from emojify.emotions import LABELS, Emotion
from emojify.packs.pack import EmojiPack
from emojify.vision.detector import FaceDetector
from tests.browser.conftest import QUIET, ROOT

PATIENCE_MS = 30_000
VIDEO_PIXELS = """() => {
    const video = document.querySelector('video');
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    canvas.getContext('2d').drawImage(video, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1];
}"""
VIDEO_PLAYS = "() => document.querySelector('video')?.videoWidth > 0"


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


def bar_values(page: Page) -> dict[str, int]:
    return {label: int(str(page.get_by_role("meter", name=label).get_attribute("aria-valuenow"))) for label in LABELS}


def test_start_shows_the_emoji_on_the_face_the_bars_say_happy_and_stop_ends_it(page: Page, camera_file: Path) -> None:
    start(page)
    wait_for_emoji(page, "classic", camera_file)
    expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=PATIENCE_MS)
    values = bar_values(page)
    assert max(values, key=values.__getitem__) == "happy"

    component(page).get_by_role("button", name="Stop").click()
    expect(component(page).get_by_role("button", name="Start")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Press Start, allow the camera")).to_be_visible(timeout=PATIENCE_MS)
    assert not component_frame(page).evaluate("() => !!document.querySelector('video')?.srcObject?.active")


def test_changing_pack_and_style_while_live_changes_the_picture_without_a_restart(
    page: Page, camera_file: Path
) -> None:
    start(page)
    wait_for_emoji(page, "classic", camera_file)
    page.get_by_label("Emoji pack").click()
    page.get_by_role("option", name="Person").click()
    wait_for_emoji(page, "person", camera_file)
    page.get_by_text("Side by side").click()
    component_frame(page).wait_for_function(
        "() => { const v = document.querySelector('video'); return v.videoWidth > 1.5 * v.videoHeight }",
        timeout=PATIENCE_MS,
    )


def test_the_snapshot_is_a_png_of_the_picture(page: Page) -> None:
    start(page)
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.get_by_role("button", name="Snapshot").click(timeout=PATIENCE_MS)
    picture = PillowImage.open(download.value.path())
    assert picture.format == "PNG"
    assert picture.width * 3 == picture.height * 4


def test_the_chosen_pack_survives_a_reload(page: Page) -> None:
    page.get_by_label("Emoji pack").click(timeout=PATIENCE_MS)
    page.get_by_role("option", name="Person").click()
    expect(page).to_have_url(re.compile("pack=Person"), timeout=PATIENCE_MS)
    page.reload()
    expect(page.get_by_label("Emoji pack")).to_have_value("Person", timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--use-fake-device-for-media-stream", "--deny-permission-prompts"], "The camera was refused"),
        (["--use-fake-ui-for-media-stream"], "There is no camera here"),
    ],
    ids=["refused", "none"],
)
def test_a_camera_that_does_not_start_is_explained(
    playwright: Playwright, chromium: str, app_url: str, flags: list[str], sentence: str
) -> None:
    browser: Browser = playwright.chromium.launch(executable_path=chromium, args=[*QUIET, *flags])
    page = browser.new_page()
    page.goto(app_url)
    component(page).get_by_role("button", name="Start").click(timeout=PATIENCE_MS)
    expect(page.get_by_text(sentence)).to_be_visible(timeout=PATIENCE_MS)
    browser.close()


def test_a_photo_is_emojified_without_a_camera(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "me.png"
    PillowImage.fromarray(data.astronaut()).save(path)
    page.get_by_text("Photo", exact=True).click(timeout=PATIENCE_MS)
    page.locator('input[type="file"]').set_input_files(path, timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="happy")).to_be_visible(timeout=PATIENCE_MS)
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.get_by_role("button", name="Download").click()
    result = np.asarray(PillowImage.open(download.value.path()).convert("RGB")).astype(int)
    original = data.astronaut().astype(int)
    changed = np.abs(result - original).max(axis=2) > 0
    assert changed[66 + 20 : 66 + 75, 177 + 20 : 177 + 75].mean() > 0.95  # the face
    assert not changed[300:].any()
