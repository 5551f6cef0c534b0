"""The clean view: the video without controls, for a streaming program or a meeting.

Its address has ``view=clean`` and may have ``pack``, ``style``, ``background`` (a key of ``BACKGROUNDS``) and
``show=emoji`` for the emoji on the background alone. Unknown values count as missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from emojify.live.processor import LiveSettings
from emojify.packs.pack import EmojiPack
from emojify.packs.store import DEFAULT_PACK, PackList
from emojify.settings import Settings
from emojify.vision.annotators import DEFAULT_STYLE, STYLES, ChromaKeyAnnotator
from pages.parts.live_controls import create_annotator, open_model
from pages.parts.live_video import show_video
from pages.parts.visitor_pack import available_packs

BACKGROUNDS = {"plain": "#000000", "green": "#00FF00"}
"""The color around the picture. Streaming programs make pure green transparent."""

_CSS = """<style>
[data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stStatusWidget"] {{display: none}}
.stApp, .stMain, [data-testid="stAppViewContainer"] {{background: {color} !important}}
.stMainBlockContainer {{padding: 0 !important; max-width: none !important}}
.stMainBlockContainer > [data-testid="stVerticalBlock"] {{min-height: 100vh; justify-content: center; gap: 0}}
.stMainBlockContainer iframe {{display: block; color-scheme: light; width: min(100vw, 100vh * 4 / 3) !important;
  margin: 0 auto}}
.stMainBlockContainer p {{color: #888}}
</style>"""


@dataclass(frozen=True)
class CleanView:
    """What a clean view shows, from its address.

    Attributes:
        style: a key of ``STYLES``.
        background: a key of ``BACKGROUNDS``.
        emoji_only: whether the background replaces the camera's picture.
    """

    pack: EmojiPack
    style: str
    background: str
    emoji_only: bool

    @classmethod
    def from_query(cls, query: Mapping[str, str], packs: PackList) -> CleanView:
        """Read an address. Packs and styles are named by their id or their label.

        Raises:
            EmojifyError: if the default pack is needed and missing.
        """
        by_name = {packs.labels[pack.id]: pack for pack in packs.packs} | {pack.id: pack for pack in packs.packs}
        style_by_name = {style.label: key for key, style in STYLES.items()} | {key: key for key in STYLES}
        background = query.get("background", "")
        return cls(
            pack=by_name.get(query.get("pack", DEFAULT_PACK)) or packs.get(DEFAULT_PACK),
            style=style_by_name.get(query.get("style", ""), DEFAULT_STYLE),
            background=background if background in BACKGROUNDS else "plain",
            emoji_only=query.get("show") == "emoji",
        )


def show_clean_view(settings: Settings) -> None:
    """Show the video as the address says, with the live model and default settings.

    Raises:
        EmojifyError: if there is no pack or no model.
    """
    view = CleanView.from_query(dict(st.query_params), available_packs(settings))
    annotator = create_annotator(view.style, view.pack)
    color = BACKGROUNDS[view.background]
    if view.emoji_only:
        annotator = ChromaKeyAnnotator(annotator, color)
    opened = open_model(settings, "")
    st.html(_CSS.format(color=color))
    show_video(settings, LiveSettings(opened.classifier, annotator))
    _hide_controls()


def _hide_controls() -> None:
    """Hide the video component's buttons while it plays. They are in a frame of their own, so CSS can't reach them."""
    component = st.components.v2.component(
        "emojify_clean_view",
        html="<span></span>",
        js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    )
    component(key="clean_view")


def show_clean_view_links() -> None:
    """Show the links to clean views with the pack and style that are chosen on this page."""
    with st.expander("For OBS or a meeting", icon=":material/present_to_all:"):
        st.caption(
            "Open a clean view in its own window and press Start there. In OBS, add it as a Window Capture; for the "
            "green one, add a Chroma Key filter too."
        )
        chosen = "".join(f"&{key}={quote(value)}" for key, value in st.query_params.items() if key in ("pack", "style"))
        with st.container(horizontal=True):
            st.link_button("Picture only", f"?view=clean{chosen}")
            st.link_button("Emoji on green", f"?view=clean&background=green&show=emoji{chosen}")
