"""Looks after the video component from outside: camera errors in words, and the height of its frame."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HTML = '<div class="advice" role="alert" hidden></div>'
_CSS = """.advice {padding: .7rem 1rem; border-radius: .6rem; color: var(--st-text-color);
  background: var(--st-secondary-background-color); border-left: .3rem solid #D55E00}"""


def look_after_video_frame() -> None:
    """Put it below the video, where a sentence about the camera should appear; it takes no room until there is one."""
    component = st.components.v2.component(
        "emojify_video_frame",
        html=_HTML,
        css=_CSS,
        js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    )
    component(key="video_frame")
