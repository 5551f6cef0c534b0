"""The clean view: the picture and nothing else, to be captured by a streaming program or shown in a meeting."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

BACKGROUNDS = {"plain": "#000000", "green": "#00FF00"}
"""By the word in the address: around the picture. Streaming programs make pure green see-through."""

_CSS = """<style>
[data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stStatusWidget"] {{display: none}}
.stApp, .stMain, [data-testid="stAppViewContainer"] {{background: {color} !important}}
.stMainBlockContainer {{padding: 0 !important; max-width: none !important}}
.stMainBlockContainer > [data-testid="stVerticalBlock"] {{min-height: 100vh; justify-content: center; gap: 0}}
.stMainBlockContainer iframe {{display: block; color-scheme: light; width: min(100vw, 100vh * 4 / 3) !important;
  margin: 0 auto}}
.stMainBlockContainer p {{color: #888}}
</style>"""


def clean_css(background: str) -> str:
    """Styles that leave the picture alone on the page."""
    return _CSS.format(color=BACKGROUNDS.get(background, BACKGROUNDS["plain"]))


def hide_controls() -> None:
    """While the video plays, hide the component's buttons, which live in a frame of their own."""
    component = st.components.v2.component(
        "emojify_clean_view",
        html="<span></span>",
        js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    )
    component(key="clean_view")
