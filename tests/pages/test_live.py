"""The live page as a script, without the video component, which needs a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock, patch
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit_webrtc import WebRtcMode

from emojify.emotions import LABELS, Emotion
from emojify.live.countdown import COUNTDOWN_S
from emojify.live.processor import EmojiVideoProcessor
from emojify.live.session import LiveSession
from emojify.vision.annotators import ChromaKeyAnnotator, Sticker
from emojify.vision.detectors.haar import DetectorSettings
from emojify.vision.readings import Box, Face, Reading
from emojify.vision.smoothing import SmoothingSettings
from pages.parts.live_buttons import CLIP_S
from pages.parts.live_keys import obey
from tests.helpers.live_frames import frame_of, processed_frame
from tests.helpers.page_driver import labels, open_app, press, shown_text
from tests.helpers.stores import write_model

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_workspace")]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def page(streamer: MagicMock) -> AppTest:
    return open_app()


def test_widgets_wait_for_the_browsers_choices(page: AppTest, streamer: MagicMock) -> None:
    page.session_state.choices_restored = False
    page.run()
    assert not page.exception
    assert "Emojify" in shown_text(page)
    assert not page.selectbox
    streamer.assert_not_called()


def test_first_view_shows_emoji_and_next_step(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "Press Start" in shown_text(page)
    assert all(label in shown_text(page) for label in LABELS)


def test_component_uses_no_outside_servers_or_sound(page: AppTest, streamer: MagicMock) -> None:
    page.run()
    arguments = streamer.call_args.kwargs
    assert arguments["server_rtc_configuration"] == arguments["frontend_rtc_configuration"] == {"iceServers": []}
    assert arguments["media_stream_constraints"]["audio"] is False
    attributes = arguments["video_html_attrs"]
    assert (attributes["playsInline"], attributes["muted"], attributes["autoPlay"]) == (True, True, True)


def test_sample_face_plays_without_a_camera(page: AppTest, streamer: MagicMock) -> None:
    page.run()
    with patch("streamlit_webrtc.create_video_source_track") as source:
        press(page, "No camera? Try a sample face")
    assert not page.exception
    arguments = streamer.call_args.kwargs
    assert (arguments["mode"], arguments["desired_playing_state"]) == (WebRtcMode.RECVONLY, True)
    assert arguments["source_video_track"] is source.return_value
    assert "media_stream_constraints" not in arguments
    assert arguments["server_rtc_configuration"] == {"iceServers": []}
    page.segmented_control(key="mode").set_value("Live video").run()
    assert streamer.call_args.kwargs["mode"] is WebRtcMode.SENDRECV


def test_busy_machine_shows_frame_rates(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.run()
    assert not page.info
    status = page.session_state["live_session"].processor.status()
    behind = replace(status, fps=9.0, camera_fps=30.0, running_s=10.0)
    with patch.object(EmojiVideoProcessor, "status", return_value=behind):
        page.run()
    assert any("9 of 30 frames a second" in info.value for info in page.info)
    with patch.object(EmojiVideoProcessor, "status", return_value=replace(behind, fps=29.0)):
        page.run()
    assert not page.info


def test_playing_video_shows_reading_and_frame_rate(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.run()
    assert not page.exception
    assert "No face in view" in shown_text(page)
    assert "frames/s" in shown_text(page)
    assert "Press Start" not in shown_text(page)


def test_processor_takes_changed_settings(page: AppTest) -> None:
    page.run()
    processor = page.session_state["live_session"].processor
    page.slider(key="threshold").set_value(0.8)
    page.toggle(key="mirror").set_value(False)
    page.segmented_control(key="style").set_value("box").run()
    assert not page.exception
    assert page.session_state["live_session"].processor is processor
    live = processor._settings
    assert (live.smoothing.threshold, live.mirror, type(live.annotator).__name__) == (0.8, False, "BoxLabel")


def test_choosing_pack_changes_annotator(page: AppTest) -> None:
    page.run()
    before = page.session_state["live_session"].processor._settings.annotator
    page.selectbox(key="pack").set_value("squares").run()
    assert page.session_state["live_session"].processor._settings.annotator is not before


def test_broken_pack_is_named_and_skipped(page: AppTest, packs_folder: Path) -> None:
    (packs_folder / "classic" / "sad.png").unlink()
    page.run()
    assert not page.exception
    assert "The pack classic has no picture for: sad." in shown_text(page)
    assert page.selectbox(key="pack").options == ["Squares"]


def test_missing_packs_show_what_to_do(page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(tmp_path / "nowhere"))
    page.run()
    assert not page.exception
    assert "Restore the folder emojis/" in shown_text(page)


def test_missing_models_show_error_and_no_video(
    page: AppTest, streamer: MagicMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "nowhere"))
    page.run()
    assert not page.exception
    assert "No model can be opened" in shown_text(page)
    assert not streamer.called


def test_damaged_model_is_named_and_replaced(page: AppTest, models_folder: Path, tiny_model: bytes) -> None:
    write_model(models_folder / "better", tiny_model)
    (models_folder / "live.json").write_text('{"history": ["seed", "better"]}')
    path = models_folder / "better" / "model.tflite"
    path.write_bytes(path.read_bytes()[:-100])
    page.run()
    assert not page.exception
    assert "better is damaged" in shown_text(page)
    assert "Using seed instead" in shown_text(page)
    assert page.session_state["live_session"].processor._settings.classifier.name == "seed"


def download_labels(page: AppTest) -> list[str]:
    return [getattr(button.proto, "label", "") for button in page.get("download_button")]


def record_clip(page: AppTest, streamer: MagicMock, faces: bool) -> AppTest:
    streamer.return_value.state.playing = True
    page.run()
    next(button for button in page.button if button.label == "Clip").click()
    page.run()
    session: LiveSession = page.session_state["live_session"]
    box = Box(100, 80, 90, 90)
    readings = (Reading(Face(box, 1), np.full(7, 1 / 7, np.float32), Emotion.HAPPY, True),) if faces else ()
    assert "Get ready" in shown_text(page)
    for number in range(round((COUNTDOWN_S + CLIP_S) * 30) + 5):
        session.clip.add_frame(processed_frame(np.zeros((240, 320, 3), np.uint8), number / 30, readings))
    return run_until_encoded(page.run())


def run_until_encoded(page: AppTest) -> AppTest:
    while "Making the file" in shown_text(page):
        page.run()
    return page


def test_clip_is_offered_in_every_format(page: AppTest, streamer: MagicMock) -> None:
    record_clip(page, streamer, faces=True)
    assert not page.exception
    assert page.pills(key="clip_kind").options == ["MP4", "WebP", "GIF", "Sticker, WebP", "Sticker, GIF"]
    assert "Download clip" in download_labels(page)
    run_until_encoded(page.pills(key="clip_kind").set_value("Sticker, WebP").run())
    assert not page.exception
    assert "Your clip" in [getattr(image, "alt", "") for element in page.get("image") for image in element.proto.imgs]
    streamer.return_value.state.playing = False
    page.run()
    assert download_labels(page) == ["Download clip"]
    press(page, "Discard")
    assert download_labels(page) == []


def test_clip_without_face_offers_no_sticker(page: AppTest, streamer: MagicMock) -> None:
    record_clip(page, streamer, faces=False)
    assert not page.exception
    assert page.pills(key="clip_kind").options == ["MP4", "WebP", "GIF"]


def test_photo_strip_is_offered(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.run()
    next(button for button in page.button if button.label == "Photo strip").click()
    page.run()
    session: LiveSession = page.session_state["live_session"]
    for number in range(300):
        session.booth.add_frame(processed_frame(np.zeros((24, 32, 3), np.uint8), number / 20))
    page.run()
    assert not page.exception
    assert "Download strip" in download_labels(page)


@pytest.mark.parametrize("label", ["Clip", "Photo strip"])
def test_recording_can_be_cancelled(page: AppTest, streamer: MagicMock, label: str) -> None:
    streamer.return_value.state.playing = True
    page.run()
    press(page, label)
    session: LiveSession = page.session_state["live_session"]
    assert session.is_recording
    assert [button.label for button in page.button if button.disabled] == ["Snapshot", "Clip", "Photo strip"]
    press(page, "Cancel")
    assert not session.is_recording
    assert "Cancel" not in labels(page)
    assert not any(button.disabled for button in page.button)


def test_snapshot_is_shown_with_its_time_and_can_be_discarded(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.run()
    press(page, "Snapshot")
    assert "There is no picture yet" in shown_text(page)
    session: LiveSession = page.session_state["live_session"]
    session.processor.process(frame_of(np.full((48, 64, 3), 90, np.uint8)))
    press(page, "Snapshot")
    assert not page.exception
    assert "Download snapshot" in download_labels(page)
    snapshot = page.session_state["snapshot"]
    assert re.fullmatch(r"emojify \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png", snapshot.file_name)
    assert snapshot.content.startswith(b"\x89PNG")
    shown = session.processor.process(frame_of(np.full((48, 64, 3), 90, np.uint8)))
    assert (shown.to_ndarray(format="bgr24") > 250).all()  # the flash
    press(page, "Discard")
    assert "snapshot" not in page.session_state


def test_wrong_reading_leads_to_teaching_that_emotion(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.run()
    page.pills(key="correction").set_value(Emotion.SAD).run()
    assert not page.exception
    assert page.title[0].value == "Teach it your face"
    assert page.pills(key="teach_emotion").value == "sad"


def test_settings_can_be_reset(page: AppTest) -> None:
    page.run()
    page.slider(key="threshold").set_value(0.8)
    page.slider(key="min_neighbors").set_value(9)
    page.toggle(key="mirror").set_value(False).run()
    press(page, "Reset all settings")
    assert not page.exception
    live = page.session_state["live_session"].processor._settings
    assert (live.smoothing, live.detection, live.mirror) == (SmoothingSettings(), DetectorSettings(), True)


@pytest.mark.parametrize("pressed", ["snapshot", "pack 2", "pack 9", "pack 0", "pack 12", None, 7, ["pack 1"]])
def test_keys_take_snapshots_and_choose_packs(page: AppTest, pressed: object) -> None:
    page.run()
    session: LiveSession = page.session_state["live_session"]
    session.processor.process(frame_of(np.zeros((48, 64, 3), np.uint8)))
    with patch("pages.parts.live_keys.st") as keys, patch("pages.parts.live_buttons.st") as buttons:
        keys.session_state.pack = "classic"
        buttons.session_state.snapshot = None
        obey(pressed, session, ["classic", "squares"])
    assert keys.session_state.pack == ("squares" if pressed == "pack 2" else "classic")
    assert (buttons.session_state.snapshot is not None) == (pressed == "snapshot")


def test_clean_view_has_no_controls(page: AppTest, streamer: MagicMock) -> None:
    page.query_params.update({"view": "clean", "background": "green", "show": "emoji", "pack": "Squares"})
    page.run()
    assert not page.exception
    assert streamer.called
    for kind in ("selectbox", "button", "slider", "title", "button_group", "download_button", "expander"):
        assert not page.get(kind)
    annotator = page.session_state["live_session"].processor._settings.annotator
    assert isinstance(annotator, ChromaKeyAnnotator)
    assert (annotator.annotate(np.zeros((24, 32, 3), np.uint8), []) == (0, 255, 0)).all()


@pytest.mark.parametrize("query", [{"pack": "nope"}, {"style": "nope"}, {"background": "nope"}, {"show": "nope"}])
def test_clean_view_ignores_unknown_values(page: AppTest, streamer: MagicMock, query: dict[str, str]) -> None:
    page.query_params.update({"view": "clean", **query})
    page.run()
    assert not page.exception
    assert isinstance(page.session_state["live_session"].processor._settings.annotator, Sticker)


def test_clean_view_links_follow_changes_at_once(page: AppTest) -> None:
    page.run()
    page.toggle(key="mirror").set_value(False)
    page.slider(key="threshold").set_value(0.6)
    page.selectbox(key="pack").set_value("squares").run()
    for link in page.get("link_button"):
        query = dict(parse_qsl(link.proto.url.removeprefix("?")))
        assert (query["pack"], query["mirror"], query["threshold"]) == ("squares", "0", "0.6")
    assert len(page.get("link_button")) == 2


def test_clean_view_takes_settings_from_address(page: AppTest) -> None:
    page.query_params.update({"view": "clean", "mirror": "0", "smoothing": "0.1", "threshold": "0.6"})
    page.run()
    live = page.session_state["live_session"].processor._settings
    assert (live.mirror, live.smoothing.time_constant_s, live.smoothing.threshold) == (False, 0.1, 0.6)
