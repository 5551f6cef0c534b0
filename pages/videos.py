"""Videos: upload a file, follow its progress, compare before and after, download the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # has no type hints
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emojify.errors import EmojifyError
from emojify.packs.store import list_packs
from emojify.pictures import SUFFIXES, read_photo_file
from emojify.settings import Settings
from emojify.video.cli import duration
from emojify.video.jobs import MAX_AGE_S, Job, JobStore, RenderRequest
from emojify.video.render import check_target, is_image
from emojify.video.sink import OUTPUT_FORMATS
from emojify.video.source import VIDEO_SUFFIXES, VideoSource
from emojify.video.timeline import seconds_csv
from emojify.vision.annotators import DEFAULT_STYLE, STYLES, STYLES_HELP
from pages.parts.emotion_chart import CLICKED, emotion_chart
from pages.parts.entry import enter_page
from pages.parts.messages import escape_markdown, show_error

enter_page(__file__)

MAX_MB = 200
ESTIMATE_FROM_S = 120.0  # a shorter video is done before its estimate could help to decide
MAX_PLAYED_MB = 100  # Streamlit keeps the videos that it plays in memory
PLAYABLE_CODECS = ("h264", "vp8", "vp9", "av1")
POLL_INTERVAL_S = 1.0
SMALLER_TOP = "<style>.stMainBlockContainer {padding-top: 3.5rem}</style>"
ANIMATION_SUFFIXES = (".gif", ".apng", ".webp")  # browsers show them as pictures
TYPES = sorted({*(suffix.removeprefix(".") for suffix in VIDEO_SUFFIXES), *SUFFIXES})
FORMATS = {".mp4": "MP4", ".webm": "WebM", ".gif": "GIF", ".webp": "WebP"}


def main() -> None:
    """Show the upload form, or the video that the address names."""
    settings = Settings.from_environment()
    store = JobStore(settings.data / "videos")
    store.remove_old()
    st.html(SMALLER_TOP)
    st.title("Videos", anchor=False)
    token = st.query_params.get("video", "")
    job = store.get(token) if token else None
    if job is not None:
        show_job(job)
        return
    if token:
        st.info("That video is no longer here.")
    st.markdown("Upload a video or a picture, and get it back with an emoji on every face.")
    show_upload(store, settings)


# ---- upload ----


def show_upload(store: JobStore, settings: Settings) -> None:
    file = st.file_uploader(
        f"Choose a video or a picture, up to {MAX_MB} MB", type=TYPES, max_upload_size=MAX_MB, key="video_file"
    )
    pack_names = list_packs(settings.emojis).labels
    choices = st.container(horizontal=True, gap="large")
    pack_id = choices.selectbox(
        "Emoji pack", list(pack_names), format_func=pack_names.__getitem__, key="video_pack", width=260
    )
    style = choices.segmented_control(
        "Where it appears", list(STYLES), default=DEFAULT_STYLE, required=True,
        format_func=lambda key: STYLES[key].label, help=STYLES_HELP,
    )  # fmt: skip
    suffix = choices.segmented_control(
        "Save as", list(FORMATS), default=".mp4", required=True, format_func=FORMATS.__getitem__,
        help="GIF and WebP loop, without sound, at most 480 pixels wide and a minute long. Pictures become PNG.",
    )  # fmt: skip
    ready = file is not None and pack_id is not None
    if st.button("Emojify it", type="primary", icon=":material/movie:", disabled=not ready) and file is not None:
        try:
            start_job(store, file, RenderRequest(file.name, str(suffix), str(pack_id), str(style)))
        except EmojifyError as error:
            show_error(str(error).replace("--seconds", "the command line's --seconds"))
    if file is None:
        st.caption("Your file is processed on this machine and sent nowhere else.")


def start_job(store: JobStore, file: UploadedFile, request: RenderRequest) -> None:
    """Save the file, check that it can be rendered, start its process, and rerun the page with its address.

    Raises:
        EmojifyError: if the file can't be rendered or the process can't be started. The file is then deleted.
    """
    job = store.add(file.getbuffer(), request)
    stored_name = job.source.name
    try:
        if is_image(job.source):
            job = store.change_suffix(job, suffix=".png")
        check_target(job.source, job.target, overwrite=False)
        job.start(estimate_only=not is_image(job.source) and length_s(job.source) > ESTIMATE_FROM_S)
    except EmojifyError as error:
        job.delete()
        raise EmojifyError(str(error).replace(stored_name, request.name)) from error
    st.query_params["video"] = job.token
    st.session_state.pop("start_s", None)
    st.rerun()


def length_s(path: Path) -> float:
    with VideoSource(path) as video:
        return video.info.duration_s or 0.0


# ---- one video ----


def show_job(job: Job) -> None:
    st.caption(
        f"{escape_markdown(job.request.name)} · kept here until you delete it, at most {MAX_AGE_S / 3600:.0f} hours"
    )
    report = job.report()
    match report["state"]:
        case "waiting" | "running":
            show_progress(job)
        case "estimated":
            show_estimate(job, report["estimate"])
        case "done":
            show_result(job, report["outcome"])
        case "failed":
            show_error(str(report["problem"]).replace(job.source.name, job.request.name))
            show_delete(job, "Upload another")
        case "stopped":
            st.info("Canceled. Nothing was saved.")
            show_delete(job, "Upload another")
        case _:
            show_error("This stopped unexpectedly. Perhaps the machine was restarted or ran out of memory.")
            show_start(job, "Try again", "Delete and upload another")


@st.fragment(run_every=POLL_INTERVAL_S)
def show_progress(job: Job) -> None:
    report = job.report()
    if report["state"] not in ("waiting", "running"):
        st.rerun()
    share = report.get("share") or 0.0
    left_s = report.get("left_s")
    left = f"about {duration(left_s)} left" if left_s is not None else "starting …"
    st.progress(share, f"{share:.0%} · {left}")
    st.caption("You can reload or close this page. To come back, keep its address.")
    if st.button("Cancel", icon=":material/close:"):
        job.stop()


def show_estimate(job: Job, estimate: dict[str, Any]) -> None:
    st.info(
        f"This is {duration(estimate['duration_s'])} of video. It will take about {duration(estimate['seconds'])}, "
        f"and the file will have about {estimate['size_bytes'] / 1e6:.0f} MB."
    )
    show_start(job, "Start", "Delete")


def show_start(job: Job, start_label: str, delete_label: str) -> None:
    with st.container(horizontal=True):
        clicked = st.button(start_label, type="primary", icon=":material/play_arrow:")
        show_delete(job, delete_label)
    if clicked:
        try:
            job.start()
        except EmojifyError as error:
            show_error(error)
        else:
            st.rerun()


def show_delete(job: Job, label: str) -> None:
    if st.button(label, icon=":material/delete:"):
        try:
            job.delete()
        except EmojifyError as error:
            show_error(error)
        else:
            st.query_params.pop("video", None)
            st.rerun()


# ---- the result ----


def show_result(job: Job, outcome: dict[str, Any]) -> None:
    for note in outcome["notes"]:
        st.warning(escape_markdown(note.replace(job.source.name, job.request.name)))
    start_s = float(st.session_state.get("start_s", 0.0))
    before, after = st.columns(2)
    with before:
        st.caption("Before")
        show_file(job.source, start_s)
    with after:
        st.caption("After")
        show_file(job.target, start_s)
    with st.container(horizontal=True):
        st.download_button(
            "Download", lambda: job.target.read_bytes(), job.request.result_name, result_mime(job),
            type="primary", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        show_delete(job, "Delete and upload another")
    if outcome["timeline"] is not None:
        show_timeline(job, outcome["timeline"])


def result_mime(job: Job) -> str:
    return OUTPUT_FORMATS[job.request.suffix].mime if job.request.suffix in OUTPUT_FORMATS else "image/png"


def show_file(path: Path, start_s: float) -> None:
    """Show a picture, or play a video from ``start_s`` on."""
    if path.stat().st_size > MAX_PLAYED_MB * 1_000_000:
        st.info("This file is too large to play here.")
    elif path.suffix in ANIMATION_SUFFIXES:
        st.image(str(path))
    elif is_image(path):
        st.image(read_photo_file(path), channels="BGR")  # browsers don't show every format that can be read
    else:
        with VideoSource(path) as video:
            codec = video.info.codec
        if not any(codec.startswith(known) or codec.endswith(known) for known in PLAYABLE_CODECS):
            kind = escape_markdown(codec)
            st.info(f"Your browser may not play this kind of file ({kind}). It can play the result.")
        st.video(str(path), start_time=int(start_s))


def show_timeline(job: Job, timeline: dict[str, Any]) -> None:
    st.subheader("Emotions of the main face", anchor=False)
    st.caption("Click the chart to jump to that moment.")
    event = st.altair_chart(emotion_chart(timeline), key="emotion_chart", on_select="rerun", selection_mode=CLICKED)
    clicked = event["selection"].get(CLICKED, [])
    if clicked and float(clicked[0]["from"]) != st.session_state.get("start_s"):
        st.session_state.start_s = float(clicked[0]["from"])
        st.rerun()
    seconds = timeline["seconds"]
    table = pd.DataFrame({"seconds": seconds.values()}, index=pd.Index(seconds, name="emotion"))
    left, right = st.columns([2, 1])
    left.dataframe(table.style.format("{:.1f}"), width="stretch")
    right.download_button(
        "Seconds as CSV", seconds_csv(seconds), f"{Path(job.request.name).stem}-emotions.csv", "text/csv",
        icon=":material/table:", on_click="ignore",
    )  # fmt: skip


main()
