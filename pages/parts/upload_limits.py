"""Limits of what visitors of a public copy upload, held by the server.

Streamlit limits the size of one file. It holds any number of files, of unfinished ones for as long as their sender
likes, and those of a visitor who left until another one leaves too (checked with 1.67.0; it has no settings for this).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from pages.parts.server import is_public

MB = 1024 * 1024
SESSION_LIMIT_BYTES = 60 * MB  # three files of the default limit
TOTAL_LIMIT_BYTES = 300 * MB  # of all visitors of a process
STALLED_S = 15.0  # an upload that sends nothing for so long ends
UPLOAD_TIMEOUT_S = 300.0  # an upload that takes so long ends: 20 MB over 0.5 Mbit/s
LEFT_S = 30.0  # a visitor whose connection broke finds the uploads for so long; then they are freed
SWEEP_INTERVAL_S = 5.0

_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")
FULL_MESSAGE = "Too many uploads. Remove files that you uploaded, or try again in a minute."
STALLED_MESSAGE = "The upload took too long. Try again over a faster connection."


class UploadRefusedError(Exception):
    """An upload that is over a limit.

    Attributes:
        status: the HTTP status of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class UploadLimits:
    """End an upload of a visitor that is over a limit. Does nothing in a copy that is not public."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving: Counter[str] = Counter()  # bytes of unfinished uploads, by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _UPLOAD.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if match is None or not is_public():
            await self._app(scope, receive, send)
            return
        session, received_bytes, has_more = match[1], 0, True
        deadline_s = time.monotonic() + UPLOAD_TIMEOUT_S

        async def receive_within_limits() -> Message:
            nonlocal received_bytes, has_more
            message = await _receive_before(receive, deadline_s)
            has_more = message.get("more_body", False)
            received_bytes += len(message.get("body", b""))
            self._arriving[session] += len(message.get("body", b""))
            self._check_room(session)
            return message

        try:
            self._check_room(session)
            await self._app(scope, receive_within_limits, send)
        except UploadRefusedError as refusal:
            if refusal.status == 413 and has_more:
                await _discard(receive, deadline_s)
            headers = {"Connection": "close"}  # a stalled upload's rest is not read
            await PlainTextResponse(str(refusal), refusal.status, headers)(scope, receive, send)
        finally:
            self._arriving[session] -= received_bytes
            if not self._arriving[session]:
                del self._arriving[session]

    def _check_room(self, session: str) -> None:
        """Raise UploadRefusedError if the visitor, or all visitors together, have uploaded too much."""
        stored = _stored_bytes()
        if (
            stored[session] + self._arriving[session] > SESSION_LIMIT_BYTES
            or stored.total() + self._arriving.total() > TOTAL_LIMIT_BYTES
        ):
            raise UploadRefusedError(413, FULL_MESSAGE)


async def _receive_before(receive: Receive, deadline_s: float) -> Message:
    """Return the next part of an upload.

    Raises:
        UploadRefusedError: if nothing arrives for ``STALLED_S``, or until ``deadline_s``.
    """
    try:
        return await asyncio.wait_for(receive(), min(STALLED_S, deadline_s - time.monotonic()))
    except TimeoutError:
        raise UploadRefusedError(408, STALLED_MESSAGE) from None


async def _discard(receive: Receive, deadline_s: float) -> None:
    """Read what is left of a refused upload and keep nothing. A browser reads the answer only after it has sent all."""
    with contextlib.suppress(UploadRefusedError):
        while (await _receive_before(receive, deadline_s)).get("more_body"):
            pass


def _file_manager() -> MemoryUploadedFileManager:
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return manager


def _stored_bytes() -> Counter[str]:
    """Return how many bytes each session has uploaded."""
    stored = _file_manager().file_storage
    return Counter(
        {session: sum(len(file.data) for file in list(stored[session].values())) for session in list(stored)}
    )


async def free_uploads_of_left_sessions() -> None:
    """Free the uploads of sessions that have been disconnected for ``LEFT_S``, until cancelled."""
    last_seen_s: dict[str, float] = {}
    while True:
        await asyncio.sleep(SWEEP_INTERVAL_S)
        last_seen_s = free_left_uploads(last_seen_s, time.monotonic())


def free_left_uploads(last_seen_s: dict[str, float], now_s: float) -> dict[str, float]:
    """Free the uploads of sessions that were last seen ``LEFT_S`` ago.

    Args:
        last_seen_s: when each session with uploads was last seen connected, as the last call returned it.
        now_s: the current time, in the same clock.

    Returns:
        When each session whose uploads were not freed was last seen.
    """
    manager = _file_manager()
    seen_s = {}
    for session in list(manager.file_storage):
        is_connected = runtime.get_instance().is_active_session(session)
        seen_s[session] = now_s if is_connected else last_seen_s.get(session, now_s)
        if now_s - seen_s[session] >= LEFT_S:
            manager.remove_session_files(session)
            del seen_s[session]
    return seen_s
