"""Training: data in, a fit launched and watched, what it learned, and its model live."""

from __future__ import annotations

import streamlit as st

from pages.parts.front_door import come_in
from pages.parts.own_pack import not_for_visitors
from pages.parts.told import tell_what_was_done
from pages.training_views import data, golive, train, understand
from pages.training_views.common import data_store

come_in()

VIEWS = {"Data": data.show, "Train": train.show, "Understand": understand.show, "Go live": golive.show}
STYLE = "<style>.stMainBlockContainer {padding-top: 3rem}</style>"

not_for_visitors()
st.html(STYLE)
st.title("Training", anchor=False)
st.session_state.setdefault("training_view", "Train" if data_store().sets() else "Data")
view = st.segmented_control(
    "View",
    list(VIEWS),
    required=True,
    key="training_view",
    label_visibility="collapsed",
    persist_state="session",
    bind="query-params",
)
tell_what_was_done()
VIEWS[str(view)]()
