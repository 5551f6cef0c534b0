"""Changes to the web server for which Streamlit and its libraries have no setting.

Each change below says what the library does, where that is reported, and when to remove the change. A change that
the app can work without is made only with the versions that were tested.
"""

from __future__ import annotations

import socket
import sys

import uvicorn
from starlette.formparsers import MultiPartParser
from streamlit import config, net_util, secrets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.app_session import AppSession
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from emojify.errors import EmojifyError
from emojify.settings import Settings
from emojify.upstream import is_tested
from pages.parts.stale_reruns import drop_stale_reruns

SHUTDOWN_TIMEOUT_S = 3  # for responses that are still being sent when the server is stopped


def patch_server() -> None:
    """Apply all changes: before the server answers, and in every run of the entry script; later calls change nothing.

    Every run, because Streamlit reads its settings again when ``config.toml`` changes.
    """
    block_address_lookup()
    ignore_developer_messages()
    if is_public():
        keep_uploads_in_memory()
        set_public_options()
    if is_tested("streamlit", "1.67.0"):
        drop_stale_reruns()
    if is_tested("uvicorn", "0.54.0"):
        limit_shutdown()


# ---- the look-up of this machine's addresses ----


def block_address_lookup() -> None:
    """Keep Streamlit from asking a service on the internet for this machine's address.

    Upstream: when a page of another site opens a connection, ``server_util`` compares its origin with this machine's
    addresses. ``net_util`` gets one of them from checkip.amazonaws.com. All sessions wait for up to two seconds.
    See streamlit/streamlit#7721, "net_util.get_external_ip from AWS causes disabling CORS" (closed, unchanged).

    The pages of this app still connect. Other sites that may connect are listed in ``server.corsAllowedOrigins``.
    The look-up at start is avoided by ``browser.serverAddress`` in ``.streamlit/config.toml``.

    Checked with Streamlit 1.67.0. Applied in newer versions too, because the app must not contact other
    machines on its own.
    Remove it when ``server_util`` no longer calls ``get_external_ip``.
    """
    net_util.get_external_ip = net_util.get_internal_ip = _no_address


def _no_address() -> None:
    return None


# ---- messages of the page ----

DEVELOPER_MESSAGES = frozenset({"clear_cache", "load_git_info"})


def ignore_developer_messages() -> None:
    """Ignore what only a developer's menu sends, which the app does not show.

    Upstream: ``AppSession.handle_backmsg`` obeys anybody who is connected. ``clear_cache`` empties the caches of all
    sessions; ``load_git_info`` answers with the names of changed files. Neither has a setting. No upstream issue is
    known.

    Checked with Streamlit 1.67.0. Applied in newer versions too, because SECURITY.md promises it.
    Remove it when ``client.toolbarMode`` makes the server refuse these messages.
    """
    # The assignment to a method is intended, mypy reports it as a mistake.
    AppSession.handle_backmsg = _handle_visible_messages  # type: ignore[assignment,method-assign]  # replaces the library's own


_original_handle_backmsg = AppSession.handle_backmsg


def _handle_visible_messages(session: AppSession, message: BackMsg) -> None:
    """Replace ``AppSession.handle_backmsg``."""
    if message.WhichOneof("type") not in DEVELOPER_MESSAGES:
        _original_handle_backmsg(session, message)


# ---- public mode ----

PUBLIC_UPLOAD_MB = 20


def is_public() -> bool:
    """Return True if this copy is public, or if its settings cannot be read.

    On Streamlit's Community Cloud the settings are in the secrets file, which becomes part of the environment here.
    """
    secrets.load_if_toml_exists()
    try:
        return Settings.from_environment().public
    except EmojifyError:
        return True  # the page shows the error; guessing could open what must be closed


def set_public_options() -> None:
    """Hide tracebacks from visitors, and limit their uploads to 20 MB unless the host has set another limit.

    ``.streamlit/config.toml`` allows more for videos, so its value does not count as set by the host.
    """
    config.set_option("client.showErrorDetails", "none")
    if config.get_where_defined("server.maxUploadSize").endswith(".toml"):
        config.set_option("server.maxUploadSize", PUBLIC_UPLOAD_MB)


# ---- uploads in memory ----


def keep_uploads_in_memory() -> None:
    """Keep uploaded files off the disk, for public mode.

    Upstream: Starlette writes files of more than 1 MB to the system's temporary folder while it receives them, and
    Streamlit then holds them in memory. ``Request.form()`` has no argument for the limit.
    See Kludex/starlette#3190, "Make `spool_max_size` configurable via `request.form()`" (open).

    Checked with Starlette 1.10.0. Applied in newer versions too, because public mode guarantees that no
    upload reaches the disk.
    Remove it when Streamlit has a setting for the limit.
    """
    MultiPartParser.spool_max_size = sys.maxsize


# ---- shutdown ----


def limit_shutdown() -> None:
    """Let Ctrl-C end the server within ``SHUTDOWN_TIMEOUT_S``, in every state of the browsers' connections.

    Upstream: if a browser closes its WebSocket at the moment of Ctrl-C, ``WebSocketsSansIOProtocol.shutdown`` raises
    ``InvalidState``, and Streamlit then waits for the server forever and ignores a second Ctrl-C. Uvicorn also waits
    without limit for a browser that does not answer, unless ``timeout_graceful_shutdown`` is set; Streamlit does not
    set it. At the end it raises the signal again: Streamlit's command then prints "Aborted!" and exits with status 1.
    Related: Kludex/uvicorn#326, "Server shutdown errors if WebSocket connection is still open" (closed).

    Checked with uvicorn 0.54.0. In newer versions uvicorn is left as it is: a second signal then may be needed.
    Remove it when both of these end within seconds: Ctrl-C while a browser leaves over HTTPS, and Ctrl-C while a
    connected phone sleeps (``tests/browser/test_phone.py`` tries both).
    """
    # mypy reports assignments to methods as errors; these are intended.
    WebSocketsSansIOProtocol.shutdown = _shut_connection_down  # type: ignore[assignment,method-assign]  # replaces the library's own
    uvicorn.Server.shutdown = _shut_server_down  # type: ignore[assignment,method-assign]  # replaces the library's own


_original_connection_shutdown = WebSocketsSansIOProtocol.shutdown
_original_server_shutdown = uvicorn.Server.shutdown


def _shut_connection_down(connection: WebSocketsSansIOProtocol) -> None:
    """Replace ``WebSocketsSansIOProtocol.shutdown``: a browser that is closing needs no close frame."""
    try:
        _original_connection_shutdown(connection)
    except InvalidState:
        connection.transport.close()


async def _shut_server_down(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
    """Replace ``uvicorn.Server.shutdown``: set a time limit first, and end without an error."""
    server.config.timeout_graceful_shutdown = server.config.timeout_graceful_shutdown or SHUTDOWN_TIMEOUT_S
    await _original_server_shutdown(server, sockets)
    server._captured_signals.clear()
