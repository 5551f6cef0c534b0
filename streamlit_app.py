"""The front door: which pages there are."""

import streamlit as st

st.set_page_config(page_title="Emojify", page_icon="😄", layout="wide")
st.navigation([st.Page("pages/live.py", title="Live", icon=":material/videocam:", default=True)]).run()
