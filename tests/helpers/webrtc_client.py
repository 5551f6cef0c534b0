"""A client of the live page without a browser: it speaks Streamlit's protocol and WebRTC.

Several browsers on one machine use more processor time than the app. This client uses almost none: its video is encoded
beforehand, and received frames are assembled from their packets but decoded on request only.
"""

from __future__ import annotations

import asyncio
import fractions
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

import aiortc.rtcrtpreceiver
import av
import av.frame
import websockets
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.codecs.base import Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import MediaStreamError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.helpers.streamlit_visitor import answer_of_storage, stored_component

FPS = 30
TICKS = fractions.Fraction(1, 90_000)
TIMEOUT_S = 60.0
COMPONENT = "webrtc_streamer"

OnFrame = Callable[[av.VideoFrame], None]
NumberOf = Callable[[av.VideoFrame], int]


def encode(source: Path) -> list[bytes]:
    """Return a video file's frames as VP8 packets, with a key frame each second."""
    codec = av.CodecContext.create("libvpx", "w")
    assert isinstance(codec, av.VideoCodecContext)
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        codec.width, codec.height, codec.pix_fmt = stream.width, stream.height, "yuv420p"
        codec.time_base, codec.bit_rate, codec.gop_size = fractions.Fraction(1, FPS), 1_500_000, FPS
        codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        packets = []
        for number, frame in enumerate(container.decode(stream)):
            frame.pts, frame.time_base = number, codec.time_base
            packets += codec.encode(frame)
    return [bytes(packet) for packet in packets + codec.encode(None)]


class EncodedCamera(MediaStreamTrack):
    """A track that plays encoded frames in a loop and keeps the time at which each was last sent."""

    kind = "video"

    def __init__(self, pictures: list[bytes]) -> None:
        super().__init__()
        self._pictures = pictures
        self._sent = 0
        self._began_s: float | None = None
        self.sent_s: dict[int, float] = {}

    async def recv(self) -> av.Packet:
        self._began_s = self._began_s or time.monotonic()
        await asyncio.sleep(max(0.0, self._began_s + self._sent / FPS - time.monotonic()))
        number = self._sent % len(self._pictures)
        packet = av.Packet(self._pictures[number])
        packet.pts, packet.time_base = self._sent * (90_000 // FPS), TICKS
        self.sent_s[number] = time.monotonic()
        self._sent += 1
        return packet

    @property
    def sent(self) -> int:
        """Number of frames sent so far."""
        return self._sent


class NullDecoder(Decoder):
    """A decoder that returns the same small frame for every received one."""

    picture = av.VideoFrame(16, 16, "yuv420p")

    def decode(self, encoded_frame: JitterFrame) -> list[av.frame.Frame]:
        return [self.picture]


def disable_decoding() -> None:
    """Replace aiortc's decoders by :class:`NullDecoder` in this process."""
    aiortc.rtcrtpreceiver.get_decoder = lambda codec: NullDecoder()


class WebRtcClient:
    """One visitor. The page is open inside ``async with``.

    Args:
        url: address of the app.
        pictures: the camera's frames, from :func:`encode`.
        on_frame: called with each received frame.

    Attributes:
        camera: the track that is sent.
        received: number of received frames.
        alerts: texts of the notes and errors that the page has shown.
    """

    def __init__(self, url: str, pictures: list[bytes], on_frame: OnFrame | None = None) -> None:
        self._url, self._on_frame = url, on_frame
        self.camera = EncodedCamera(pictures)
        self.received = 0
        self.alerts: list[str] = []
        self._component: dict[str, Any] = {}
        self._fragment = self._page = self._memory = ""
        self._known: dict[str, ForwardMsg] = {}
        self._changed = asyncio.Condition()
        self._finished = False
        self._playing: asyncio.Future[None] | None = None

    async def __aenter__(self) -> WebRtcClient:
        await asyncio.to_thread(self._load)
        self._socket = await websockets.connect(
            self._url.replace("http", "ws", 1) + "/_stcore/stream",
            origin=websockets.Origin(self._url),
            subprotocols=[websockets.Subprotocol("streamlit")],
            max_size=None,
        )
        self._listening = asyncio.create_task(self._listen())
        await self._run()
        await self._until(lambda: self._finished and bool(self._memory))
        await self._run(answer_of_storage(self._memory))
        await self._until(lambda: self._finished and bool(self._component))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if hasattr(self, "_connection"):
            await self._connection.close()
        if self._playing is not None:
            await self._playing
        self._listening.cancel()
        await self._socket.close()

    def _load(self) -> None:
        """Load the page and its scripts and styles."""
        with urlopen(self._url) as answer:
            page = answer.read().decode()
        for name in re.findall(r'(?:src|href)="\./([^"]+\.(?:js|css))"', page):
            with urlopen(f"{self._url}/{name}") as answer:
                answer.read()

    async def start(self) -> None:
        """Press Start and wait for the first frame."""
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))

        @self._connection.on("track")
        def began(track: MediaStreamTrack) -> None:
            self._playing = asyncio.ensure_future(self._play(track))

        self._connection.addTrack(self.camera)
        only_vp8 = [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType == "video/VP8"]
        self._connection.getTransceivers()[0].setCodecPreferences(only_vp8)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        offer = self._connection.localDescription
        await self._send({"playing": False, "sdpOffer": {"sdp": offer.sdp, "type": offer.type}, "iceCandidates": {}})
        await self._until(lambda: bool(self._component["args"].get("sdp_answer_json")))
        answer = json.loads(self._component["args"]["sdp_answer_json"])
        await self._connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        await self._send({"playing": True, "sdpOffer": "", "iceCandidates": {}})
        await asyncio.wait_for(self._first_picture(), TIMEOUT_S)

    async def _first_picture(self) -> None:
        while not self.received:
            await asyncio.sleep(0.01)

    async def _play(self, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):  # the track has ended
            while True:
                frame = await track.recv()
                self.received += 1
                if self._on_frame and isinstance(frame, av.VideoFrame):
                    self._on_frame(frame)

    async def _send(self, value: dict[str, Any]) -> None:
        """Send a value of the video component."""
        await self._run(WidgetState(id=self._component["id"], json_value=json.dumps(value)), self._fragment)

    async def _run(self, state: WidgetState | None = None, fragment: str = "") -> None:
        message = BackMsg()
        message.rerun_script.page_script_hash, message.rerun_script.fragment_id = self._page, fragment
        if state is not None:
            message.rerun_script.widget_states.widgets.append(state)
        self._finished = False
        await self._socket.send(message.SerializeToString())

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(holds), TIMEOUT_S)

    async def _listen(self) -> None:
        async for content in self._socket:
            message = ForwardMsg()
            message.ParseFromString(bytes(content) if not isinstance(content, str) else content.encode())
            if message.hash:
                self._known[message.hash] = message
            if message.WhichOneof("type") == "ref_hash":
                message = self._known[message.ref_hash]
            async with self._changed:
                self._take(message)
                self._changed.notify_all()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "script_finished":
            self._finished = True
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._memory = stored_component(message) or self._memory
            self._take_element(message.delta)

    def _take_element(self, delta: Delta) -> None:
        element = delta.new_element
        if element.WhichOneof("type") == "alert":
            self.alerts.append(element.alert.body)
        if (
            element.WhichOneof("type") == "component_instance"
            and COMPONENT in element.component_instance.component_name
        ):
            instance = element.component_instance
            self._component = {"id": instance.id, "args": json.loads(instance.json_args)}
            self._fragment = delta.fragment_id


