"""The client that measures several visitors, against the running app."""

import asyncio
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.helpers.browser import run_app
from tests.helpers.cameras import FRAMES, number_of, write_numbered_camera
from tests.helpers.event_loop import run
from tests.helpers.webrtc_client import WebRtcClient, encode

pytestmark = pytest.mark.slow


def test_two_clients_receive_their_own_video(tmp_path: Path) -> None:
    write_numbered_camera(tmp_path / "camera.y4m")
    pictures = encode(tmp_path / "camera.y4m")
    assert len(pictures) == FRAMES
    numbers: list[int] = []

    def on_frame(picture: av.VideoFrame) -> None:
        numbers.append(number_of(picture))

    async def visits(url: str) -> list[int]:
        async with WebRtcClient(url, pictures, on_frame) as first, WebRtcClient(url, pictures) as second:
            await first.start()
            await second.start()
            while len(numbers) < 20 or second.received < 5:
                await asyncio.sleep(0.05)
            return list(first.camera.sent_s)

    with run_app() as url:
        sent = run(asyncio.wait_for(visits(url), 120))
    steps = [(later - earlier) % FRAMES for earlier, later in pairwise(numbers)]
    assert max(steps) < FRAMES / 2  # never backwards; the camera begins again after ten seconds
    assert len(set(numbers)) > 10
    assert set(numbers) <= set(sent)
