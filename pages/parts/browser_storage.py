"""Texts that the browser keeps in its own storage, so that the server keeps nothing about its users.

What comes from the browser may have been changed there: check it like an address.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from emojify.files import parse_json

MAX_CHARACTERS = 2000


def request_text(name: str, on_text: Callable[[object], None]) -> None:
    """Ask the browser for a text. It answers once the page is there, and the page then runs again.

    Streamlit can lose the answer, for example if the user opens a page meanwhile. Each call asks anew.

    A widget that gets a new value from ``on_text`` must not be on the page before: if the browser sends anything else
    meanwhile, the value is lost.

    Args:
        name: under which the text is stored.
        on_text: is called before the next run of the page. It gets "" if nothing is stored.
    """
    key = _key(name)
    count = st.session_state[f"{key}_requests"] = st.session_state.get(f"{key}_requests", 0) + 1
    _show(name, None, lambda: on_text(getattr(st.session_state.get(key), "stored", None)), request=count)


def store_text(name: str, text: str) -> None:
    """Store a text in the browser, in place of the one before.

    Args:
        name: under which it is stored.
        text: at most :data:`MAX_CHARACTERS`, or it can't be read again.
    """
    _show(name, text, lambda: None)


def merge_into_stored_list(name: str, texts: list[str]) -> None:
    """Put texts at the front of a list that the browser stores as JSON, so that no tab removes what another has stored.

    Args:
        name: under which the list is stored.
        texts: of at most 25 characters each. The browser keeps the first 60 of the list.
    """
    _show(name, json.dumps(texts), lambda: None, merge=True)


def parse_text(text: object) -> object:
    """Return the value of a JSON text from the browser; None if it is none."""
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None


def _show(name: str, text: str | None, on_stored: Callable[[], None], merge: bool = False, request: int = 0) -> None:
    component = st.components.v2.component(
        "emojify_browser_storage",
        html="<span></span>",
        js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    )
    component(
        key=_key(name),
        data={"name": name, "text": text, "merge": merge, "request": request},
        on_stored_change=on_stored,
    )


def _key(name: str) -> str:
    return f"stored_{name}"
