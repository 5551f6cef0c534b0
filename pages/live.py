"""Live: press Start and see your face as an emoji. A photo works without a camera."""

from __future__ import annotations

import streamlit as st

from emojify.errors import EmojifyError
from emojify.live.processor import LiveSettings
from emojify.live.session import LiveSession
from emojify.packs.pack import EmojiPack
from emojify.public import is_visitor
from emojify.settings import Settings
from pages.parts.clean_view import show_clean_view, show_clean_view_links
from pages.parts.entry import enter_page
from pages.parts.live_buttons import show_correction, show_record_buttons
from pages.parts.live_controls import choose_pack_and_style, show_settings
from pages.parts.live_keys import show_keys
from pages.parts.live_photo import show_photo
from pages.parts.live_recordings import show_recordings
from pages.parts.live_timeline import show_timeline
from pages.parts.live_video import has_room, show_current_reading, show_expressions, show_statistics, show_video
from pages.parts.messages import show_error, show_result
from pages.parts.probability_bars import show_readings
from pages.parts.remembered import has_restored_choices, remember_choices, restore_choices
from pages.parts.visitor_pack import available_packs

enter_page(__file__)

VIDEO, SAMPLE, PHOTO = "Live video", "Sample face", "Photo"
# On a phone the columns are one below the other: video, reading and buttons come first, the choices after them.
STYLE = """<style>
@media (max-width: 640px) {
  .stHorizontalBlock:has(> .stColumn) {gap: .5rem}
  .stMainBlockContainer .stVerticalBlock {gap: .5rem}
  [data-testid="stLayoutWrapper"]:has(> .st-key-live_choices) {order: 1}
  .st-key-live_buttons button {padding: 0 .5rem}
}
</style>"""


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
    """Show the video or photo on the left; on the right the choices, the reading and what can be recorded."""
    st.html(STYLE)
    left, right = st.columns([5, 3], gap="large")
    with left:
        title_row = st.container(horizontal=True, vertical_alignment="center")
        picture = st.container()
    with title_row:
        st.title("Emojify", anchor=False, width="content")
    if not has_restored_choices():
        restore_choices(list(available_packs(settings).labels))
        return
    with title_row:
        st.session_state.setdefault("mode", VIDEO)
        source = st.segmented_control(
            "Source", [VIDEO, SAMPLE, PHOTO], required=True, key="mode", label_visibility="collapsed"
        )
    with right:
        choices, results = st.container(key="live_choices"), st.container(key="live_results")
    with choices:
        pack, annotator = choose_pack_and_style(settings)
        try:
            live = show_settings(settings, annotator)
        except EmojifyError as error:
            show_error(error)
            return
    if source == PHOTO:
        with picture:
            readings = show_photo(live)
        if readings:
            with results:
                show_readings(readings)
        return
    with picture:
        session = show_live(settings, live, pack, sample=source == SAMPLE)
    with results:
        show_reading_and_recordings(settings, session, pack, sample=source == SAMPLE)
    remember_choices()
    show_clean_view_links(pack, live)
    st.caption("Frames are processed and discarded: nothing is stored unless you download it.")


def show_live(settings: Settings, live: LiveSettings, pack: EmojiPack, *, sample: bool) -> LiveSession:
    """Show the video with its last minute, or what to do while it does not play; return its session."""
    session = show_video(settings, live, sample=sample)
    if st.session_state.playing:
        show_timeline(session)
        show_keys(session, st.session_state.pack_ids)
    elif has_room(session) and not sample:
        show_expressions(pack)
        st.button(
            "No camera? Try a sample face", icon=":material/play_circle:", on_click=choose_sample,
            help="A drawn face moves through the emotions, in place of your camera",
        )  # fmt: skip
    return session


def choose_sample() -> None:
    st.session_state.mode = SAMPLE


def show_reading_and_recordings(settings: Settings, session: LiveSession, pack: EmojiPack, *, sample: bool) -> None:
    playing = bool(st.session_state.playing)
    if playing:
        show_current_reading(settings, session)
        show_record_buttons(session)
        show_result()
    show_recordings(session, pack)
    if playing:
        if not is_visitor() and not sample:
            show_correction()
        show_statistics(session)


main()
