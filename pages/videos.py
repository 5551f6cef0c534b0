"""Videos: bring a file, watch it being emojified, compare, take it home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd  # type: ignore[import-untyped]  # brings no types
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.store import list_packs
from emojify.settings import Settings
from emojify.video.cli import duration
from emojify.video.jobs import MAX_AGE_S, Job, JobStore, RenderRequest
from emojify.video.render import IMAGE_SUFFIXES, check_target, is_image
from emojify.video.sink import OUTPUT_FORMATS
from emojify.video.source import VideoSource
from emojify.video.timeline import seconds_csv
from pages.parts.entry import enter_page

enter_page(__file__)

MAX_MB = 200
ESTIMATED_FROM_S = 120.0  # of a shorter video the result is there before anybody could decide
PLAYED_MB = 100  # Streamlit keeps what it plays in memory
PLAYABLE = ("h264", "vp8", "vp9", "av1")
SECONDS_BETWEEN_LOOKS = 1.0
TYPES = ["mp4", "mov", "m4v", "webm", "mkv", "avi", "gif", "png", "jpg", "jpeg", "webp"]
FORMATS = {".mp4": "MP4", ".webm": "WebM", ".gif": "GIF", ".webp": "WebP"}
STYLE_NAMES = {"sticker": "On the face", "side-by-side": "Side by side", "box": "Box and label"}


def bring() -> None:
    brought = st.file_uploader(
        f"Choose a video or a picture, up to {MAX_MB} MB", type=TYPES, max_upload_size=MAX_MB, key="brought"
    )
    found = list_packs(settings.emojis)
    names = found.labels
    choices = st.container(horizontal=True, gap="large")
    pack_id = choices.selectbox("Emoji pack", list(names), format_func=names.__getitem__, key="video_pack", width=260)
    style = choices.segmented_control(
        "Where it appears", list(STYLE_NAMES), default="sticker", required=True, format_func=STYLE_NAMES.__getitem__
    )
    ending = choices.segmented_control(
        "Becomes", list(FORMATS), default=".mp4", required=True, format_func=FORMATS.__getitem__,
        help="GIF and WebP loop, without sound, at most 480 pixels wide and a minute long. Pictures become PNG.",
    )  # fmt: skip
    ready = brought is not None and pack_id is not None
    if st.button("Emojify it", type="primary", icon=":material/movie:", disabled=not ready) and brought is not None:
        try:
            begin(brought, RenderRequest(brought.name, str(ending), str(pack_id), str(style)))
        except EmojifyError as error:
            st.error(str(error).replace("--seconds", "the command line's --seconds"))
    if brought is None:
        st.caption("It is worked on here, on this machine, and goes nowhere else.")


def begin(brought: UploadedFile, request: RenderRequest) -> None:
    """Keep the file, look whether it can be, and start."""
    job = store.add(brought.getbuffer(), request)
    kept_as = job.source.name
    try:
        if is_image(job.source):
            job = store.change_suffix(job, suffix=".png")
        check_target(job.source, job.target, overwrite=False)
        job.start(estimate_only=not is_image(job.source) and length_s(job.source) > ESTIMATED_FROM_S)
    except EmojifyError as error:
        job.delete()
        raise EmojifyError(str(error).replace(kept_as, request.name)) from error
    st.query_params["video"] = job.token
    st.session_state.pop("moment", None)
    st.rerun()


def length_s(path: Path) -> float:
    with VideoSource(path) as video:
        return video.info.duration_s or 0.0


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def wait(job: Job) -> None:
    report = job.report()
    if report["state"] not in ("waiting", "running"):
        st.rerun()
    share = report.get("share") or 0.0
    left_s = report.get("left_s")
    left = f"about {duration(left_s)} left" if left_s is not None else "starting …"
    st.progress(share, f"{share:.0%} · {left}")
    st.caption("You may reload this page or come back later: the work goes on.")
    if st.button("Cancel", icon=":material/close:"):
        job.stop()


def offer_start(job: Job, report: dict[str, Any]) -> None:
    guess = report["estimate"]
    st.info(
        f"This is {duration(guess['duration_s'])} of video. It will take about {duration(guess['seconds'])}, "
        f"and the file will have about {guess['size_bytes'] / 1e6:.0f} MB."
    )
    show_begin(job, "Go on", "Leave it")


def show_begin(job: Job, begin_label: str, leave_label: str) -> None:
    with st.container(horizontal=True):
        begun = st.button(begin_label, type="primary", icon=":material/play_arrow:")
        show_delete(job, leave_label)
    if begun:
        try:
            job.start()
        except EmojifyError as error:
            st.error(str(error))
        else:
            st.rerun()


def show_delete(job: Job, label: str) -> None:
    if st.button(label, icon=":material/delete:"):
        try:
            job.delete()
        except EmojifyError as error:
            st.error(str(error))
        else:
            leave()


def leave() -> None:
    st.query_params.pop("video", None)
    st.rerun()


def show_result(job: Job, outcome: dict[str, Any]) -> None:
    for note in outcome["notes"]:
        st.warning(note.replace(job.source.name, job.request.name))
    moment_s = float(st.session_state.get("moment", 0.0))
    before, after = st.columns(2)
    with before:
        st.caption("Before")
        show(job.source, moment_s)
    with after:
        st.caption("After")
        show(job.target, moment_s)
    with st.container(horizontal=True):
        st.download_button(
            "Download", lambda: job.target.read_bytes(), job.request.result_name, mime(job),
            type="primary", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        show_delete(job, "Delete and bring another")
    if outcome["timeline"] is not None:
        show_timeline(job, outcome["timeline"])


def mime(job: Job) -> str:
    return OUTPUT_FORMATS[job.request.suffix].mime if job.request.suffix in OUTPUT_FORMATS else "image/png"


def show(path: Path, moment_s: float) -> None:
    if path.stat().st_size > PLAYED_MB * 1_000_000:
        st.info("It is too large to be played here.")
    elif is_image(path) or path.suffix in (".gif", ".webp", *IMAGE_SUFFIXES):
        st.image(str(path))
    else:
        with VideoSource(path) as video:
            codec = video.info.codec
        if not any(codec.startswith(known) or codec.endswith(known) for known in PLAYABLE):
            st.info(f"Browsers may not play this kind of file ({codec}); the result they do.")
        st.video(str(path), start_time=int(moment_s))


def show_timeline(job: Job, timeline: dict[str, Any]) -> None:
    st.subheader("What the main face showed", anchor=False)
    st.caption("Click into the chart to jump there.")
    event = st.altair_chart(strip(timeline), key="strip", on_select="rerun", selection_mode="clicked")
    clicked = event["selection"].get("clicked", [])
    if clicked and float(clicked[0]["from"]) != st.session_state.get("moment"):
        st.session_state.moment = float(clicked[0]["from"])
        st.rerun()
    seconds = timeline["seconds"]
    table = pd.DataFrame({"seconds": seconds.values()}, index=pd.Index(seconds, name="emotion"))
    left, right = st.columns([2, 1])
    left.dataframe(table.style.format("{:.1f}"), width="stretch")
    right.download_button(
        "Seconds as CSV", seconds_csv(seconds), f"{Path(job.request.name).stem}-emotions.csv", "text/csv",
        icon=":material/table:", on_click="ignore",
    )  # fmt: skip


def strip(timeline: dict[str, Any]) -> alt.Chart:
    """A column for each piece of the video, divided among the seven."""
    bin_s = timeline["bin_s"]
    rows = [
        (number * bin_s, (number + 1) * bin_s, emotion.label, share, int(emotion))
        for number, shares in enumerate(timeline["bins"])
        for emotion, share in zip(Emotion, shares, strict=True)
    ]
    data = pd.DataFrame(rows, columns=["from", "to", "emotion", "share", "order"])
    colors = alt.Scale(domain=[e.label for e in Emotion], range=[e.color for e in Emotion])
    clicked = alt.selection_point(name="clicked", fields=["from"], on="click", toggle=False)
    return (
        alt.Chart(data)
        .mark_bar(binSpacing=0)
        .encode(
            x=alt.X("from:Q", bin="binned", title="seconds", scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=10)),
            x2="to:Q",
            y=alt.Y("share:Q", stack="zero", title=None, scale=alt.Scale(domain=[0, 1]), axis=None),
            color=alt.Color("emotion:N", scale=colors, legend=alt.Legend(orient="bottom", title=None, columns=4)),
            order="order:Q",
            opacity=alt.condition(clicked, alt.value(1), alt.value(0.55)),
            tooltip=[
                alt.Tooltip("emotion:N"),
                alt.Tooltip("share:Q", format=".0%"),
                alt.Tooltip("from:Q", title="at second", format=".1f"),
            ],
        )
        .add_params(clicked)
        .properties(height=260)
    )


settings = Settings.from_environment()
store = JobStore(settings.data / "videos")
store.remove_old()
st.title("Videos", anchor=False)
token = st.query_params.get("video", "")
current = store.get(token) if token else None
if current is None:
    if token:
        st.info("That video is not here any more.")
    st.markdown("Bring a video or a picture, and get it back with an emoji on every face.")
    bring()
else:
    st.caption(f"{current.request.name} · kept here until you delete it, at most {MAX_AGE_S / 3600:.0f} hours")
    report = current.report()
    match report["state"]:
        case "waiting" | "running":
            wait(current)
        case "estimated":
            offer_start(current, report)
        case "done":
            show_result(current, report["outcome"])
        case "failed":
            st.error(str(report["problem"]).replace(current.source.name, current.request.name))
            show_delete(current, "Bring another")
        case "stopped":
            st.info("Cancelled. Nothing was written.")
            show_delete(current, "Bring another")
        case _:
            st.error("The work ended before it was done. Perhaps the machine was restarted or ran out of memory.")
            show_begin(current, "Try again", "Delete and bring another")
