"""A sentence for each way in which a camera can fail to start, shown under the video."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HTML = '<div class="advice" role="alert" hidden></div>'
_CSS = """.advice {padding: .7rem 1rem; border-radius: .6rem; color: var(--st-text-color);
  background: var(--st-secondary-background-color); border-left: .3rem solid #D55E00}"""


def camera_help() -> None:
    """Put it where the sentence should appear; it takes no room until there is something to say."""
    component = st.components.v2.component(
        "emojify_camera_help",
        html=_HTML,
        css=_CSS,
        js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    )
    component(key="camera_help")
