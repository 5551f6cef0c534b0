"""Changes to the web server, each against the library it changes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from unittest.mock import AsyncMock, MagicMock, patch

import pytest
import uvicorn
from starlette.formparsers import MultiPartParser
from streamlit import config, net_util
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.app_session import AppSession
from streamlit.web.server import server_util
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from pages.parts import server, stale_reruns
from tests.helpers.event_loop import run


@pytest.fixture(autouse=True)
def _undo_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with the libraries as they are installed, and put back what was there."""
    monkeypatch.setattr(AppSession, "request_rerun", stale_reruns._original_request_rerun)
    monkeypatch.setattr(AppSession, "handle_backmsg", server._original_handle_backmsg)
    monkeypatch.setattr(WebSocketsSansIOProtocol, "shutdown", server._original_connection_shutdown)
    monkeypatch.setattr(uvicorn.Server, "shutdown", server._original_server_shutdown)
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1024 * 1024)
    for name in ("get_external_ip", "get_internal_ip"):
        monkeypatch.setattr(net_util, name, getattr(net_util, name))


def test_foreign_origin_causes_no_address_lookup() -> None:
    with patch("streamlit.net_util._make_blocking_http_get") as http_get, patch("socket.socket") as any_socket:
        server.block_address_lookup()
        assert not server_util.is_url_from_allowed_origins("http://evil.example")
    http_get.assert_not_called()
    any_socket.assert_not_called()


def test_large_upload_stays_in_memory() -> None:
    server.keep_uploads_in_memory()
    assert MultiPartParser.spool_max_size == sys.maxsize


@pytest.mark.parametrize(
    ("message", "is_handled"), [("clear_cache", False), ("load_git_info", False), ("stop_script", True)]
)
def test_developer_messages_are_ignored(message: str, is_handled: bool) -> None:
    session, sent = MagicMock(spec=AppSession), BackMsg()
    setattr(sent, message, True)
    with patch.object(server, "_original_handle_backmsg") as handle:
        server.ignore_developer_messages()
        AppSession.handle_backmsg(session, sent)
    assert handle.called is is_handled


@pytest.fixture
def _restore_options() -> Iterator[None]:
    names = ("client.showErrorDetails", "server.maxUploadSize")
    options = [(name, config.get_option(name), config.get_where_defined(name)) for name in names]
    yield
    for option in options:
        config.set_option(*option)


@pytest.mark.usefixtures("_restore_options")
@pytest.mark.parametrize(
    ("where_defined", "expected_mb"),
    [("/app/.streamlit/config.toml", 20), ("environment variable", 200)],
)
def test_public_options_keep_the_hosts_upload_limit(where_defined: str, expected_mb: int) -> None:
    config.set_option("server.maxUploadSize", 200, where_defined)
    server.set_public_options()
    server.set_public_options()
    assert config.get_option("server.maxUploadSize") == expected_mb
    assert config.get_option("client.showErrorDetails") == "none"


def test_unreadable_settings_count_as_public(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, expected in (("0", False), ("1", True), ("maybe", True)):
        monkeypatch.setenv("EMOJIFY_PUBLIC", value)
        assert server.is_public() is expected


def test_closing_websocket_does_not_stop_shutdown() -> None:
    connection = MagicMock(spec=WebSocketsSansIOProtocol)
    connection.transport = MagicMock()
    with patch.object(server, "_original_connection_shutdown", side_effect=InvalidState("connection is closing")):
        server.limit_shutdown()
        WebSocketsSansIOProtocol.shutdown(connection)
    connection.transport.close.assert_called_once_with()


@pytest.mark.parametrize(("configured", "expected"), [(None, server.SHUTDOWN_TIMEOUT_S), (9, 9)])
def test_shutdown_gets_a_time_limit(configured: int | None, expected: int) -> None:
    running = uvicorn.Server(uvicorn.Config("app:app", timeout_graceful_shutdown=configured))
    running.handle_exit(signal.SIGINT, None)
    with patch.object(server, "_original_server_shutdown", AsyncMock()) as shutdown:
        server.limit_shutdown()
        run(running.shutdown())
    assert running.config.timeout_graceful_shutdown == expected
    assert running._captured_signals == []
    shutdown.assert_awaited_once_with(running, None)


def test_untested_versions_are_left_unpatched() -> None:
    with patch.object(server, "is_tested", return_value=False):
        server.patch_server()
    assert AppSession.request_rerun is stale_reruns._original_request_rerun
    assert WebSocketsSansIOProtocol.shutdown is server._original_connection_shutdown
    assert uvicorn.Server.shutdown is server._original_server_shutdown
    assert net_util.get_external_ip() is None  # applied all the same: nothing may leave the machine


def test_tested_versions_are_patched_once() -> None:
    server.patch_server()
    server.patch_server()
    assert AppSession.request_rerun is stale_reruns._request_rerun_unless_stale
    assert WebSocketsSansIOProtocol.shutdown is server._shut_connection_down
    assert uvicorn.Server.shutdown is server._shut_server_down
