"""How a button's outcome is told, in the run of the page after the one that did it."""

from __future__ import annotations

import re

import streamlit as st


def plain(text: str) -> str:
    """Text that somebody else wrote, for places that read Markdown: shown as it is, without links or pictures."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def tell_what_was_done() -> None:
    """What ``st.session_state`` has under ``done`` and ``failed``, once."""
    if done := st.session_state.pop("done", None):
        st.toast(plain(done), icon=":material/check:")
    if failed := st.session_state.pop("failed", None):
        st.error(plain(failed))
