"""Live page: the video of a session, its reading, and how fast it is."""

from __future__ import annotations

import streamlit as st

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.live.processor import LiveSettings
from emojify.live.session import LiveSession
from emojify.live.session_limiter import FULL_MESSAGE
from emojify.models import ModelStore
from emojify.packs.pack import EmojiPack
from emojify.settings import Settings
from pages.parts.live_timeline import show_seconds_download
from pages.parts.messages import escape_markdown
from pages.parts.probability_bars import show_readings
from pages.parts.stream import show_stream

POLL_INTERVAL_S = 0.5
STATISTICS_INTERVAL_S = 2.0


def show_video(settings: Settings, live: LiveSettings, *, sample: bool = False) -> LiveSession:
    """Show the session's video, or that all places are taken; ``st.session_state.playing`` says whether it plays.

    Args:
        settings: of this copy.
        live: of the processor.
        sample: show a drawn face in place of the camera.
    """
    if "live_session" not in st.session_state:
        st.session_state.live_session = LiveSession.create(live)
    session: LiveSession = st.session_state.live_session
    session.processor.configure(live)
    st.session_state.playing = False
    if has_room(session):
        try:
            st.session_state.playing = show_stream(
                "sample" if sample else "live", session.processor, settings, sample=sample
            )
        except EmojifyError as error:
            if not has_room(session):
                st.rerun()  # another session took the last place after this page was shown
            st.info(escape_markdown(str(error)))
    else:
        st.info(f"{FULL_MESSAGE} You can use a photo meanwhile.", icon=":material/hourglass_top:")
        st.button("Try again", icon=":material/refresh:")
    return session


def has_room(session: LiveSession) -> bool:
    """Return True if the session may run live video now."""
    return session.processor.limiter.has_room(session.processor)


def show_expressions(pack: EmojiPack) -> None:
    """Show what to do, and the pack's seven emoji, before the video starts."""
    st.subheader("Press Start, allow the camera, and make a face", anchor=False)
    with st.container(horizontal=True):
        for emotion in Emotion:
            with st.container(width=76, horizontal_alignment="center", gap="xxsmall"):
                st.image(pack.read(emotion), width=72, alt=f"{pack.name}: {emotion.label}")
                st.caption(emotion.label, text_alignment="center")


@st.fragment(run_every=POLL_INTERVAL_S)
def show_current_reading(settings: Settings, session: LiveSession) -> None:
    """Show the main face's reading."""
    if ModelStore(settings.models).live_id != st.session_state.live_model:
        st.rerun()  # another model was promoted
    status = session.processor.status()
    if status.refused:
        st.rerun()  # another session took the last place, so the page shows that in place of the video
    show_readings(status.readings)


@st.fragment(run_every=STATISTICS_INTERVAL_S)
def show_statistics(session: LiveSession) -> None:
    """Show the frame rate on request, and whether the machine is too busy. Nothing below it moves."""
    status = session.processor.status()
    if status.is_behind:
        st.info(
            f"This machine is too busy: it shows {status.fps:.0f} of {status.camera_fps:.0f} frames a second, always "
            "the newest. Close other programs, or come back when fewer people use live video here."
        )
    if status.problem:
        problem = escape_markdown(status.problem)
        st.warning(f"{status.failed} frames could not be read and are shown unchanged ({problem}).")
    with st.expander("Details", icon=":material/speed:"):
        st.caption(
            f"{status.fps:.0f} frames/s · {status.latency_ms:.0f} ms a frame · "
            f"{status.dropped} frames left out because a newer one was there"
        )
        show_seconds_download(session)
