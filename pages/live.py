"""Live: press Start and see your face as an emoji. A photo works without a camera."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from emojify.errors import EmojifyError
from emojify.live.processor import LiveSettings
from emojify.packs.pack import EmojiPack
from emojify.settings import Settings
from pages.parts.clean_view import show_clean_view, show_clean_view_links
from pages.parts.entry import enter_page
from pages.parts.live_controls import choose_pack_and_style, show_settings
from pages.parts.live_photo import show_photo
from pages.parts.live_recordings import finished_recordings, show_recordings
from pages.parts.live_video import (
    has_room,
    show_current_reading,
    show_expressions,
    show_record_buttons,
    show_video,
)
from pages.parts.messages import show_error
from pages.parts.probability_bars import show_readings

enter_page(__file__)

VIDEO, PHOTO = "Live video", "Photo"
SMALLER_TOP = "<style>.stMainBlockContainer {padding-top: 4.5rem}</style>"


def main() -> None:
    """Show the clean view if the address asks for it, otherwise the page."""
    settings = Settings.from_environment()
    if st.query_params.get("view") == "clean":
        try:
            show_clean_view(settings)
        except EmojifyError as error:
            show_error(error)
    else:
        show_page(settings)


def show_page(settings: Settings) -> None:
    """Show the video or photo on the left, settings below it, and the reading on the right."""
    st.html(SMALLER_TOP)
    left, right = st.columns([5, 3], gap="large")
    with left:
        title_row = st.container(horizontal=True, vertical_alignment="center")
        picture, below_picture = st.container(), st.container()
    with title_row:
        st.title("Emojify", anchor=False, width="content")
        source = st.segmented_control(
            "Source", [VIDEO, PHOTO], default=VIDEO, required=True, key="mode", label_visibility="collapsed"
        )
    with right:
        pack, annotator = choose_pack_and_style(settings)
    with below_picture:
        try:
            live = show_settings(settings, annotator)
        except EmojifyError as error:
            show_error(error)
            return
    if source == PHOTO:
        with picture:
            readings = show_photo(live)
        if readings:
            with right:
                show_readings(readings)
        return
    with picture:
        show_live(settings, live, pack, right)
    with below_picture:
        show_clean_view_links(pack, live)
        st.caption("Frames are processed and discarded: nothing is stored unless you download it.")


def show_live(settings: Settings, live: LiveSettings, pack: EmojiPack, right: DeltaGenerator) -> None:
    """Show the video and, in ``right``, its reading and recordings; what to do while it does not play."""
    session = show_video(settings, live)
    st.session_state.shown_recordings = finished_recordings(session)
    with right:
        if st.session_state.playing:
            show_current_reading(settings, session)
            show_record_buttons(session)
        show_recordings(session, pack)
    if not st.session_state.playing and has_room(session):
        show_expressions(pack)


main()
