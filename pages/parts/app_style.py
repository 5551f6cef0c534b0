"""Style of all pages that the theme in ``.streamlit/config.toml`` has no setting for."""

from __future__ import annotations

import streamlit as st

_STYLE = """<style>
.stMainBlockContainer {padding-top: 4.5rem}
h1 {padding-top: 0 !important}
[class*="st-key-stored_"] {position: absolute}
[data-testid="stCheckbox"] label > span:first-child {border-radius: .25rem}
@media (max-width: 640px) {
  .stMainBlockContainer {padding: 4rem .75rem 2rem}
  [data-testid="stExpandSidebarButton"]::after {content: "Menu"; padding-left: .3rem}
  [data-testid="stExpandSidebarButton"] {width: auto}
  h1 {font-size: 1.9rem !important}
}
</style>"""
# Streamlit writes white on the primary color, which is light in the dark theme: 2.8:1.
_DARK_STYLE = """<style>
button[kind^="primary"]:enabled, button[kind^="primary"]:enabled * {color: #17141F !important}
</style>"""


def show_style() -> None:
    """Apply the style to the page."""
    st.html(_STYLE + (_DARK_STYLE if st.context.theme.type == "dark" else ""))
