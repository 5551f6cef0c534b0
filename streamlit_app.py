"""The front door: which pages there are, and for whom."""

import streamlit as st

from emojify.errors import EmojifyError
from emojify.public import is_visitor, set_claims_provider
from emojify.settings import Settings
from pages.parts.auth import session_claims
from pages.parts.server import keep_uploads_in_memory, patch_server

st.set_page_config(page_title="Emojify", page_icon="😄", layout="wide")
set_claims_provider(session_claims)
patch_server()
try:
    settings = Settings.from_environment()
except EmojifyError as error:
    st.error(str(error))
    st.stop()
if settings.public:
    keep_uploads_in_memory()
pages = [
    st.Page("pages/live.py", title="Live", icon=":material/videocam:", default=True),
    st.Page("pages/teach.py", title="Teach it your face", icon=":material/school:"),
    st.Page("pages/videos.py", title="Videos", icon=":material/movie:"),
    st.Page("pages/emoji_packs.py", title="Emoji packs", icon=":material/add_reaction:"),
    st.Page("pages/avatar_maker.py", title="Make an avatar", icon=":material/face_retouching_natural:"),
    st.Page("pages/training.py", title="Training", icon=":material/model_training:"),
]
for_visitors = ("Live", "Emoji packs", "Make an avatar")  # what the others are for is closed to visitors
pages = [page for page in pages if not is_visitor() or page.title in for_visitors]
if settings.public and settings.admins:
    signed_in = bool(session_claims().get("is_logged_in"))
    # Visitors need no signing in, so they are not shown it: whoever looks after this copy knows the address /admin.
    pages.append(
        st.Page(
            "pages/admin.py", title="Admin", icon=":material/admin_panel_settings:",
            visibility="visible" if signed_in else "hidden",
        )
    )  # fmt: skip
st.navigation(pages, position="top").run()  # a sidebar would take a quarter of the video's width
