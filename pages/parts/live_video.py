"""Live page: the video of a session, its reading, and what can be recorded from it."""

from __future__ import annotations

import streamlit as st

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.live.processor import EmojiVideoProcessor, LiveSettings, LiveStatus
from emojify.live.session import LiveSession
from emojify.live.session_limiter import FULL_MESSAGE
from emojify.models import ModelStore
from emojify.packs.pack import EmojiPack
from emojify.pictures import encode_png
from emojify.settings import Settings
from pages.parts.live_recordings import finished_recordings
from pages.parts.messages import escape_markdown
from pages.parts.probability_bars import show_readings
from pages.parts.stream import show_stream

POLL_INTERVAL_S = 0.5
CLIP_S = 4.0


def show_video(settings: Settings, live: LiveSettings) -> LiveSession:
    """Show the session's video, or that all places are taken; ``st.session_state.playing`` says whether it plays."""
    if "live_session" not in st.session_state:
        st.session_state.live_session = LiveSession.create(live)
    session: LiveSession = st.session_state.live_session
    session.processor.configure(live)
    st.session_state.playing = False
    if has_room(session):
        try:
            st.session_state.playing = show_stream("live", session.processor, settings)
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
    """Show the main face's reading, the frame rate, and what is being recorded."""
    if ModelStore(settings.models).live_id != st.session_state.live_model:
        st.rerun()  # another model was promoted
    status = session.processor.status()
    if status.refused:
        st.rerun()  # another session took the last place, so the page shows that in place of the video
    show_readings(status.readings)
    _show_frame_rate(status)
    _show_recording_progress(session)


def _show_frame_rate(status: LiveStatus) -> None:
    faces = f" · {len(status.readings)} faces" if len(status.readings) > 1 else ""
    st.caption(f"{status.fps:.0f} frames/s · {status.latency_ms:.0f} ms a frame · {status.dropped} dropped{faces}")
    if status.is_behind:
        st.info(
            f"This machine is too busy: it shows {status.fps:.0f} of {status.camera_fps:.0f} frames a second, always "
            "the newest. Close other programs, or come back when fewer people use live video here."
        )
    if status.problem:
        problem = escape_markdown(status.problem)
        st.warning(f"{status.failed} frames could not be read and are shown unchanged ({problem}).")


def _show_recording_progress(session: LiveSession) -> None:
    left_s = session.clip.left_s
    if left_s is not None:
        st.caption(f":red[●] Recording: {left_s:.0f} s left")
    elif session.booth.is_active:
        st.caption(":red[●] Look into the camera: the picture counts down to each of four shots")
    if finished_recordings(session) != st.session_state.get("shown_recordings"):
        st.rerun()  # the whole page shows a finished recording


def show_record_buttons(session: LiveSession) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Snapshot", lambda: take_snapshot(session.processor), "emojified.png", "image/png",
            icon=":material/photo_camera:", on_click="ignore",
        )  # fmt: skip
        st.button(
            "Clip", on_click=session.clip.start, args=[CLIP_S], icon=":material/radio_button_checked:",
            help=f"Records {CLIP_S:.0f} seconds, for a video, a looping picture or a sticker",
        )  # fmt: skip
        st.button(
            "Photo strip", on_click=session.booth.start, icon=":material/burst_mode:",
            help="Four snapshots, with a countdown before each",
        )  # fmt: skip


def take_snapshot(processor: EmojiVideoProcessor) -> bytes:
    """Return the newest emojified frame as a PNG file.

    Raises:
        EmojifyError: if there is no frame yet.
    """
    picture = processor.snapshot()
    if picture is None:
        raise EmojifyError("There is no picture yet. Wait for the video, then try again.")
    return encode_png(picture)
