"""Training: add data, start and watch a fit, see what it learned, put its model live."""

from __future__ import annotations

import streamlit as st

from pages.parts.entry import enter_page
from pages.parts.messages import show_result
from pages.training_views import data, golive, train, understand
from pages.training_views.common import data_store

enter_page(__file__)

VIEWS = {"Data": data.show, "Train": train.show, "Understand": understand.show, "Go live": golive.show}


def main() -> None:
    """Show the menu of views and the chosen view."""
    st.title("Training", anchor=False)
    st.session_state.setdefault("training_view", "Train" if data_store().datasets() else "Data")
    view = st.segmented_control(
        "View",
        list(VIEWS),
        required=True,
        key="training_view",
        label_visibility="collapsed",
        persist_state="session",
        bind="query-params",
    )
    show_result()
    VIEWS[str(view)]()


main()
