"""Videos: upload a file, follow its progress, compare before and after, download the result."""

from __future__ import annotations

from typing import Any

import streamlit as st

from emojify.errors import EmojifyError
from emojify.pictures import SUFFIXES
from emojify.settings import Settings
from emojify.video.cli import duration
from emojify.video.jobs import MAX_AGE_S, Job, JobStore
from emojify.video.source import VIDEO_SUFFIXES
from pages.parts.entry import enter_page
from pages.parts.messages import escape_markdown, show_error
from pages.parts.recent_videos import remember_videos, show_recent_videos
from pages.parts.video_jobs import choose_version, close_job, delete_job, start_job
from pages.parts.video_result import show_before_and_after, show_download, show_timeline

enter_page(__file__)

MAX_MB = 200
POLL_INTERVAL_S = 1.0
TYPES = sorted({*(suffix.removeprefix(".") for suffix in VIDEO_SUFFIXES), *SUFFIXES})


def main() -> None:
    """Show the upload form and this browser's videos, or the video that the address names."""
    settings = Settings.from_environment()
    store = JobStore(settings.data / "videos")
    store.remove_old()
    st.title("Videos", anchor=False)
    token = st.query_params.get("video", "")
    job = store.get(token) if token else None
    remember_videos(store, job)
    if job is not None:
        show_job(settings, store, job)
        return
    if token:
        st.info("That video is no longer here.")
    st.markdown("Upload a video or a picture, and get it back with an emoji on every face.")
    show_upload(store, settings)
    show_recent_videos(store, settings)


# ---- upload ----


def show_upload(store: JobStore, settings: Settings) -> None:
    file = st.file_uploader(
        f"Choose a video or a picture, up to {MAX_MB} MB", type=TYPES, max_upload_size=MAX_MB, key="video_file"
    )
    request = choose_version(settings, file.name if file else "", "video")
    ready = file is not None and request is not None
    clicked = st.button("Emojify it", type="primary", icon=":material/movie:", disabled=not ready)
    if clicked and file is not None and request is not None:
        try:
            start_job(store, store.add(file.getbuffer(), request))
        except EmojifyError as error:
            show_error(error)
    if file is None:
        st.caption("Your file is processed on this machine and sent nowhere else.")


# ---- one video ----


def show_job(settings: Settings, store: JobStore, job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("All videos", icon=":material/arrow_back:", on_click=close_job)
        st.caption(
            f"{escape_markdown(job.request.name)} · kept here until you delete it, at most "
            f"{MAX_AGE_S / 3600:.0f} hours after the upload"
        )
    report = job.report()
    match report["state"]:
        case "waiting" | "running":
            show_progress(job)
        case "estimated":
            show_estimate(job, report["estimate"])
        case "done":
            show_result(settings, store, job, report["outcome"])
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
    st.caption("You can leave this page: it lists your video when you come back with this browser.")
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
        delete_job(job)


# ---- the result ----


def show_result(settings: Settings, store: JobStore, job: Job, outcome: dict[str, Any]) -> None:
    for note in outcome["notes"]:
        st.warning(escape_markdown(note.replace(job.source.name, job.request.name)))
    show_before_and_after(job)
    with st.container(horizontal=True):
        show_download(job)
        show_another_version(settings, store, job)
        show_delete(job, "Delete and upload another")
    if outcome["timeline"] is not None:
        show_timeline(job, outcome["timeline"])


def show_another_version(settings: Settings, store: JobStore, job: Job) -> None:
    """Offer the same file with another pack, style or format, without a new upload."""
    with st.popover("Another version", icon=":material/style:"):
        request = choose_version(settings, job.request.name, "version")
        if st.button("Make it", type="primary", disabled=request is None) and request is not None:
            try:
                start_job(store, store.add_version(job, request))
            except EmojifyError as error:
                show_error(error)


main()
