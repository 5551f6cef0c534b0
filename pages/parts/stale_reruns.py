"""Drop rerun requests of a page that the user is leaving.

Upstream: the browser names a page with every request, and keeps naming the old page until the new one has started to
run. A component of the old page that sends a value in between (such as the video's "not playing" once it has loaded)
takes the user back to the old page. Of the clicks that followed the opening of the live page at once, two in a
hundred were lost, and one in ten on a busy machine. No upstream issue is known.

Checked with Streamlit 1.67.0; newer versions are left as they are, and such a click must be repeated. Remove this
module when a click on another page right after opening the live page is never lost without it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

PAGE_CHANGE_S = 3.0  # longer than a page takes to start, also over a slow line


def drop_stale_reruns() -> None:
    """Replace ``AppSession.request_rerun`` by one that ignores stale requests."""
    # The assignment to a method is intended, mypy reports it as a mistake.
    AppSession.request_rerun = _request_rerun_unless_stale  # type: ignore[assignment,method-assign]  # replaces the library's own


@dataclass
class _Navigation:
    """The page that a session is on or goes to.

    Attributes:
        page: Streamlit's hash of that page; "" for the page that the session opened with.
        leaving_until_s: until when requests of another page are stale, in the clock of the caller; 0 if no page change
            is under way.
    """

    page: str = ""
    leaving_until_s: float = 0.0

    def is_stale_rerun(self, request: ClientState, now_s: float) -> bool:
        """Return True if ``request`` comes from a page that is being left; otherwise note its page.

        A click on another page has no widget states, because ``streamlit_app.py`` has no widgets of its own. Every
        other request has them.
        """
        page = request.page_script_hash
        has_widgets = bool(request.widget_states.widgets)
        if has_widgets and page != self.page and now_s < self.leaving_until_s:
            return True
        if not request.fragment_id:  # fragments also run by timer
            self.page = page
            # A request with widgets proves that its page has started, so the page change is over.
            self.leaving_until_s = now_s + PAGE_CHANGE_S if page and not has_widgets else 0.0
        return False


_navigations: WeakKeyDictionary[AppSession, _Navigation] = WeakKeyDictionary()
_original_request_rerun = AppSession.request_rerun


def _request_rerun_unless_stale(session: AppSession, client_state: ClientState | None) -> None:
    """Replace ``AppSession.request_rerun``. All requests of a session come from the server's event loop."""
    navigation = _navigations.setdefault(session, _Navigation())
    if client_state is None or not navigation.is_stale_rerun(client_state, time.monotonic()):
        _original_request_rerun(session, client_state)
