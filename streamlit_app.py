"""The front door: which pages there are."""

import streamlit as st

from emojify.errors import EmojifyError
from emojify.settings import Settings

st.set_page_config(page_title="Emojify", page_icon="😄", layout="wide")
try:
    public = Settings.from_environment().public
except EmojifyError as error:
    st.error(str(error))
    st.stop()
pages = [
    st.Page("pages/live.py", title="Live", icon=":material/videocam:", default=True),
    st.Page("pages/teach.py", title="Teach it your face", icon=":material/school:"),
    st.Page("pages/videos.py", title="Videos", icon=":material/movie:"),
    st.Page("pages/emoji_packs.py", title="Emoji packs", icon=":material/add_reaction:"),
    st.Page("pages/avatar_maker.py", title="Make an avatar", icon=":material/face_retouching_natural:"),
    st.Page("pages/training.py", title="Training", icon=":material/model_training:"),
]
for_visitors = ("Live", "Emoji packs", "Make an avatar")  # what the others are for is closed in public mode
st.navigation(
    [page for page in pages if not public or page.title in for_visitors],
    position="top",  # a sidebar would take a quarter of the video's width
).run()
