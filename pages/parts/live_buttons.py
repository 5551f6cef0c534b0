"""Live page: what can be recorded from the video, and the way to correct a wrong reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.live.booth import SHOTS
from emojify.live.countdown import COUNTDOWN_S
from emojify.live.session import LiveSession
from emojify.pictures import encode_png
from pages.parts.messages import set_error

POLL_INTERVAL_S = 0.5
CLIP_S = 4.0


@dataclass(frozen=True)
class Snapshot:
    """A picture of the emojified video, as a PNG file."""

    content: bytes
    file_name: str


def show_record_buttons(session: LiveSession) -> None:
    """Show the buttons, or the progress of what is being recorded."""
    busy = session.is_recording
    with st.container(horizontal=True, key="live_buttons"):
        st.button("Snapshot", on_click=take_snapshot, args=[session], icon=":material/photo_camera:", disabled=busy)
        st.button(
            "Clip", on_click=session.clip.start, args=[CLIP_S, COUNTDOWN_S], icon=":material/radio_button_checked:",
            help=f"Counts down, then records {CLIP_S:.0f} seconds: a video, a looping picture or a sticker",
            disabled=busy,
        )  # fmt: skip
        st.button(
            "Photo strip", on_click=session.booth.start, icon=":material/burst_mode:", disabled=busy,
            help="Four snapshots, with a countdown before each",
        )  # fmt: skip
    if busy:
        show_progress(session)


def take_snapshot(session: LiveSession) -> None:
    """Keep the newest emojified frame in the session, and let the video flash."""
    try:
        st.session_state.snapshot = make_snapshot(session, datetime.now().astimezone())
    except EmojifyError as error:
        set_error(str(error))
    else:
        session.flash.fire()


def make_snapshot(session: LiveSession, now: datetime) -> Snapshot:
    """Return the newest emojified frame.

    Raises:
        EmojifyError: if there is no frame yet.
    """
    picture = session.processor.snapshot()
    if picture is None:
        raise EmojifyError("There is no picture yet. Wait for the video, then try again.")
    return Snapshot(encode_png(picture), f"emojify {now:%Y-%m-%d %H.%M.%S}.png")


@st.fragment(run_every=POLL_INTERVAL_S)
def show_progress(session: LiveSession) -> None:
    """Show how far a clip or photo strip is, until it is done or cancelled."""
    left_s = session.clip.left_s
    if left_s is not None:
        text = "Get ready" if left_s == CLIP_S else f"Recording: {left_s:.0f} s left"
        st.progress(min(1.0, 1 - left_s / CLIP_S), text)
    elif session.booth.is_active:
        taken = session.booth.shots_taken
        st.progress(taken / SHOTS, f"Look into the camera: shot {taken + 1} of {SHOTS}")
    else:
        st.rerun()  # the whole page shows what is finished
    if st.button("Cancel", icon=":material/close:"):
        session.clip.cancel()
        session.booth.cancel()
        st.rerun()


def show_correction() -> None:
    """Lead to the page that teaches the model, with the emotion chosen that was misread."""
    with st.popover("It got me wrong", icon=":material/school:"):
        st.markdown("What were you showing? Teach it how **you** look then.")
        chosen = st.pills(
            "Emotion", list(Emotion), format_func=lambda emotion: f"{emotion.symbol} {emotion.label}",
            label_visibility="collapsed", key="correction",
        )  # fmt: skip
        if chosen is not None:
            st.session_state.teach_emotion = chosen.label
            st.switch_page("pages/teach.py")
