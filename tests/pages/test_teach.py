"""The teaching page as a script, without the video component, which needs a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import streamlit as st
from PIL import Image as PillowImage
from streamlit.testing.v1 import AppTest

from emojify import processes
from emojify.emotions import LABELS, Emotion
from emojify.live.face_recorder import Phase, _FrameCounts
from emojify.models import CARD, Model, ModelStore
from emojify.settings import ROOT, Settings
from emojify.teaching import drafts
from emojify.teaching.teach import teach
from emojify.vision.readings import Image
from pages.parts.messages import NEW_RESULT, Result, escape_markdown
from tests.helpers.pack_files import encode_image
from tests.helpers.page_driver import labels, press, shown_text, unescaped
from tests.helpers.recordings import Record

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(base: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EMOJIFY_DATA", str(tmp_path / "data"))
    st.cache_resource.clear()
    st.cache_data.clear()
    return Settings.from_environment()


@pytest.fixture
def page(settings: Settings, streamer: MagicMock) -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "teach.py"), default_timeout=60)


@pytest.fixture
def draft(settings: Settings, base: Model, record: Record) -> Path:
    """A draft that was taught two recordings of angry, not yet kept."""
    store = drafts.sample_store(settings)
    for day in (1, 2):
        store.add(Emotion.ANGRY, record(Emotion.ANGRY, day))
    folder = settings.data / "teachings" / "20260101-120000"
    folder.mkdir(parents=True)
    teach(base, store, folder, lambda done, doing: None)
    return folder


def test_empty_page_shows_next_step_and_folder(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "stay on this machine, in data/samples," in shown_text(page)
    assert "Press Start under the video first" in shown_text(page)
    assert "None yet." in shown_text(page)
    assert all(label in str(page.get("button_group")[0]) for label in LABELS)
    assert [button.disabled for button in page.button if button.label in ("Record happy", "Teach it")] == [True, True]


def test_component_uses_no_outside_servers_or_sound(page: AppTest, streamer: MagicMock) -> None:
    page.run()
    arguments = streamer.call_args.kwargs
    assert arguments["key"] == "teach"
    assert arguments["server_rtc_configuration"] == arguments["frontend_rtc_configuration"] == {"iceServers": []}
    assert arguments["media_stream_constraints"]["audio"] is False


def test_record_starts_countdown_and_cancel_ends_it(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    press(page.run(), "Record happy")
    recorder = page.session_state["teach_recorder"]
    assert (recorder.progress().phase, recorder.progress().emotion) == (Phase.COUNTDOWN, Emotion.HAPPY)
    assert "Get ready to look 😄 happy" in shown_text(page)
    press(page, "Cancel")
    assert recorder.progress().phase is Phase.IDLE


def test_stopped_video_drops_the_recording(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    press(page.run(), "Record happy")
    streamer.return_value.state.playing = False
    page.run()
    assert "nothing was recorded" in shown_text(page)
    assert page.session_state["teach_recorder"].progress().phase is Phase.IDLE


def test_redo_replaces_recording_once_saved(
    page: AppTest, settings: Settings, record: Record, streamer: MagicMock
) -> None:
    streamer.return_value.state.playing = True
    store = drafts.sample_store(settings)
    page.session_state["teach_last"] = store.add(Emotion.SAD, record(Emotion.SAD)).recording
    before = store.samples()
    press(page.run(), "Redo sad")
    recorder = page.session_state["teach_recorder"]
    assert (recorder.progress().phase, recorder.progress().emotion) == (Phase.COUNTDOWN, Emotion.SAD)
    recorder._begins_s -= 10  # time passes without a frame
    page.run()
    assert "nothing was recorded" in shown_text(page)
    assert store.samples() == before

    press(page, "Redo sad")
    recorder._crops, recorder._counts = record(Emotion.SAD, 2), _FrameCounts(frames=90, one_face=90)
    recorder._begins_s -= 10
    page.run()
    assert not page.exception
    assert "different pictures of sad" in unescaped(page.success[0].value)
    assert {sample.recording for sample in store.samples()} == {page.session_state["teach_last"]}
    assert not set(store.samples()) & set(before)


def test_new_recording_hides_the_last_error(page: AppTest, streamer: MagicMock) -> None:
    streamer.return_value.state.playing = True
    page.session_state[NEW_RESULT] = Result("There were several faces in the picture.", failed=True)
    assert page.run().error
    press(page, "Record happy")
    assert not page.error


def test_photo_becomes_sample_of_chosen_emotion(
    page: AppTest, settings: Settings, astronaut: Image, streamer: MagicMock
) -> None:
    streamer.return_value.state.playing = True
    page.run()
    photo = encode_image(PillowImage.fromarray(astronaut[:, :, ::-1]))
    page.file_uploader[0].set_value([("me.png", photo, "image/png")]).run()
    press(page, "Add as happy")
    assert not page.exception
    assert "Kept 1 picture of happy." in unescaped(page.success[0].value)
    assert not any(label.startswith("Redo") for label in labels(page))
    (sample,) = drafts.sample_store(settings).samples()
    assert sample.emotion is Emotion.HAPPY
    assert "It gets " in shown_text(page)
    assert "only one picture of happy" in shown_text(page)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [("wall", "has no faces"), ("two", "has 2 faces"), ("text", "not a picture")],
)
def test_photo_without_single_face_shows_error(
    page: AppTest, settings: Settings, astronaut: Image, picture: str, sentence: str
) -> None:
    face = PillowImage.fromarray(astronaut[:256, 100:356, ::-1])
    two = PillowImage.new("RGB", (512, 256))
    two.paste(face, (0, 0))
    two.paste(face, (256, 0))
    content = {
        "wall": encode_image(PillowImage.new("RGB", (300, 200), "gray")),
        "two": encode_image(two),
        "text": b"hello",
    }
    page.run()
    page.file_uploader[0].set_value([("me.png", content[picture], "image/png")]).run()
    press(page, "Add as happy")
    assert not page.exception
    assert sentence in unescaped(page.error[0].value)
    assert drafts.sample_store(settings).samples() == []


def test_photo_ignores_face_in_background(page: AppTest, settings: Settings, astronaut: Image) -> None:
    face = PillowImage.fromarray(astronaut[:256, 100:356, ::-1])
    photo = PillowImage.new("RGB", (768, 512), "gray")
    photo.paste(face.resize((512, 512)), (0, 0))
    photo.paste(face.resize((200, 200)), (540, 0))
    page.run()
    page.file_uploader[0].set_value([("me.png", encode_image(photo), "image/png")]).run()
    press(page, "Add as happy")
    (sample,) = drafts.sample_store(settings).samples()
    assert sample.box.width > 120  # the face in front


def test_photo_name_is_escaped(page: AppTest) -> None:
    page.run()
    page.file_uploader[0].set_value([("![me](http://x).png", b"hello", "image/png")]).run()
    press(page, "Add as happy")
    assert escape_markdown("![me](http://x).png") in page.error[0].value


def test_draft_can_be_kept_and_undone(page: AppTest, settings: Settings, draft: Path) -> None:
    page.run()
    assert not page.exception
    shown = shown_text(page)
    assert "**You**, held-out recordings" in shown
    assert "**Everyone else**, held-out faces" in shown
    assert page.session_state["teach_processor"]._settings.classifier.name == "model"  # the draft reads the video
    page.segmented_control(key="teach_reader").set_value("as before").run()
    assert page.session_state["teach_processor"]._settings.classifier.name == "seed"

    press(page, "Keep it")
    assert not page.exception
    live_id = ModelStore(settings.models).live_id
    assert live_id.startswith("me-")
    assert page.session_state["model"] == live_id  # the live page's choice
    assert page.session_state["teach_processor"]._settings.classifier.name == live_id
    assert "it was taught your face" in shown_text(page)

    press(page, "Undo")
    assert "“Seed” is live again." in unescaped(page.success[0].value)
    assert ModelStore(settings.models).live_id == page.session_state["model"] == "seed"
    assert page.session_state["teach_processor"]._settings.classifier.name == "seed"


def test_draft_that_learned_nothing_cannot_be_kept(page: AppTest, draft: Path) -> None:
    result = json.loads((draft / "result.json").read_text())
    (draft / "result.json").write_text(json.dumps(result | {"learned": False}))
    page.run()
    assert "It could not learn these pictures" in page.warning[0].value
    assert "Discard" in labels(page)
    assert "Keep it" not in labels(page)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("progress.jsonl", {"error": "The same picture is here as happy and as sad."}, "as happy and as sad"),
        ("result.json", {"learned": False}, "It could not learn these pictures"),
    ],
)
def test_failed_teaching_keeps_the_earlier_draft(
    page: AppTest, draft: Path, file: str, content: dict[str, Any], message: str
) -> None:
    again = draft.with_name("20260101-130000")
    again.mkdir()
    (again / file).write_text(json.dumps(content))
    page.run()
    assert not page.exception
    assert message in unescaped(page.error[0].value)
    assert "3. Try it" in shown_text(page)
    press(page, "Keep it")
    assert "Kept." in unescaped(page.success[0].value)
    assert not page.error
    assert not again.exists()


def test_discard_keeps_the_pictures(page: AppTest, settings: Settings, draft: Path) -> None:
    press(page.run(), "Discard")
    assert not draft.exists()
    assert drafts.sample_store(settings).samples()
    assert "Teach it" in labels(page)


def test_running_teaching_can_be_stopped(
    page: AppTest, settings: Settings, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts.sample_store(settings).add(Emotion.SAD, record(Emotion.SAD))
    started: list[Any] = []
    monkeypatch.setattr(processes, "start", lambda arguments, folder, interactive=False: started.append(arguments))
    monkeypatch.setattr(processes, "is_running", lambda folder: True)
    press(page.run(), "Teach it")
    assert not page.exception
    assert started[0][:3] == ["teach", "--base", "seed"]
    assert "Stop" in labels(page)
    assert "Teach it" not in labels(page)
    monkeypatch.setattr(
        processes, "kill", lambda folder: monkeypatch.setattr(processes, "is_running", lambda folder: False)
    )
    press(page, "Stop")
    assert "Stopped." in unescaped(page.success[0].value)
    assert drafts.find_latest(settings) is None
    assert drafts.sample_store(settings).samples()


def test_ended_process_offers_teaching_again(page: AppTest, draft: Path) -> None:
    (draft / "result.json").unlink()
    page.run()
    assert "stopped before it was done" in unescaped(page.error[0].value)
    assert "Teach it" in labels(page)


def test_look_through_shows_every_picture(page: AppTest, settings: Settings, draft: Path) -> None:
    press(page.run(), "Look through")
    assert not page.exception
    assert len(page.checkbox) == len(drafts.sample_store(settings).samples()) + 2  # and one for each recording


def test_look_through_accepts_renamed_recordings(page: AppTest, settings: Settings, draft: Path) -> None:
    folder = sorted((settings.data / "samples").iterdir())[0]
    folder.rename(folder.with_name("mine"))
    press(page.run(), "Look through")
    assert not page.exception
    named = [unescaped(box.label) for box in page.checkbox if box.label.startswith("The whole")]
    assert "The whole recording of mine" in named
    assert any(re.fullmatch(r"The whole recording of \d\d [A-Z][a-z]+, \d\d:\d\d", label) for label in named)


def test_delete_all_removes_every_file(page: AppTest, settings: Settings, draft: Path) -> None:
    check = settings.data / ".checks" / "samples"  # earlier versions listed recordings as a data set
    check.mkdir(parents=True)
    (check / "report.json").write_text('{"error": "20260101-120000-angry"}')
    press(page.run(), "Delete all pictures")
    assert "All pictures are deleted." in unescaped(page.success[0].value)
    assert [path for path in settings.data.rglob("*") if path.is_file()] == []


def test_model_without_bank_shows_warning(page: AppTest, base: Model) -> None:
    card = {key: value for key, value in base.card.items() if key != "rehearsal"}
    (base.folder / CARD).write_text(json.dumps(card))
    page.run()
    assert not page.exception
    assert "no rehearsal bank" in page.warning[0].value
    assert "Teach it" not in labels(page)


def test_missing_models_show_error(page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "nowhere"))
    page.run()
    assert not page.exception
    assert "No model can be opened" in unescaped(page.error[0].value)
