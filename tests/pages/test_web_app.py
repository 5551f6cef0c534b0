"""The web server as ``streamlit run`` starts it, asked without a browser."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets import InvalidStatus, Origin
from websockets.sync.client import connect

from pages.parts.upload_limits import FULL_MESSAGE, STALLED_MESSAGE
from pages.parts.web_app import FRAME_ANCESTORS
from tests.helpers.audit_log import AUDIT_HOOK, is_this_machine, read_audit_log
from tests.helpers.browser import run_app
from tests.helpers.streamlit_visitor import open_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def public_url() -> Iterator[str]:
    with run_app(EMOJIFY_PUBLIC="1") as url:
        yield url


def get(url: str, path: str, host: str | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", path, headers={"Host": host} if host else {})
    return connection.getresponse()


def test_unopened_server_makes_no_lookup_for_foreign_origin(tmp_path: Path) -> None:
    """Ask a server whose page nobody has opened."""
    record = tmp_path / "record.jsonl"
    with run_app(PYTHONPATH=str(AUDIT_HOOK), EMOJIFY_RECORD=str(record)) as url:
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"{url.replace('http', 'ws')}/_stcore/stream", origin=Origin("https://elsewhere.example"))
        assert get(url, "/", "elsewhere.example").status == 400
    events = read_audit_log(record)
    assert "socket.bind" in {event for event, _ in events}
    assert [one for one in sorted(events, key=str) if one[0] != "open" and not is_this_machine(one[1])] == []


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8501"])
def test_server_answers_hosts_of_this_machine(public_url: str, host: str) -> None:
    assert get(public_url, "/", host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8501", "192.0.2.1", "a@b"])
@pytest.mark.parametrize("path", ["/", "/_stcore/host-config", "/_stcore/health", "/media/x.png"])
def test_server_refuses_other_hosts(public_url: str, host: str, path: str) -> None:
    response = get(public_url, path, host)
    assert response.status == 400
    assert "server.allowedHosts" in response.read().decode()


def test_server_refuses_websocket_of_other_host(public_url: str) -> None:
    port = urlsplit(public_url).port or 0
    with socket.create_connection(("127.0.0.1", port)) as connection, pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://evil.example:{port}/_stcore/stream", sock=connection)


@pytest.mark.parametrize("path", ["/", "/_stcore/host-config", "/nothing.js", "/component/x/index.html", "/media/x"])
def test_other_sites_may_frame_no_response(public_url: str, path: str) -> None:
    assert get(public_url, path).getheader("Content-Security-Policy") == FRAME_ANCESTORS == "frame-ancestors 'self'"


def test_no_site_may_control_the_page(public_url: str) -> None:
    assert b'"allowedOrigins":[]' in get(public_url, "/_stcore/host-config").read()


def test_public_server_closes_metrics(public_url: str) -> None:
    assert get(public_url, "/_stcore/metrics").status == 404


def test_visitor_sees_no_traceback(public_url: str) -> None:
    """A widget's value of a wrong kind raises in Streamlit's own code, before the page runs."""
    with open_page(public_url) as visitor:
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.json_value = "$$WIDGET_ID-0-x", "{not json"
        shown = [one.delta.new_element.exception for one in visitor.run(message)]
    (error,) = [one for one in shown if one.type or one.message]
    assert "KeyError" not in str(error)
    assert list(error.stack_trace) == []


@pytest.mark.parametrize(("size_mb", "expected"), [(19, 204), (21, 413)])
def test_visitor_uploads_at_most_20_mb(public_url: str, size_mb: int, expected: int) -> None:
    with open_page(public_url) as visitor:
        assert visitor.upload(b"x" * (size_mb * 1024 * 1024))[0] == expected


def test_visitor_uploads_at_most_60_mb_together(public_url: str) -> None:
    with open_page(public_url) as visitor:
        answers = [visitor.upload(bytes(19 * 1024 * 1024), f"file-{number}") for number in range(4)]
    assert [status for status, _ in answers] == [204, 204, 204, 413]
    assert answers[-1][1] == FULL_MESSAGE


def test_stalled_upload_ends_with_a_sentence(public_url: str) -> None:
    with open_page(public_url) as visitor:
        answer = visitor.begin_upload(b"the beginning", length=1_000_000).getresponse()
    assert answer.status == 408
    assert answer.read().decode() == STALLED_MESSAGE


def test_host_may_set_another_upload_limit() -> None:
    with run_app(EMOJIFY_PUBLIC="1", STREAMLIT_SERVER_MAX_UPLOAD_SIZE="1") as url, open_page(url) as visitor:
        assert visitor.upload(b"x" * 2_000_000)[0] == 413
