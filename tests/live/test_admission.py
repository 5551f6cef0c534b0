"""The limit of sessions, against the running app: pages that were open before the last place was taken."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from emojify.live.session_limiter import FULL_MESSAGE
from tests.helpers.browser import run_app
from tests.helpers.cameras import write_numbered_camera
from tests.helpers.event_loop import run
from tests.helpers.webrtc_client import WebRtcClient, encode

pytestmark = pytest.mark.slow


def test_open_page_without_a_place_gets_no_connection(tmp_path: Path) -> None:
    write_numbered_camera(tmp_path / "camera.y4m", frames=30)
    pictures = encode(tmp_path / "camera.y4m")

    async def visits(url: str) -> None:
        async with WebRtcClient(url, pictures) as first, WebRtcClient(url, pictures) as second:
            await first.start()
            starting = asyncio.create_task(second.start())
            while not any(FULL_MESSAGE in text for text in second.alerts):
                await asyncio.sleep(0.1)
                assert not starting.done()
            received = first.received
            await asyncio.sleep(1)
            assert second.camera.sent == second.received == 0
            assert first.received > received
            starting.cancel()

    with run_app(EMOJIFY_MAX_SESSIONS="1") as url:
        run(asyncio.wait_for(visits(url), 120))
