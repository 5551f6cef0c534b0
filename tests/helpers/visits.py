"""Connect and disconnect visitors over loopback, and measure what they leave in the server's process.

Each visitor is a process of its own that holds the browser's end. So a killed visitor disappears without closing its
connection, as a closed tab does, and memory and threads of this process are the server's alone.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aioice.ice
import av
import psutil
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from streamlit_webrtc.models import CallbackAttachableProcessor

from emojify.live.process import prepare_process, release_memory
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.session_limiter import SessionLimiter
from emojify.live.track import EmojiVideoTrack
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier
from tests.helpers.event_loop import run
from tests.helpers.loopback_peer import visit

TINY = Path(__file__).parents[1] / "data" / "tiny.tflite"
FRAMES = 3  # a visitor leaves after it received so many
TIMEOUT_S = 60.0
SETTLE_TIMEOUT_S = 15.0  # the limiter releases an idle session after ten seconds


@dataclass(frozen=True)
class ServerState:
    """What the server's process holds.

    Attributes:
        memory_bytes: resident memory.
        threads: threads of Python and of the libraries.
        connections: peer connections that are still in memory.
        sessions: sessions that the limiter counts.
    """

    memory_bytes: int
    threads: int
    connections: int
    sessions: int


class WaitingSession:
    """A session that asks the limiter for room."""


class Server:
    """The app's end: a connection and a processor for each visitor, and one session limiter."""

    def __init__(self, max_sessions: int) -> None:
        prepare_process()
        self.limiter = SessionLimiter(max_sessions)
        self._live = LiveSettings(Classifier(TINY.read_bytes()), BoxLabel(), mirror=False)
        self._connections: weakref.WeakSet[RTCPeerConnection] = weakref.WeakSet()
        self._forks = multiprocessing.get_context("forkserver")
        self._forks.set_forkserver_preload(["__main__", visit.__module__])

    async def state(self) -> ServerState:
        """Return the state once every connection and session has ended, or after SETTLE_TIMEOUT_S."""
        deadline_s = time.monotonic() + SETTLE_TIMEOUT_S
        while time.monotonic() < deadline_s:
            await asyncio.sleep(0.2)
            gc.collect()
            if not self._connections and not self._sessions():
                break
        release_memory()
        process = psutil.Process()
        ours = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())  # they read visitors' pipes
        threads = process.num_threads() - ours
        return ServerState(process.memory_info().rss, threads, len(self._connections), self._sessions())

    def _sessions(self) -> int:
        assert self.limiter.max_sessions is not None
        waiting = [WaitingSession() for _ in range(self.limiter.max_sessions)]
        free = sum(self.limiter.acquire(session) for session in waiting)
        for session in waiting:
            self.limiter.release(session)
        return self.limiter.max_sessions - free

    async def serve_visitor(self, abrupt: bool) -> int:
        """Serve one visitor until it has left, killed if ``abrupt``. Return the number of processed frames."""
        ours, theirs = self._forks.Pipe()
        visitor = self._forks.Process(target=visit, args=(theirs, FRAMES), daemon=True)
        visitor.start()
        processor = EmojiVideoProcessor(self._live, limiter=self.limiter)
        connection, gone = self._answer(processor)
        offer = await asyncio.wait_for(asyncio.to_thread(ours.recv), TIMEOUT_S)
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        ours.send(connection.localDescription.sdp)
        assert await asyncio.wait_for(asyncio.to_thread(ours.recv), TIMEOUT_S) == "seen"
        processed = processor.status().processed
        if abrupt:
            visitor.kill()
        else:
            ours.send("bye")
        await asyncio.wait_for(gone.wait(), TIMEOUT_S)
        await asyncio.to_thread(visitor.join)
        visitor.close()
        return processed

    def _answer(self, processor: EmojiVideoProcessor) -> tuple[RTCPeerConnection, asyncio.Event]:
        """Return a connection that closes when its peer fails or closes, as streamlit-webrtc's does."""
        connection, gone = RTCPeerConnection(RTCConfiguration(iceServers=[])), asyncio.Event()
        self._connections.add(connection)

        @connection.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            callbacks: CallbackAttachableProcessor[av.VideoFrame] = CallbackAttachableProcessor(
                None, processor.recv_queued, processor.on_ended
            )
            connection.addTrack(EmojiVideoTrack(track, callbacks))

        @connection.on("iceconnectionstatechange")
        async def on_change() -> None:
            if connection.iceConnectionState in ("failed", "closed", "disconnected"):
                await connection.close()
                gone.set()

        return connection, gone


@contextmanager
def fast_disconnects() -> Iterator[None]:
    """Detect killed peers after two seconds instead of aioice's thirty."""
    kept = aioice.ice.CONSENT_INTERVAL, aioice.ice.CONSENT_FAILURES
    aioice.ice.CONSENT_INTERVAL, aioice.ice.CONSENT_FAILURES = 1, 2
    try:
        yield
    finally:
        aioice.ice.CONSENT_INTERVAL, aioice.ice.CONSENT_FAILURES = kept


def run_visits(polite: int, abrupt: int, concurrent: int = 4) -> tuple[list[int], list[ServerState]]:
    """Serve ``polite`` visitors one by one who close their connections, then ``abrupt`` killed ones.

    Some killed visitors come before the first measurement: what is loaded once is no leak.

    Returns:
        The number of frames of each visitor, and the state at first, after the polite ones, and at the end.
    """

    async def visits() -> tuple[list[int], list[ServerState]]:
        server = Server(max_sessions=concurrent)
        await asyncio.gather(*[server.serve_visitor(abrupt=True) for _ in range(concurrent)])
        frames, states = [], [await server.state()]
        for _ in range(polite):
            frames.append(await server.serve_visitor(abrupt=False))
        states.append(await server.state())
        for number in range(0, abrupt, concurrent):
            some = min(concurrent, abrupt - number)
            frames += await asyncio.gather(*[server.serve_visitor(abrupt=True) for _ in range(some)])
        states.append(await server.state())
        return frames, states

    with fast_disconnects():
        return run(visits())
