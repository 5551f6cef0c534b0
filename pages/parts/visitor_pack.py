"""The emoji packs that a session can use, and saving one.

In a public copy, a visitor's own pack is kept in the session and never written to the disk.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from emojify.packs.importer import Draft
from emojify.packs.pack import EmojiPack
from emojify.packs.store import PackList, add_pack, list_packs
from emojify.public import is_visitor
from emojify.settings import Settings

VISITOR_PACK_NOTE = "Only you can see your own pack. It stays in this tab and is gone once you close or reload it."


def available_packs(settings: Settings) -> PackList:
    """Return the stored packs and, last, the session's own pack if it has one."""
    stored = list_packs(settings.emojis)
    own: EmojiPack | None = st.session_state.get("visitor_pack")
    return stored if own is None else replace(stored, packs=(*stored.packs, own))


def save_pack(settings: Settings, draft: Draft) -> EmojiPack:
    """Save a pack: a visitor's in the session, in place of an earlier one; everybody else's in the store.

    Raises:
        EmojifyError: if the draft lacks its name or a picture, or the store refuses it.
    """
    if not is_visitor():
        return add_pack(settings.emojis, draft)
    pack: EmojiPack = EmojiPack.from_draft(draft)
    st.session_state.visitor_pack = pack
    return pack
