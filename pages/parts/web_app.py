"""What surrounds Streamlit's web server: checks of every request, and what runs as long as the server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import cli_util, config
from streamlit.web.server.server_util import get_url
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from pages.parts.server import is_public
from pages.parts.upload_limits import UploadLimits, free_uploads_of_left_sessions

FRAME_ANCESTORS = "frame-ancestors 'self'"  # the video component is a frame of the page, so 'none' would hide it
METRICS = "/_stcore/metrics"
WRONG_HOST = (
    "Emojify does not answer under this address. If it is yours, name its host in server.allowedHosts "
    "(docs/deploy.md shows how)."
)


def middleware() -> list[Middleware]:
    """Return the checks that every request passes, the outermost first."""
    return [Middleware(CheckedRequests), Middleware(UploadLimits)]


class CheckedRequests:
    """Answer only hosts in ``server.allowedHosts``, and forbid other sites to frame the page.

    Streamlit checks the host of WebSockets only. This class checks all other requests with Streamlit's own function,
    so that one setting decides. In a public copy it also closes Streamlit's metrics, which tell how much memory the
    visitors use. Checked with Streamlit 1.67.0, which has no setting for the header or the metrics.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = FRAME_ANCESTORS
            await send(message)

        if not is_host_allowed(Headers(scope=scope).get("host")):
            await PlainTextResponse(WRONG_HOST, 400)(scope, receive, send_with_policy)
        elif scope["path"].endswith(METRICS) and is_public():
            await PlainTextResponse("Not found", 404)(scope, receive, send_with_policy)
        else:
            await self._app(scope, receive, send_with_policy)


@contextlib.asynccontextmanager
async def serve(_app: object) -> AsyncIterator[dict[str, Any] | None]:
    """Open the app in a browser, and free uploads of visitors who left, as long as the server runs.

    Streamlit opens a browser for a script without an ``App`` only. Both follow ``server.headless``.
    """
    if not config.get_option("server.headless"):
        asyncio.get_running_loop().call_soon(cli_util.open_browser, get_url(config.get_option("browser.serverAddress")))
    sweeper = asyncio.create_task(free_uploads_of_left_sessions()) if is_public() else None
    yield None
    if sweeper is not None:
        sweeper.cancel()
