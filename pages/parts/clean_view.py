"""The clean view: the video without controls, for a streaming program or a meeting.

Its address has ``view=clean`` and may have ``pack``, ``style``, ``model``, ``background`` (a key of ``BACKGROUNDS``),
``show=emoji`` for the emoji on the background alone, ``emoji=each`` for another pack for each person, ``size`` and
``rise`` of the emoji, ``mirror=0`` for a picture as others see it, ``smoothing`` in
seconds and ``threshold``. Unknown values count as missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from emojify.live.processor import LiveSettings
from emojify.models import ModelStore
from emojify.packs.pack import EmojiPack
from emojify.packs.store import DEFAULT_PACK, PackList
from emojify.settings import Settings
from emojify.vision.annotators import DEFAULT_STYLE, STYLES, ChromaKeyAnnotator
from emojify.vision.placement import MAX_RISE, MAX_SIZE, MIN_SIZE, Placement
from emojify.vision.smoothing import SmoothingSettings
from pages.parts.live_controls import (
    MAX_THRESHOLD,
    MAX_TIME_CONSTANT_S,
    chosen_placement,
    create_annotator,
    open_model,
    packs_at_once,
)
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
        mirror: whether the picture is mirrored.
        smoothing: of the live page's settings.
        model: id of the model; empty for the live one.
        placement: of the emoji on the face.
        per_person: whether each face gets another pack, ``pack`` first.
    """

    pack: EmojiPack
    style: str
    background: str
    emoji_only: bool = False
    mirror: bool = True
    smoothing: SmoothingSettings = field(default_factory=SmoothingSettings)
    model: str = ""
    placement: Placement = field(default_factory=Placement)
    per_person: bool = False

    @classmethod
    def from_query(cls, query: Mapping[str, str], packs: PackList, models: Collection[str] = ()) -> CleanView:
        """Read an address. Packs and styles are named by their id or their label.

        Args:
            query: of the address.
            packs: the packs that can be shown.
            models: the ids of the models that can be used.

        Raises:
            EmojifyError: if the default pack is needed and missing.
        """
        by_name = {packs.labels[pack.id]: pack for pack in packs.packs} | {pack.id: pack for pack in packs.packs}
        style_by_name = {style.label: key for key, style in STYLES.items()} | {key: key for key in STYLES}
        background, defaults = query.get("background", ""), SmoothingSettings()
        return cls(
            pack=by_name.get(query.get("pack", DEFAULT_PACK)) or packs.get(DEFAULT_PACK),
            style=style_by_name.get(query.get("style", ""), DEFAULT_STYLE),
            background=background if background in BACKGROUNDS else "plain",
            emoji_only=query.get("show") == "emoji",
            mirror=query.get("mirror") != "0",
            smoothing=SmoothingSettings(
                _number(query, "smoothing", defaults.time_constant_s, MAX_TIME_CONSTANT_S),
                _number(query, "threshold", defaults.threshold, MAX_THRESHOLD),
            ),
            model=query.get("model", "") if query.get("model") in models else "",
            placement=Placement(
                _number(query, "size", 1.0, MAX_SIZE, MIN_SIZE), _number(query, "rise", 0.0, MAX_RISE, -MAX_RISE)
            ),
            per_person=query.get("emoji") == "each",
        )

    def to_query(self) -> str:
        """Return the address's query, from which :meth:`from_query` makes an equal view."""
        query = {
            "view": "clean",
            "pack": self.pack.id,
            "style": self.style,
            "background": self.background,
            "show": "emoji" if self.emoji_only else "",
            "mirror": "" if self.mirror else "0",
            "smoothing": f"{self.smoothing.time_constant_s:g}",
            "threshold": f"{self.smoothing.threshold:g}",
            "model": self.model,
            "size": "" if self.placement.size == 1 else f"{self.placement.size:g}",
            "rise": "" if self.placement.rise == 0 else f"{self.placement.rise:g}",
            "emoji": "each" if self.per_person else "",
        }
        return "?" + urlencode({key: value for key, value in query.items() if value})


def _number(query: Mapping[str, str], key: str, default: float, maximum: float, minimum: float = 0.0) -> float:
    """Return a number from ``minimum`` to ``maximum`` from an address; the default if it is none."""
    try:
        number = float(query.get(key, default))
    except ValueError:
        return default
    return number if minimum <= number <= maximum else default


def show_clean_view(settings: Settings) -> None:
    """Show the video as the address says.

    Raises:
        EmojifyError: if there is no pack or no model.
    """
    models = [model.id for model in ModelStore(settings.models).models()]
    packs = available_packs(settings)
    view = CleanView.from_query(dict(st.query_params), packs, models)
    shown = packs_at_once(view.pack, packs) if view.per_person and view.style == DEFAULT_STYLE else [view.pack]
    annotator = create_annotator(view.style, shown, view.placement)
    color = BACKGROUNDS[view.background]
    if view.emoji_only:
        annotator = ChromaKeyAnnotator(annotator, color)
    opened = open_model(settings, view.model)
    st.html(_CSS.format(color=color))
    live = LiveSettings(opened.classifier, annotator, mirror=view.mirror, smoothing=view.smoothing)
    show_video(settings, live)
    _hide_controls()


def _hide_controls() -> None:
    """Hide the video component's buttons while it plays. They are in a frame of their own, so CSS can't reach them."""
    component = st.components.v2.component(
        "emojify_clean_view",
        html="<span></span>",
        js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    )
    component(key="clean_view")


def show_clean_view_links(pack: EmojiPack, live: LiveSettings) -> None:
    """Show the links to clean views with what is chosen on this page."""
    state = st.session_state
    model = "" if state.model == state.live_model else str(state.model)
    view = CleanView(
        pack, str(state.style), "plain", mirror=live.mirror, smoothing=live.smoothing, model=model,
        placement=chosen_placement(), per_person=bool(state.get("per_person")),
    )  # fmt: skip
    with st.expander("For OBS or a meeting", icon=":material/present_to_all:"):
        st.caption(
            "Open a clean view in its own window and press Start there. In OBS, add it as a Window Capture; for the "
            "green one, add a Chroma Key filter too. Viewers see you as in a mirror; turn that off in the settings."
        )
        with st.container(horizontal=True):
            st.link_button("Picture only", view.to_query())
            st.link_button("Emoji on green", replace(view, background="green", emoji_only=True).to_query())
