"""The live page with a photo in place of the video."""

from __future__ import annotations

import io
from unittest.mock import MagicMock, patch

import numpy as np
import pytest
from PIL import Image as PillowImage
from streamlit.testing.v1 import AppTest

from emojify.vision.analyzer import analyze_photo
from emojify.vision.readings import Image
from pages.parts.live_photo import CAMERA
from tests.helpers.pack_files import encode_image
from tests.helpers.page_driver import open_app, shown_text

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_workspace")]


@pytest.fixture
def page(streamer: MagicMock) -> AppTest:
    return open_app()


def upload_photo(page: AppTest, name: str, content: bytes) -> AppTest:
    page.run()
    page.segmented_control(key="mode").set_value("Photo").run()
    return page.file_uploader[0].set_value((name, content, "image/png")).run()


def test_photo_shows_reading_and_download(page: AppTest, happy_astronaut: Image) -> None:
    upload_photo(page, "me.png", encode_image(PillowImage.fromarray(happy_astronaut[:, :, ::-1])))
    assert not page.exception
    assert "😄 happy" in shown_text(page)
    assert [getattr(button, "label", None) for button in page.get("download_button")] == ["Download", "Download PNG"]


def test_photo_is_read_once_until_photo_or_settings_of_reading_change(page: AppTest, happy_astronaut: Image) -> None:
    with patch("pages.parts.live_photo.analyze_photo", side_effect=analyze_photo) as analyze:
        upload_photo(page, "me.png", encode_image(PillowImage.fromarray(happy_astronaut[:, :, ::-1])))
        page.run()
        page.run()
        assert analyze.call_count == 1
        with_emoji = page.session_state["emojified_photo"].jpeg
        assert with_emoji.startswith(b"\xff\xd8\xff")
        page.segmented_control(key="style").set_value("box").run()
        assert analyze.call_count == 1
        assert page.session_state["emojified_photo"].jpeg != with_emoji
        page.slider(key="threshold").set_value(0.9).run()
        assert analyze.call_count == 2


def test_photo_without_face_shows_advice(page: AppTest) -> None:
    upload_photo(page, "wall.png", encode_image(PillowImage.new("RGB", (300, 200), "gray")))
    assert not page.exception
    assert "No face found" in shown_text(page)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "not a picture"),
        (
            encode_image(PillowImage.fromarray(np.random.default_rng(1).integers(0, 255, (99, 99, 3), np.uint8)))[
                :3000
            ],
            "damaged",
        ),
        (encode_image(PillowImage.new("1", (20_000, 4_000))), "too large"),
    ],
    ids=["text", "truncated", "20,000 px wide"],
)
def test_bad_photo_shows_error(page: AppTest, content: bytes, sentence: str) -> None:
    upload_photo(page, "photo.png", content)
    assert not page.exception
    assert sentence in page.error[0].value


@pytest.mark.parametrize("mirror", [True, False])
def test_photo_from_the_camera_is_mirrored_like_the_video(page: AppTest, mirror: bool) -> None:
    left_is_white = np.zeros((60, 80), np.uint8)
    left_is_white[:, :40] = 255
    page.run()
    page.toggle(key="mirror").set_value(mirror).run()
    page.segmented_control(key="mode").set_value("Photo").run()
    page.segmented_control(key="photo_source").set_value(CAMERA).run()
    with patch("pages.parts.live_photo.analyze_photo", return_value=[]):
        picture = encode_image(PillowImage.fromarray(left_is_white))
        page.camera_input[0].set_value(("photo.jpg", picture, "image/jpeg")).run()
    assert not page.exception
    shown = np.asarray(PillowImage.open(io.BytesIO(page.session_state["emojified_photo"].jpeg)).convert("L"))
    left, right = shown[:, :30].mean(), shown[:, 50:].mean()
    assert (left < 20 and right > 235) if mirror else (left > 235 and right < 20)
