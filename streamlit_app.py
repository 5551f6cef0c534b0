"""The entry script of the app: settings, server and menu. The pages are listed in ``pages/parts/registry.py``.

``streamlit run`` imports this file to get ``app``, the web server, before it answers anybody. It then runs the file as
the script ``__main__`` for each session.
"""

import streamlit as st

from emojify.errors import EmojifyError
from emojify.public import is_visitor, set_claims_provider
from emojify.settings import Settings
from pages.parts.app_style import show_style
from pages.parts.auth import session_claims
from pages.parts.entry import show_loading
from pages.parts.messages import show_error
from pages.parts.registry import menu
from pages.parts.server import patch_server
from pages.parts.session_limit import measure_session_limit
from pages.parts.web_app import middleware, serve


def main() -> None:
    """Prepare the process, then run the page that the session asks for."""
    st.set_page_config(page_title="Emojify", page_icon="😄", layout="wide")
    show_style()
    set_claims_provider(session_claims)
    patch_server()
    try:
        settings = Settings.from_environment()
    except EmojifyError as error:
        show_error(error)
        st.stop()
    entries = menu(settings, visitor=is_visitor(), signed_in=bool(session_claims().get("is_logged_in")))
    pages = {
        entry: st.Page(
            entry.file,
            title=entry.title,
            icon=entry.icon,
            default=entry is entries[0],
            visibility="hidden" if entry.hidden else "visible",
        )
        for entry in entries
    }
    chosen = st.navigation(list(pages.values()), position="top")  # a sidebar would take a quarter of the video's width
    show_loading(next(entry.file for entry, page in pages.items() if page.url_path == chosen.url_path))
    chosen.run()


if __name__ == "__main__":
    main()
else:
    patch_server()
    measure_session_limit()
    app = st.App(__file__, middleware=middleware(), lifespan=serve)
