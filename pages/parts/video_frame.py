"""Camera errors in plain words, and the right height for the iframe of the video component."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HTML = '<div class="advice" role="alert" hidden></div>'
_CSS = """.advice {padding: .7rem 1rem; border-radius: .6rem; color: var(--st-text-color);
  background: var(--st-secondary-background-color); border-left: .3rem solid #D55E00}"""


def show_camera_errors() -> None:
    """Show camera errors at this place, below the video, and keep the iframe's height right. Empty without an error."""
    component = st.components.v2.component(
        "emojify_video_frame",
        html=_HTML,
        css=_CSS,
        js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    )
    component(key="video_frame")
