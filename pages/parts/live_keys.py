"""Live page: the button for the full screen, and keys for what is needed often while the video plays."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from emojify.live.session import LiveSession
from pages.parts.live_buttons import take_snapshot

MAX_PACKS = 9
_HTML = """<div><button type="button">Full screen</button>
<span>Keys: <kbd>space</kbd> snapshot, <kbd>f</kbd> full screen, <kbd>1</kbd> to <kbd>9</kbd> emoji packs</span>
</div>"""
_CSS = """:host, div {display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .8rem; font-size: .85rem;
  font-family: var(--st-font); color: var(--st-text-color)}
button {font: inherit; color: inherit; background: none; cursor: pointer; padding: .3rem .7rem;
  border: 1px solid var(--st-border-color); border-radius: .5rem}
kbd {font: inherit; border: 1px solid var(--st-border-color); border-radius: .3rem; padding: 0 .35rem}
button, span {visibility: hidden}
.obeyed button, .obeyed span {visibility: visible}
@media (hover: none) {span {display: none}}"""
"""The button and the hint appear when the script that obeys them has loaded, not before."""


def show_keys(session: LiveSession, packs: list[str]) -> None:
    """Show the button and a hint, and obey the keys.

    Args:
        session: whose video is photographed.
        packs: ids of the packs that the keys 1 to 9 choose.
    """
    component = st.components.v2.component(
        "emojify_live_keys", html=_HTML, css=_CSS, js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    )
    component(
        key="live_keys",
        data={"packs": min(MAX_PACKS, len(packs))},
        on_pressed_change=lambda: obey(st.session_state.live_keys.get("pressed"), session, packs),
    )


def obey(pressed: object, session: LiveSession, packs: list[str]) -> None:
    """Do what a key stands for. The value comes from the browser: an unknown one does nothing."""
    if pressed == "snapshot" and not session.is_recording:
        take_snapshot(session)
    match = re.fullmatch("pack ([1-9])", pressed) if isinstance(pressed, str) else None
    if match and int(match[1]) <= len(packs):
        st.session_state.pack = packs[int(match[1]) - 1]
