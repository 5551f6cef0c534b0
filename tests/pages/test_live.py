"""The live page as a script: everything but the video component, which needs a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock, patch

import numpy as np
import pytest
import streamlit as st
from PIL import Image as PillowImage
from streamlit.testing.v1 import AppTest

from emojify.emotions import LABELS, Emotion
from emojify.live.processor import EmojiVideoProcessor
from emojify.live.session import LiveSession
from emojify.vision.annotators import ChromaKeyAnnotator, Sticker
from emojify.vision.readings import Box, Face, Image, Reading
from tests.helpers.live_frames import processed_frame
from tests.helpers.pack_files import encode_image
from tests.helpers.page_driver import open_app, shown_text
from tests.helpers.stores import write_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _small_workspace(models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))
    st.cache_resource.clear()


@pytest.fixture
def page(streamer: MagicMock) -> AppTest:
    return open_app()


def bring(page: AppTest, name: str, content: bytes) -> AppTest:
    page.run()
    page.segmented_control(key="mode").set_value("Photo").run()
    return page.file_uploader[0].set_value((name, content, "image/png")).run()


def test_the_first_page_shows_the_seven_faces_and_says_what_to_do(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "Press Start" in shown_text(page)
    assert all(label in shown_text(page) for label in LABELS)


def test_the_component_is_set_up_without_outside_servers_and_without_sound(page: AppTest, streamer: MagicMock) -> None:
    page.run()
    asked = streamer.call_args.kwargs
    assert asked["server_rtc_configuration"] == asked["frontend_rtc_configuration"] == {"iceServers": []}
    assert asked["media_stream_constraints"]["audio"] is False


def test_a_machine_with_too_much_to_do_says_so(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.run()
    assert not page.info
    late = replace(page.session_state["live_session"].processor.status(), fps=9.0, camera_fps=30.0)
    with patch.object(EmojiVideoProcessor, "status", return_value=late):
        page.run()
    assert any("9 of 30 frames a second" in said.value for said in page.info)
    with patch.object(EmojiVideoProcessor, "status", return_value=replace(late, fps=29.0)):
        page.run()
    assert not page.info


def test_while_playing_the_bars_and_the_figures_are_there(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.run()
    assert not page.exception
    assert "No face in view" in shown_text(page)
    assert "frames/s" in shown_text(page)
    assert "Press Start" not in shown_text(page)


def test_the_processor_stays_the_same_and_takes_changed_settings(page: AppTest) -> None:
    page.run()
    processor = page.session_state["live_session"].processor
    page.slider(key="threshold").set_value(0.8)
    page.toggle(key="mirror").set_value(False)
    page.segmented_control(key="style").set_value("box").run()
    assert not page.exception
    assert page.session_state["live_session"].processor is processor
    live = processor._settings
    assert (live.smoothing.threshold, live.mirror, type(live.annotator).__name__) == (0.8, False, "BoxLabel")


def test_choosing_a_pack_changes_the_pictures(page: AppTest) -> None:
    page.run()
    before = page.session_state["live_session"].processor._settings.annotator
    page.selectbox(key="pack").set_value("squares").run()
    assert page.session_state["live_session"].processor._settings.annotator is not before


def test_a_broken_pack_is_named_and_the_other_one_is_used(page: AppTest, packs_folder: Path) -> None:
    (packs_folder / "classic" / "sad.png").unlink()
    page.run()
    assert not page.exception
    assert "The pack classic has no picture for: sad." in shown_text(page)
    assert page.selectbox(key="pack").options == ["Squares"]


def test_without_any_pack_the_page_says_what_to_do(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(tmp_path / "nowhere"))
    page.run()
    assert not page.exception
    assert "Restore the folder emojis/" in shown_text(page)


def test_without_any_model_the_page_says_so_and_offers_no_start(
    page: AppTest, streamer: MagicMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "nowhere"))
    page.run()
    assert not page.exception
    assert "No model can be opened" in shown_text(page)
    assert not streamer.called


def test_a_damaged_model_is_named_and_the_last_good_one_reads_on(
    page: AppTest, models_folder: Path, tiny_model: bytes
) -> None:
    write_model(models_folder / "better", tiny_model)
    (models_folder / "live.json").write_text('{"history": ["seed", "better"]}')
    path = models_folder / "better" / "model.tflite"
    path.write_bytes(path.read_bytes()[:-100])
    page.run()
    assert not page.exception
    assert "better is damaged" in shown_text(page)
    assert "Using seed instead" in shown_text(page)
    assert page.session_state["live_session"].processor._settings.classifier.name == "seed"


def test_a_photo_shows_its_reading_and_can_be_downloaded(page: AppTest, happy_astronaut: Image) -> None:
    bring(page, "me.png", encode_image(PillowImage.fromarray(happy_astronaut[:, :, ::-1])))
    assert not page.exception
    assert "😄 happy" in shown_text(page)
    assert [getattr(button, "label", None) for button in page.get("download_button")] == ["Download"]


def test_a_photo_without_a_face_says_so_and_what_helps(page: AppTest) -> None:
    bring(page, "wall.png", encode_image(PillowImage.new("RGB", (300, 200), "gray")))
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
def test_a_bad_photo_is_refused_in_a_sentence(page: AppTest, content: bytes, sentence: str) -> None:
    bring(page, "photo.png", content)
    assert not page.exception
    assert sentence in page.error[0].value


def offered(page: AppTest) -> list[str]:
    return [getattr(button.proto, "label", "") for button in page.get("download_button")]


def record(page: AppTest, streamer: MagicMock, faces: bool) -> AppTest:
    streamer.return_value.state.playing = True
    page.run()
    next(button for button in page.button if button.label == "Clip").click()
    page.run()
    session: LiveSession = page.session_state["live_session"]
    box = Box(100, 80, 90, 90)
    readings = (Reading(Face(box, 1), np.full(7, 1 / 7, np.float32), Emotion.HAPPY, True),) if faces else ()
    for number in range(130):
        session.clip.add_frame(processed_frame(np.zeros((240, 320, 3), np.uint8), number / 30, readings))
    return page.run()


def test_a_clip_is_offered_in_every_form_and_stays_after_stop(page: AppTest, streamer: MagicMock) -> None:
    record(page, streamer, faces=True)
    assert not page.exception
    assert page.pills(key="clip_kind").options == ["MP4", "WebP", "GIF", "Sticker, WebP", "Sticker, GIF"]
    assert "Download clip" in offered(page)
    page.pills(key="clip_kind").set_value("Sticker, WebP").run()
    assert not page.exception
    assert "Your clip" in [getattr(image, "alt", "") for shown in page.get("image") for image in shown.proto.imgs]
    streamer.return_value.state.playing = False
    page.run()
    assert offered(page) == ["Download clip"]


def test_a_clip_without_a_face_offers_no_sticker(page: AppTest, streamer: MagicMock) -> None:
    record(page, streamer, faces=False)
    assert not page.exception
    assert page.pills(key="clip_kind").options == ["MP4", "WebP", "GIF"]


def test_a_photo_strip_is_offered(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.run()
    next(button for button in page.button if button.label == "Photo strip").click()
    page.run()
    session: LiveSession = page.session_state["live_session"]
    for number in range(300):
        session.booth.add_frame(processed_frame(np.zeros((24, 32, 3), np.uint8), number / 20))
    page.run()
    assert not page.exception
    assert "Download strip" in offered(page)


def test_the_clean_view_has_the_video_and_no_controls(page: AppTest, streamer: MagicMock) -> None:
    page.query_params.update({"view": "clean", "background": "green", "show": "emoji", "pack": "Squares"})
    page.run()
    assert not page.exception
    assert streamer.called
    for kind in ("selectbox", "button", "slider", "title", "button_group", "download_button", "expander"):
        assert not page.get(kind)
    annotator = page.session_state["live_session"].processor._settings.annotator
    assert isinstance(annotator, ChromaKeyAnnotator)
    assert (annotator.annotate(np.zeros((24, 32, 3), np.uint8), []) == (0, 255, 0)).all()


@pytest.mark.parametrize("asked", [{"pack": "nope"}, {"style": "nope"}, {"background": "nope"}, {"show": "nope"}])
def test_a_clean_view_of_something_unknown_is_the_plain_one(
    page: AppTest, streamer: MagicMock, asked: dict[str, str]
) -> None:
    page.query_params.update({"view": "clean", **asked})
    page.run()
    assert not page.exception
    assert isinstance(page.session_state["live_session"].processor._settings.annotator, Sticker)
