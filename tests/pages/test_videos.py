"""The videos page as a script. Where a test needs a result, a real process renders it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from unittest.mock import patch

import av
import cv2
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emojify import processes
from emojify.video.jobs import REPORT, Job, JobStore, RenderRequest
from pages.parts import recent_videos
from tests.helpers.pack_files import folder_contents
from tests.helpers.page_driver import press, shown_text, unescaped
from tests.helpers.sample_videos import SampleVideo, astronaut

pytestmark = pytest.mark.slow


class StateOfSession(dict[str, object]):
    """Stands in for ``st.session_state``: keys are attributes, too."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _small_workspace(models_folder: Path, packs_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    monkeypatch.setenv("EMOJIFY_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(processes, "_lower_priority", lambda *process: None)  # it would take minutes
    st.cache_data.clear()


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "data" / "videos")


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    return SampleVideo().write(tmp_path / "film.mp4").read_bytes()


@pytest.fixture
def page() -> AppTest:
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    return page.switch_page("pages/videos.py").run()


def job_of(page: AppTest, store: JobStore) -> Job:
    """Return the job in the page's address."""
    token = page.query_params["video"]
    job = store.get(token if isinstance(token, str) else token[0])
    assert job is not None
    return job


def upload_video(page: AppTest, name: str, content: bytes) -> AppTest:
    page.file_uploader[0].set_value((name, content, "video/mp4"))
    page.run()
    return press(page, "Emojify it")


def visit(page: AppTest, job: Job, report: dict[str, object] | None) -> AppTest:
    if report is not None:
        (job.folder / REPORT).write_text(json.dumps(report))
    page.query_params["video"] = job.token
    return page.run()


def job_with(store: JobStore, content: bytes, suffix: str = ".mp4") -> Job:
    return store.add(content, RenderRequest("party.mp4", suffix, "classic", "sticker"))


def test_empty_page_shows_upload_form(page: AppTest) -> None:
    assert not page.exception
    assert "get it back with an emoji on every face" in shown_text(page)
    assert "up to 200 MB" in page.file_uploader[0].label
    assert page.selectbox[0].options == ["Classic", "Squares"]
    assert page.button[0].disabled


def test_uploaded_video_is_rendered_and_shown(page: AppTest, film: bytes, store: JobStore) -> None:
    upload_video(page, "my party.mp4", film)
    assert not page.exception
    job = job_of(page, store)
    assert "my party.mp4" in shown_text(page)
    wait_until_done(job)
    page.run()
    assert not page.exception
    labels = [getattr(button.proto, "label", "") for button in page.get("download_button")]
    assert labels == ["Download", "Seconds as CSV"]
    assert len(page.get("video")) == 2
    assert len(page.get("arrow_vega_lite_chart")) + len(page.get("vega_lite_chart")) == 1
    press(page, "Delete and upload another")
    assert store.get(job.token) is None
    assert page.file_uploader


def test_picture_becomes_png(page: AppTest, store: JobStore) -> None:
    upload_video(page, "me.jpg", cv2.imencode(".jpg", astronaut())[1].tobytes())
    assert not page.exception
    job = job_of(page, store)
    assert job.target.name == "out.png"
    job.delete()


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp"])
def test_result_of_every_format_is_shown(page: AppTest, film: bytes, store: JobStore, suffix: str) -> None:
    job = job_with(store, film, suffix)
    job.start()
    wait_until_done(job)
    visit(page, job, None)
    assert not page.exception
    assert next(getattr(button.proto, "label", "") for button in page.get("download_button")) == "Download"
    assert len(page.get("video")) == (1 if suffix in (".gif", ".webp") else 2)
    press(page, "Delete and upload another")
    assert store.get(job.token) is None


@pytest.mark.parametrize(
    "suffix", [".mov", ".3gp", ".mkv", ".avi", ".ts", ".mts", ".wmv", ".flv", ".ogv", ".gif", ".apng"]
)
def test_upload_of_every_suffix_is_offered_and_shown(
    page: AppTest, store: JobStore, tmp_path: Path, suffix: str
) -> None:
    codecs = {
        ".wmv": ("wmv2", "yuv420p"), ".flv": ("flv", "yuv420p"), ".ogv": ("libtheora", "yuv420p"),
        ".gif": ("gif", "rgb8"), ".apng": ("apng", "rgb24"), ".avi": ("mpeg4", "yuv420p"),
    }  # fmt: skip
    codec, pixel_format = codecs.get(suffix, ("libx264", "yuv420p"))
    if codec not in av.codecs_available:
        codec, suffix = "libvpx", ".webm"
    film = SampleVideo(codec=codec, pixel_format=pixel_format, options={}).write(tmp_path / f"film{suffix}")
    assert suffix in page.file_uploader[0].proto.type
    upload_video(page, f"film{suffix}", film.read_bytes())
    assert not page.exception
    job = job_of(page, store)
    wait_until_done(job)
    page.run()
    assert not page.exception
    assert [getattr(button.proto, "label", "") for button in page.get("download_button")]
    job.delete()


def wait_until_done(job: Job) -> None:
    deadline = time.monotonic() + 60
    while job.report()["state"] != "done":
        assert job.report()["state"] in ("waiting", "running"), job.report()
        assert time.monotonic() < deadline, job.report()
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("party.mp4", b"hello", "party.mp4 is not a video that can be opened"),
        ("party.mp4", b"", "party.mp4 is not a video that can be opened"),
        ("list.mp4", b"#EXTM3U\nfile:///etc/passwd\n", "list.mp4 is not a video"),
    ],
)
def test_unreadable_file_is_refused_and_deleted(
    page: AppTest, store: JobStore, name: str, content: bytes, sentence: str
) -> None:
    upload_video(page, name, content)
    assert not page.exception
    assert sentence in unescaped(page.error[0].value)
    assert folder_contents(store.folder) == {}


