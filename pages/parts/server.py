"""What Streamlit's server does by itself and should not, and has no setting for. Not a page of its own.

Streamlit 1.67: when a page of another site wants a connection, ``server_util`` asks ``net_util`` for this machine's
addresses: one by a socket, the other from a service on the internet, for up to two seconds in which all sessions wait.

Streamlit 1.67: the browser names the page with everything it sends, and goes on naming the old one until the new one
has begun. What a component of the old page says in between, such as the video's "not playing" when it has loaded, took
the visitor back there: of the clicks that followed the live page's opening at once, two in a hundred were lost, and
one in ten on a busy machine.

uvicorn 0.54: Ctrl-C while a browser leaves over HTTPS raises in ``shutdown``, and Streamlit then waits for its end for
ever, deaf to a second Ctrl-C. Nor is there a limit to how long it waits for a browser that does not answer.
"""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import uvicorn
from starlette.formparsers import MultiPartParser
from streamlit import net_util
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

PAGE_CHANGE_S = 3.0  # longer than a page takes to begin, over a slow line too
SHUTDOWN_TIMEOUT_S = 3  # for what is still being sent when the server is told to end


def patch_server() -> None:
    """Call on every run of the front door, before a page runs; later calls change nothing."""
    net_util.get_external_ip = net_util.get_internal_ip = _unknown
    # mypy takes an assignment to somebody else's method for a slip; these are meant.
    AppSession.request_rerun = _request_rerun_where_the_visitor_is  # type: ignore[assignment,method-assign]  # meant
    WebSocketsSansIOProtocol.shutdown = _shut_connection_down  # type: ignore[assignment,method-assign]  # meant
    uvicorn.Server.shutdown = _shut_server_down  # type: ignore[assignment,method-assign]  # meant


def _unknown() -> None:
    """In place of looking for this machine's addresses.

    Pages of this app connect all the same; other sites that may are named in ``server.corsAllowedOrigins``.
    What is asked for when the server starts, ``browser.serverAddress`` in .streamlit/config.toml answers.
    """
    return None


def keep_uploads_in_memory() -> None:
    """Never on the disk. Streamlit holds all of it in memory afterwards; until then Starlette puts files of more than
    1 MB into the system's temporary folder.
    """
    MultiPartParser.spool_max_size = sys.maxsize


@dataclass
class _Navigation:
    """Where a session goes, by what its browser says: a page as Streamlit's hash, "" for the one it opened with."""

    page: str = ""
    leaving_until_s: float = 0.0

    def is_stale_rerun(self, asked: ClientState, now_s: float) -> bool:
        """Whether this comes from a page that is being left; otherwise it is taken note of.

        A click on another page carries no widgets: ``streamlit_app.py`` has none that stand on all pages.
        """
        page = asked.page_script_hash
        has_widgets = bool(asked.widget_states.widgets)
        if has_widgets and page != self.page and now_s < self.leaving_until_s:
            return True
        if not asked.fragment_id:  # those run by the clock as well
            self.page = page
            self.leaving_until_s = (
                now_s + PAGE_CHANGE_S if page and not has_widgets else 0.0
            )  # who has widgets has arrived
        return False


_navigations: WeakKeyDictionary[AppSession, _Navigation] = WeakKeyDictionary()
_request_rerun = AppSession.request_rerun


def _request_rerun_where_the_visitor_is(session: AppSession, client_state: ClientState | None) -> None:
    """In place of ``AppSession.request_rerun``; a session's requests all come from the server's event loop."""
    navigation = _navigations.setdefault(session, _Navigation())
    if client_state is None or not navigation.is_stale_rerun(client_state, time.monotonic()):
        _request_rerun(session, client_state)


_shutdown_connection = WebSocketsSansIOProtocol.shutdown
_shutdown_server = uvicorn.Server.shutdown


def _shut_connection_down(connection: WebSocketsSansIOProtocol) -> None:
    """In place of ``WebSocketsSansIOProtocol.shutdown``: who is leaving need not be told to leave."""
    try:
        _shutdown_connection(connection)
    except InvalidState:
        connection.transport.close()


async def _shut_server_down(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
    """In place of ``uvicorn.Server.shutdown``: with a limit."""
    server.config.timeout_graceful_shutdown = server.config.timeout_graceful_shutdown or SHUTDOWN_TIMEOUT_S
    await _shutdown_server(server, sockets)
