"""The limits of what visitors upload, with an app that reads uploads as Streamlit's does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pages.parts import upload_limits
from pages.parts.upload_limits import LEFT_S, UploadLimits, free_left_uploads
from tests.helpers.event_loop import run

KB = 1024


class FakeRuntime:
    def __init__(self) -> None:
        self.uploaded_file_mgr = MemoryUploadedFileManager("/upload")
        self.connected = {"anna", "ben"}

    def is_active_session(self, session: str) -> bool:
        return session in self.connected

    def store(self, session: str, size: int, file: str = "file") -> None:
        self.uploaded_file_mgr.add_file(session, UploadedFileRec(file, "name", "type", bytes(size)))

    def stored(self) -> dict[str, int]:
        files = self.uploaded_file_mgr.file_storage
        return {session: sum(len(file.data) for file in files[session].values()) for session in files}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    fake = FakeRuntime()
    monkeypatch.setattr(runtime, "get_instance", lambda: fake)
    monkeypatch.setattr(upload_limits, "is_public", lambda: True)
    monkeypatch.setattr(upload_limits, "SESSION_LIMIT_BYTES", 60 * KB)
    monkeypatch.setattr(upload_limits, "TOTAL_LIMIT_BYTES", 100 * KB)
    monkeypatch.setattr(upload_limits, "STALLED_S", 0.05)
    return fake


def app_that_stores(server: FakeRuntime) -> UploadLimits:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        _, session, file = scope["path"].rsplit("/", 2)
        server.store(session, len(body), file)
        await Response(status_code=204)(scope, receive, send)

    return UploadLimits(app)


async def put(
    app: UploadLimits, session: str, parts: Iterable[int], file: str = "file", stalls: bool = False
) -> tuple[int, str]:
    """Upload a file in parts of these sizes; return the answer's status and text."""
    remaining = list(parts)
    answer: list[Message] = []

    async def receive() -> Message:
        if not remaining and stalls:
            await asyncio.sleep(10)
        size = remaining.pop(0) if remaining else 0
        return {"type": "http.request", "body": bytes(size), "more_body": bool(remaining) or stalls}

    async def send(message: Message) -> None:
        answer.append(message)

    scope = {"type": "http", "method": "PUT", "path": f"/_stcore/upload_file/{session}/{file}", "headers": []}
    await app(scope, receive, send)
    return answer[0]["status"], answer[-1]["body"].decode()


def test_upload_below_the_limits_is_stored(server: FakeRuntime) -> None:
    assert run(put(app_that_stores(server), "anna", [KB, KB])) == (204, "")
    assert server.stored() == {"anna": 2 * KB}


def test_session_has_a_total_limit(server: FakeRuntime) -> None:
    server.store("anna", 50 * KB, "first")
    app = app_that_stores(server)
    assert run(put(app, "anna", [KB] * 11)) == (413, upload_limits.FULL_MESSAGE)
    assert server.stored() == {"anna": 50 * KB}
    assert run(put(app, "ben", [KB] * 11))[0] == 204


def test_unfinished_uploads_count(server: FakeRuntime) -> None:
    async def three_at_once() -> list[tuple[int, str]]:
        app = app_that_stores(server)
        return await asyncio.gather(*(put(app, "anna", [25 * KB], name, stalls=True) for name in "abc"))

    assert [status for status, _ in run(three_at_once())] == [408, 408, 413]
    assert server.stored() == {}


def test_all_visitors_together_have_a_limit(server: FakeRuntime) -> None:
    server.store("anna", 55 * KB)
    app = app_that_stores(server)
    assert run(put(app, "ben", [50 * KB]))[0] == 413


def test_refused_upload_leaves_room_for_the_next(server: FakeRuntime) -> None:
    app = app_that_stores(server)
    assert run(put(app, "anna", [61 * KB]))[0] == 413
    assert run(put(app, "anna", [59 * KB]))[0] == 204


def test_refused_upload_is_read_to_its_end(server: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser reads no answer before it has sent everything; and nothing is waited for after that."""
    monkeypatch.setattr(upload_limits, "STALLED_S", 30.0)
    remaining = [61 * KB, KB, KB]
    assert run(asyncio.wait_for(put(app_that_stores(server), "anna", remaining), 5))[0] == 413
    assert run(asyncio.wait_for(put(app_that_stores(server), "anna", [61 * KB]), 5))[0] == 413


def test_stalled_upload_ends(server: FakeRuntime) -> None:
    assert run(put(app_that_stores(server), "anna", [KB], stalls=True)) == (408, upload_limits.STALLED_MESSAGE)


def test_slow_upload_ends(server: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_limits, "UPLOAD_TIMEOUT_S", 0.0)
    assert run(put(app_that_stores(server), "anna", [KB]))[0] == 408


def test_private_copy_has_no_limits(server: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_limits, "is_public", lambda: False)
    assert run(put(app_that_stores(server), "anna", [200 * KB]))[0] == 204


def test_uploads_of_left_session_are_freed(server: FakeRuntime) -> None:
    for session in ("anna", "ben", "never connected"):
        server.store(session, KB)
    seen = free_left_uploads({}, 0.0)
    server.connected.remove("anna")
    seen = free_left_uploads(seen, LEFT_S - 1)
    assert set(server.stored()) == {"anna", "ben", "never connected"}
    seen = free_left_uploads(seen, LEFT_S)
    assert server.stored() == {"ben": KB}
    assert set(seen) == {"ben"}


def test_uploads_of_returned_session_are_kept(server: FakeRuntime) -> None:
    server.store("anna", KB)
    seen = free_left_uploads({}, 0.0)
    server.connected.remove("anna")
    seen = free_left_uploads(seen, LEFT_S - 1)
    server.connected.add("anna")
    free_left_uploads(free_left_uploads(seen, LEFT_S - 0.5), LEFT_S + 1)
    assert server.stored() == {"anna": KB}