@dataclass(frozen=True)
class VideoFigures:
    """Frames per second sent and received, and the delay of each decoded frame."""

    sent_per_s: float
    received_per_s: float
    delays_ms: list[float]


def visit(server: Connection, url: str, pictures: list[bytes], number_of: NumberOf | None) -> None:
    """Run a client by commands from a pipe, until the command ``None``.

    The first answer is the time in seconds until the page was open. The command "start" is answered by the seconds
    until the first frame, a number of seconds by the :class:`VideoFigures` of that time.

    Args:
        number_of: returns the index in ``pictures`` of a received frame; without it no frame is decoded.
    """
    if number_of is None:
        disable_decoding()
    asyncio.run(_visit(server, url, pictures, number_of))


async def _visit(server: Connection, url: str, pictures: list[bytes], number_of: NumberOf | None) -> None:
    delays_ms: list[float] = []

    def on_frame(picture: av.VideoFrame) -> None:
        sent_s = client.camera.sent_s.get(number_of(picture)) if number_of else None
        if sent_s is not None:
            delays_ms.append(1000 * (time.monotonic() - sent_s))

    client = WebRtcClient(url, pictures, on_frame)
    began_s = time.monotonic()
    async with client:
        while True:
            server.send(time.monotonic() - began_s)
            command = await asyncio.to_thread(server.recv)
            began_s = time.monotonic()
            if command == "start":
                await client.start()
            while isinstance(command, int | float):
                delays_ms.clear()
                sent, received, began_s = client.camera.sent, client.received, time.monotonic()
                await asyncio.sleep(command)
                elapsed_s = time.monotonic() - began_s
                sent, received = client.camera.sent - sent, client.received - received
                server.send(VideoFigures(sent / elapsed_s, received / elapsed_s, list(delays_ms)))
                command = await asyncio.to_thread(server.recv)
            if command is None:
                return
