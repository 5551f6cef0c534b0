"""Videos page: the choice of a version, and what starts, opens and deletes its job."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from emojify.errors import EmojifyError
from emojify.packs.store import list_packs
from emojify.settings import Settings
from emojify.video.jobs import Job, JobStore, RenderRequest
from emojify.video.render import check_target, is_image
from emojify.video.source import VideoSource
from emojify.vision.annotators import DEFAULT_STYLE, STYLES, STYLES_HELP
from pages.parts.messages import show_error

ESTIMATE_FROM_S = 120.0  # a shorter video is done before its estimate could help to decide
FORMATS = {".mp4": "MP4", ".webm": "WebM", ".gif": "GIF", ".webp": "WebP"}


def choose_version(settings: Settings, name: str, prefix: str) -> RenderRequest | None:
    """Show the choices of pack, style and format; return them as a request, or None if there is no pack.

    Args:
        settings: of this copy.
        name: of the file.
        prefix: makes the widgets' keys unique on the page.
    """
    pack_names = list_packs(settings.emojis).labels
    choices = st.container(horizontal=True, gap="medium")
    pack_id = choices.selectbox(
        "Emoji pack", list(pack_names), format_func=pack_names.__getitem__, key=f"{prefix}_pack", width=260
    )
    style = choices.segmented_control(
        "Where it appears", list(STYLES), default=DEFAULT_STYLE, required=True, key=f"{prefix}_style",
        format_func=lambda key: STYLES[key].label, help=STYLES_HELP,
    )  # fmt: skip
    suffix = choices.segmented_control(
        "Save as", list(FORMATS), default=".mp4", required=True, key=f"{prefix}_format",
        format_func=FORMATS.__getitem__,
        help="GIF and WebP loop, without sound, at most 480 pixels wide and a minute long. Pictures become PNG.",
    )  # fmt: skip
    return None if pack_id is None else RenderRequest(name, str(suffix), str(pack_id), str(style))


def describe_version(request: RenderRequest) -> str:
    """Return the style and format of a version, ``"On the face · MP4"``."""
    style = STYLES.get(request.style)
    format_name = FORMATS.get(request.suffix) or request.suffix.removeprefix(".").upper()
    return f"{style.label if style else request.style} · {format_name}"


def start_job(store: JobStore, job: Job) -> None:
    """Check that a new job's file can be rendered, start its process, and rerun the page with its address.

    Raises:
        EmojifyError: if the file can't be rendered or the process can't be started. The job is then deleted.
    """
    stored_name, name = job.source.name, job.request.name
    try:
        if is_image(job.source):
            job = store.change_suffix(job, suffix=".png")
        check_target(job.source, job.target, overwrite=False)
        job.start(estimate_only=not is_image(job.source) and _length_s(job.source) > ESTIMATE_FROM_S)
    except EmojifyError as error:
        job.delete()
        sentence = str(error).replace(stored_name, name).replace("--seconds", "the command line's --seconds")
        raise EmojifyError(sentence) from error
    open_job(job)
    st.rerun()


def _length_s(path: Path) -> float:
    with VideoSource(path) as video:
        return video.info.duration_s or 0.0


def open_job(job: Job) -> None:
    """Show this job from the next run of the page on."""
    st.query_params["video"] = job.token
    st.session_state.pop("start_s", None)


def close_job() -> None:
    """Show the upload form from the next run of the page on."""
    st.query_params.pop("video", None)


def delete_job(job: Job) -> None:
    """Delete a job, or say why that fails."""
    try:
        job.delete()
    except EmojifyError as error:
        show_error(error)
    else:
        close_job()
        st.rerun()
