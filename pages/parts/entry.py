"""Every page is entered through ``streamlit_app.py``, whatever address somebody opens first."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def require_entry_script() -> None:
    """Send whoever came past the front door back through it; to be called before anything else that a page shows.

    Streamlit takes an app with a folder ``pages`` for one of its older kind until ``st.navigation`` was called once:
    the first address that a fresh server is asked for then runs the page alone, with a menu of file names.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
