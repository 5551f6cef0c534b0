"""Results and messages: how all pages report the outcome of an action.

A button calls its action through ``run_action``. The page calls ``show_result`` once, where the message belongs::

    st.button("Delete", on_click=run_action, args=[delete, pack])  # delete() returns "Cats is deleted."
    ...
    show_result()                # a toast that goes away by itself; an error stays for one run of the page
    show_result(persistent=True)  # a box that stays in place until the next action

An action returns the sentence to show, or None. It raises ``EmojifyError`` for a problem that the user can solve. Code
that is not called by a button stores its message with ``set_success`` or ``set_error`` before it calls ``st.rerun()``.
An error that belongs to the current run of the page is shown in place with ``show_error(error)``.

Messages are plain text. They often contain names that users typed, so every function here escapes Markdown; callers
must not escape again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from emojify.errors import EmojifyError
from emojify.printable import printable


@dataclass(frozen=True)
class Result:
    """What an action reported."""

    message: str
    failed: bool


NEW_RESULT, _SHOWN_RESULT = "new_result", "shown_result"  # keys of the session state


_WORD_JOINER = "\u2060"  # invisible, without a width
_TRIGGERS = re.compile(
    r"(?<=:)(?=\S)"  # http://, :streamlit:, :red[...]
    r"|(?<=@)(?=\w)|(?<=www)(?=\.)"
    r"|(?<=[-<>=~])(?=[-<>=~])",  # shown as arrows and dashes otherwise
    re.IGNORECASE,
)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def escape_markdown(text: str) -> str:
    """Return ``text`` so that Streamlit's Markdown shows it unchanged: without links, images, icons or formatting.

    Every text that a person or a file gave goes through this function, names and errors above all. Indents are left
    out, since Markdown would show code. Unprintable characters become visible, see :func:`emojify.printable.printable`.
    """
    # A backslash ends everything that Markdown itself knows. Streamlit looks for addresses, its logo and arrows
    # afterwards, when the backslashes are gone: an invisible character inside them ends those.
    text = _TRIGGERS.sub(_WORD_JOINER, _INDENT.sub("", printable(text)))
    return _PUNCTUATION.sub(r"\\\g<0>", text)


def run_action(action: Callable[..., str | None], *args: Any) -> None:
    """Call ``action(*args)``; store its sentence, or the text of its EmojifyError, for ``show_result``."""
    st.session_state.pop(_SHOWN_RESULT, None)
    try:
        message = action(*args)
    except EmojifyError as error:
        set_error(str(error))
    else:
        if message:
            set_success(message)


def set_success(message: str) -> None:
    """Store a message for the next ``show_result``."""
    st.session_state[NEW_RESULT] = Result(message, failed=False)


def set_error(message: str) -> None:
    """Store an error for the next ``show_result``."""
    st.session_state[NEW_RESULT] = Result(message, failed=True)


def show_result(*, persistent: bool = False) -> None:
    """Show the stored result, if one is stored.

    Args:
        persistent: show a success in a box as well as in a toast, and repeat the result in every run of the page until
            the next action.
    """
    new: Result | None = st.session_state.pop(NEW_RESULT, None)
    result = new
    if persistent:
        result = st.session_state[_SHOWN_RESULT] = result or st.session_state.get(_SHOWN_RESULT)
    if result is None:
        return
    if result.failed:
        st.error(escape_markdown(result.message))
    elif persistent:
        st.success(escape_markdown(result.message), icon=":material/check:")
    if new is not None and not new.failed:  # the box may be out of view
        st.toast(escape_markdown(new.message), icon=":material/check:")


def show_error(error: EmojifyError | str) -> None:
    """Show an error in place, in the current run of the page."""
    st.error(escape_markdown(str(error)))
