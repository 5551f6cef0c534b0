"""The browser's end of a WebRTC connection, in a process of its own. :mod:`tests.helpers.visits` starts it."""

from __future__ import annotations

import asyncio
import fractions
from multiprocessing.connection import Connection

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription


class Camera(MediaStreamTrack):
    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / 30)
        gray = np.full((120, 160, 3), self._count * 9 % 250, np.uint8)
        frame = av.VideoFrame.from_ndarray(gray, format="bgr24")
        frame.pts, frame.time_base = self._count * 3000, fractions.Fraction(1, 90000)
        self._count += 1
        return frame


def visit(server: Connection, frames: int) -> None:
    """Connect, receive ``frames`` frames, send "seen", and stay until a message arrives or the process is killed."""
    asyncio.run(_visit(server, frames))


async def _visit(server: Connection, frames: int) -> None:
    browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
    browser.on("track", tracks.put_nowait)
    browser.addTrack(Camera())
    await browser.setLocalDescription(await browser.createOffer())
    server.send(browser.localDescription.sdp)
    answer = await asyncio.to_thread(server.recv)
    await browser.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    track = await tracks.get()
    for _ in range(frames):
        await track.recv()
    server.send("seen")
    await asyncio.to_thread(server.recv)
    await browser.close()
