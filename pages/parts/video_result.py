"""Videos page: a finished video before and after, its download, and its emotions over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # has no type hints
import streamlit as st

from emojify.pictures import read_photo_file
from emojify.video.jobs import Job
from emojify.video.render import is_image
from emojify.video.sink import OUTPUT_FORMATS
from emojify.video.source import VideoSource
from emojify.video.timeline import seconds_csv
from pages.parts.emotion_chart import CLICKED, emotion_chart
from pages.parts.messages import escape_markdown

MAX_PLAYED_MB = 100  # Streamlit keeps the videos that it plays in memory
PLAYABLE_CODECS = ("h264", "vp8", "vp9", "av1")
ANIMATION_SUFFIXES = (".gif", ".apng", ".webp")  # browsers show them as pictures


def show_before_and_after(job: Job) -> None:
    """Show the file beside the result. Two videos play in step."""
    before, after = st.columns(2)
    with before:
        st.caption("Before")
        show_file(job.source)
    with after:
        st.caption("After")
        show_file(job.target)
    component = st.components.v2.component(
        "emojify_in_step", html="<span></span>", js=Path(__file__).with_name("in_step.js").read_text(encoding="utf-8")
    )
    component(key="in_step", data={"start_s": st.session_state.get("start_s"), "jump": st.session_state.get("jump", 0)})


def show_download(job: Job, is_primary: bool = True) -> None:
    """Show the button that downloads the result."""
    st.download_button(
        "Download", lambda: job.target.read_bytes(), job.request.result_name, result_mime(job),
        type="primary" if is_primary else "secondary", icon=":material/download:", on_click="ignore",
        key=f"download_{job.token}",
    )  # fmt: skip


def result_mime(job: Job) -> str:
    return OUTPUT_FORMATS[job.request.suffix].mime if job.request.suffix in OUTPUT_FORMATS else "image/png"


def show_file(path: Path) -> None:
    """Show a picture, or play a video."""
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
        st.video(str(path))


def show_timeline(job: Job, timeline: dict[str, Any]) -> None:
    """Show the emotions over time, their seconds, and a download of those."""
    st.subheader("Emotions of the main face", anchor=False)
    st.caption("Click the chart to jump to that moment.")
    # A new key after each jump clears the selection, so that a second click on the same column is reported too.
    jump = st.session_state.get("jump", 0)
    event = st.altair_chart(
        emotion_chart(timeline, st.session_state.get("start_s")),
        key=f"emotion_chart_{jump}", on_select="rerun", selection_mode=CLICKED,
    )  # fmt: skip
    if clicked := event["selection"].get(CLICKED, []):
        st.session_state.start_s, st.session_state.jump = float(clicked[0]["from"]), jump + 1
        st.rerun()
    seconds = timeline["seconds"]
    table = pd.DataFrame({"seconds": seconds.values()}, index=pd.Index(seconds, name="emotion"))
    left, right = st.columns([2, 1])
    left.dataframe(table.style.format("{:.1f}"), width="stretch")
    right.download_button(
        "Seconds as CSV", seconds_csv(seconds), f"{Path(job.request.name).stem}-emotions.csv", "text/csv",
        icon=":material/table:", on_click="ignore",
    )  # fmt: skip