def test_long_video_waits_for_start_after_estimate(page: AppTest, film: bytes, store: JobStore) -> None:
    with patch("emojify.video.source._duration_s", return_value=7260.0), patch.object(processes, "start") as start:
        upload_video(page, "film.mp4", film)
    assert "--estimate" in start.call_args.args[0]
    job = job_of(page, store)
    estimate = {"duration_s": 7260.0, "seconds": 3000.0, "size_bytes": 900_000_000}
    visit(page, job, {"state": "estimated", "estimate": estimate})
    assert "2 h 1 min of video. It will take about 50 min 0 s" in shown_text(page)
    with patch.object(processes, "start") as start:
        press(page, "Start")
    assert "--estimate" not in start.call_args.args[0]


def test_running_job_shows_progress_and_cancel(page: AppTest, film: bytes, store: JobStore) -> None:
    job = job_with(store, film)
    with patch.object(processes, "is_running", return_value=True), patch.object(processes, "stop") as stop:
        visit(page, job, {"state": "running", "share": 0.42, "left_s": 75.0, "done_s": 3.0})
        assert not page.exception
        assert page.get("progress")[0].proto.text == "42% · about 1 min 15 s left"
        press(page, "Cancel")
    stop.assert_called_once_with(job.folder)
    visit(page, job, {"state": "stopped"})
    assert "Canceled. Nothing was saved." in shown_text(page)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        ({"state": "failed", "problem": "in.mp4 holds no picture."}, "party.mp4 holds no picture."),
        ({"state": "running"}, "This stopped unexpectedly"),
        (None, "This stopped unexpectedly"),
    ],
)
def test_failed_job_shows_reason(
    page: AppTest, film: bytes, store: JobStore, report: dict[str, object] | None, sentence: str
) -> None:
    visit(page, job_with(store, film), report)
    assert not page.exception
    assert sentence in unescaped(page.error[0].value)


def test_lost_job_can_be_restarted(page: AppTest, film: bytes, store: JobStore) -> None:
    job = job_with(store, film)
    visit(page, job, None)
    with patch.object(processes, "start", side_effect=OSError(12, "Cannot allocate memory")):
        press(page, "Try again")
    assert not page.exception
    assert "cannot be started: there is not enough memory" in unescaped(page.error[-1].value)
    with patch.object(processes, "start") as start:
        press(page, "Try again")
    assert start.call_count == 1


def test_notes_use_the_uploaded_name(page: AppTest, film: bytes, store: JobStore) -> None:
    job = job_with(store, film)
    job.target.write_bytes(film)
    outcome = {"notes": ["in.mp4 is cut short.", "No face was found."], "timeline": None}
    visit(page, job, {"state": "done", "outcome": outcome})
    assert not page.exception
    assert [unescaped(warning.value) for warning in page.warning] == ["party.mp4 is cut short.", "No face was found."]


def test_deleted_video_shows_upload_form(page: AppTest) -> None:
    page.query_params["video"] = "x" * 22
    page.run()
    assert not page.exception
    assert "no longer here" in shown_text(page)
    assert page.file_uploader


def test_recent_videos_are_listed_opened_and_deleted(page: AppTest, film: bytes, store: JobStore) -> None:
    finished, lost = job_with(store, film), job_with(store, film)
    (finished.folder / REPORT).write_text(json.dumps({"state": "done", "outcome": {"notes": [], "timeline": None}}))
    finished.target.write_bytes(film)
    page.session_state.video_tokens = [finished.token, lost.token, "gone" * 5]
    page.run()
    assert not page.exception
    text = shown_text(page)
    assert "Your recent videos" in text
    assert text.count("party.mp4") == 2
    assert "Classic · On the face · MP4 · done" in text
    assert "· stopped unexpectedly" in text
    page.button(key=f"delete_{lost.token}").click().run()
    assert store.get(lost.token) is None
    page.button(key=f"open_{finished.token}").click().run()
    assert page.query_params["video"] in (finished.token, [finished.token])
    press(page, "All videos")
    assert "Your recent videos" in shown_text(page)


def test_opened_video_joins_the_browsers_list(page: AppTest, film: bytes, store: JobStore) -> None:
    known, opened = job_with(store, film), job_with(store, film)
    page.session_state.videos_restored = True
    page.session_state.video_tokens = [known.token]
    visit(page, opened, None)
    assert not page.exception
    assert set(page.session_state.video_tokens) == {known.token, opened.token}


@pytest.mark.parametrize("stored", ["", "{}", "[1, null]", '["../../etc"]', "[" * 500, 7, None])
def test_changed_storage_of_the_browser_lists_nothing(stored: object, store: JobStore) -> None:
    with patch.object(recent_videos.st, "session_state", StateOfSession()):
        recent_videos.restore(stored)
        assert recent_videos.recent_videos(store) == []


def test_another_version_needs_no_upload(page: AppTest, film: bytes, store: JobStore) -> None:
    job = job_with(store, film)
    job.target.write_bytes(film)
    visit(page, job, {"state": "done", "outcome": {"notes": [], "timeline": None}})
    page.selectbox(key="version_pack").set_value("squares").run()
    with patch.object(processes, "start"):
        press(page, "Make it")
    assert not page.exception
    version = job_of(page, store)
    assert (version.request.pack, version.request.name) == ("squares", "party.mp4")
    assert version.source.read_bytes() == film
    assert store.get(job.token) is not None
