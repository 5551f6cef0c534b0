"""What is different for visitors of a public copy: their own pack, and pages that are closed. Not a page of its own."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from emojify.packs.importer import Draft
from emojify.packs.pack import EmojiPack
from emojify.packs.store import PackList, add_pack, list_packs
from emojify.public import REFUSAL, is_visitor
from emojify.settings import Settings

VISITOR_PACK_NOTE = "A pack of your own is yours alone: it lives in this tab, and is gone once you close or reload it."


def available_packs(settings: Settings) -> PackList:
    """Those of the store, and this visitor's own one, if they brought one to a public copy."""
    found = list_packs(settings.emojis)
    own: EmojiPack | None = st.session_state.get("own_pack")
    return found if own is None else replace(found, packs=(*found.packs, own))


def save_pack(settings: Settings, draft: Draft) -> EmojiPack:
    """Into the store; a visitor's into their session and nowhere else, in place of the one before.

    Raises:
        EmojifyError: if it lacks a name or a picture, or the store does not take it.
    """
    if not is_visitor():
        return add_pack(settings.emojis, draft)
    st.session_state.own_pack = EmojiPack.from_draft(draft)
    own: EmojiPack = st.session_state.own_pack
    return own


def require_admin() -> None:
    """Ends the page for visitors of a public copy. Not in the navigation; a fresh Streamlit knows its address."""
    if is_visitor():
        st.info(REFUSAL)
        st.stop()
