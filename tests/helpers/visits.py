"""Visitors that come and go, over real connections on this machine: what they leave behind in the server's process.

A visitor is a process of its own that holds the browser's end. Only so is a closed tab what it is in life, somebody
who is gone without a word; and only so are memory and threads the server's alone.
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
FRAMES = 3  # that come back before a visitor goes
PATIENCE_S = 60.0
SETTLES_IN_S = 15.0  # a seat is free ten seconds after its last frame at the latest


@dataclass(frozen=True)
class Left:
    """What is in the server's process at a moment.

    Attributes:
        memory_bytes: resident.
        threads: of Python and of the libraries.
        connections: peer connections that are still somewhere in memory.
        seats: how many are taken.
    """

    memory_bytes: int
    threads: int
    connections: int
    seats: int


class Newcomer:
    """Asks for a seat."""


class Server:
    """The app's end: for each visitor a connection and a processor of its own, and a seat from the same few."""

    def __init__(self, seats: int) -> None:
        prepare_process()
        self.limiter = SessionLimiter(seats)
        self._live = LiveSettings(Classifier(TINY.read_bytes()), BoxLabel(), mirror=False)
        self._connections: weakref.WeakSet[RTCPeerConnection] = weakref.WeakSet()
        self._forks = multiprocessing.get_context("forkserver")
        self._forks.set_forkserver_preload(["__main__", visit.__module__])

    async def left(self) -> Left:
        """What is there once all that has yet to end has ended, or after some time."""
        deadline_s = time.monotonic() + SETTLES_IN_S
        while time.monotonic() < deadline_s:
            await asyncio.sleep(0.2)
            gc.collect()
            if not self._connections and not self._taken():
                break
        release_memory()
        process = psutil.Process()
        ours = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())  # wait for visitors' words
        threads = process.num_threads() - ours
        return Left(process.memory_info().rss, threads, len(self._connections), self._taken())

    def _taken(self) -> int:
        assert self.limiter.max_sessions is not None
        newcomers = [Newcomer() for _ in range(self.limiter.max_sessions)]
        free = sum(self.limiter.acquire(newcomer) for newcomer in newcomers)
        for newcomer in newcomers:
            self.limiter.release(newcomer)
        return self.limiter.max_sessions - free

    async def welcome(self, abrupt: bool) -> int:
        """One visitor from coming to having gone. Returns how many frames were emojified."""
        ours, theirs = self._forks.Pipe()
        visitor = self._forks.Process(target=visit, args=(theirs, FRAMES), daemon=True)
        visitor.start()
        processor = EmojiVideoProcessor(self._live, limiter=self.limiter)
        connection, gone = self._answer(processor)
        offer = await asyncio.wait_for(asyncio.to_thread(ours.recv), PATIENCE_S)
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        ours.send(connection.localDescription.sdp)
        assert await asyncio.wait_for(asyncio.to_thread(ours.recv), PATIENCE_S) == "seen"
        processed = processor.status().processed
        if abrupt:
            visitor.kill()
        else:
            ours.send("bye")
        await asyncio.wait_for(gone.wait(), PATIENCE_S)
        await asyncio.to_thread(visitor.join)
        visitor.close()
        return processed

    def _answer(self, processor: EmojiVideoProcessor) -> tuple[RTCPeerConnection, asyncio.Event]:
        """As streamlit-webrtc does it: a connection that has failed or was closed from afar is closed here too."""
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
def missed_soon() -> Iterator[None]:
    """Who is gone without a word is missed after a second or two; in life that takes half a minute."""
    kept = aioice.ice.CONSENT_INTERVAL, aioice.ice.CONSENT_FAILURES
    aioice.ice.CONSENT_INTERVAL, aioice.ice.CONSENT_FAILURES = 1, 2
    try:
        yield
    finally:
        aioice.ice.CONSENT_INTERVAL, aioice.ice.CONSENT_FAILURES = kept


def come_and_go(polite: int, abrupt: int, at_once: int = 4) -> tuple[list[int], list[Left]]:
    """Visitors one after the other who say goodbye, then some at a time who do not.

    A few come before the first look: what is loaded and kept once is no leak.

    Returns:
        How many frames each one got, and what was left at the beginning, after the polite ones, and at the end.
    """

    async def visits() -> tuple[list[int], list[Left]]:
        server = Server(seats=at_once)
        await asyncio.gather(*[server.welcome(abrupt=True) for _ in range(at_once)])
        frames, left = [], [await server.left()]
        for _ in range(polite):
            frames.append(await server.welcome(abrupt=False))
        left.append(await server.left())
        for number in range(0, abrupt, at_once):
            some = min(at_once, abrupt - number)
            frames += await asyncio.gather(*[server.welcome(abrupt=True) for _ in range(some)])
        left.append(await server.left())
        return frames, left

    with missed_soon():
        return run(visits())
