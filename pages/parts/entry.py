"""The checks that every page runs before it shows anything: ``enter_page(__file__)``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from emojify.public import ADMIN_ONLY_MESSAGE, is_visitor
from pages.parts.registry import is_for_visitors

_entered: set[str] = set()
"""Names of the pages whose modules this process has imported."""


def show_loading(file: str) -> None:
    """Say that the page is loading, if this process imports its modules for the first time: that takes seconds.

    The place for the message is there in every run. If it were there in some runs only, Streamlit would build what
    follows anew, and live video that just started would end.

    Args:
        file: the page's path, before it runs. Its :func:`enter_page` removes the message.
    """
    place = st.empty()
    if Path(file).name not in _entered:
        place.markdown(":material/hourglass_top: Loading …")
        st.session_state.loading = place


def enter_page(file: str) -> None:
    """Check that the session may open this page, and that it came through ``streamlit_app.py``.

    Args:
        file: the page's ``__file__``.
    """
    _entered.add(Path(file).name)
    loading = st.session_state.pop("loading", None)
    if loading is not None:
        loading.empty()
    require_entry_script()
    require_access(file)


def require_entry_script() -> None:
    """Rerun the session through ``streamlit_app.py`` if the page was started without it.

    Until ``st.navigation`` has been called once, Streamlit assumes that an app with a folder ``pages`` does not
    use it. A page that is the first request to a new server then runs alone, with a menu of file names.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def require_access(file: str) -> None:
    """Show a message and stop the page if it is not for visitors and the session is one.

    The menu does not list such a page, but its address still works.
    """
    if not is_for_visitors(file) and is_visitor():
        st.info(ADMIN_ONLY_MESSAGE)
        st.stop()
