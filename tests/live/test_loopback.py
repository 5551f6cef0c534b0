"""The processor in a real peer connection, with both ends in this process."""

from __future__ import annotations

import asyncio
import fractions
from typing import Any

import av
import cv2
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from streamlit_webrtc.models import CallbackAttachableProcessor
from streamlit_webrtc.process import AsyncVideoProcessTrack

from emojify.emotions import Emotion
from emojify.live.process import prepare_process
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.track import EmojiVideoTrack
from emojify.vision.annotators import StaticEmoji, Sticker
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Image
from tests.helpers.event_loop import run

pytestmark = pytest.mark.slow

GREEN = np.full((8, 8, 4), (0, 255, 0, 255), np.uint8)
FRAMES = 45


class StillCamera(MediaStreamTrack):
    """Sends one picture 30 times a second, in the second half smaller, as Chromium does under load."""

    kind = "video"

    def __init__(self, image: Image) -> None:
        super().__init__()
        small = np.asarray(cv2.resize(image, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA), np.uint8)
        self._frames = [av.VideoFrame.from_ndarray(size, format="bgr24") for size in (image, small)]
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(1 / 30)
        frame = self._frames[self._count >= FRAMES // 2]
        frame.pts, frame.time_base = self._count * 3000, fractions.Fraction(1, 90000)
        self._count += 1
        return frame


async def send_through(processor: EmojiVideoProcessor, image: Image, track_class: Any) -> list[Image]:
    prepare_process()
    direct = RTCConfiguration(iceServers=[])
    browser, server = RTCPeerConnection(direct), RTCPeerConnection(direct)
    received: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()

    @server.on("track")
    def on_track(track: MediaStreamTrack) -> None:
        callbacks: CallbackAttachableProcessor[av.VideoFrame] = CallbackAttachableProcessor(
            None, processor.recv_queued, processor.on_ended
        )
        server.addTrack(track_class(track, callbacks))

    browser.on("track", received.put_nowait)
    browser.addTrack(StillCamera(image))
    await browser.setLocalDescription(await browser.createOffer())
    await server.setRemoteDescription(RTCSessionDescription(browser.localDescription.sdp, "offer"))
    await server.setLocalDescription(await server.createAnswer())
    await browser.setRemoteDescription(RTCSessionDescription(server.localDescription.sdp, "answer"))
    track = await asyncio.wait_for(received.get(), 10)
    frames = [await asyncio.wait_for(track.recv(), 10) for _ in range(FRAMES)]
    await browser.close()
    await server.close()
    return [
        np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in frames if isinstance(frame, av.VideoFrame)
    ]


@pytest.mark.parametrize("track_class", [EmojiVideoTrack, AsyncVideoProcessTrack], ids=["ours", "upstream's"])
def test_connection_returns_frames_with_the_emoji(tiny_model: bytes, astronaut: Image, track_class: Any) -> None:
    """Upstream's track is used with versions of streamlit-webrtc that are newer than the tested one."""
    live = LiveSettings(Classifier(tiny_model), Sticker(StaticEmoji(dict.fromkeys(Emotion, GREEN))), mirror=False)
    processor = EmojiVideoProcessor(live)
    frames = run(send_through(processor, astronaut[:384, :512], track_class))
    assert len(frames) == FRAMES
    assert {frame.shape for frame in frames} == {(384, 512, 3), (288, 384, 3)}
    blue, green, red = frames[-1][round(114 * 0.75), round(224 * 0.75)].astype(int)  # the middle of the face
    assert green > blue + 80
    assert green > red + 80
    assert (
        np.abs(frames[-1][250:, :100].astype(int) - _shrunk(astronaut)[250:, :100]).mean() < 12
    )  # lossy by VP8, without an emoji
    assert processor.status().processed == 0  # the track's end reached on_ended


def _shrunk(image: Image) -> Image:
    return np.asarray(cv2.resize(image[:384, :512], (384, 288), interpolation=cv2.INTER_AREA), np.uint8)
