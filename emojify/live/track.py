"""The track that carries emojified frames back: each frame leaves as soon as it is drawn.

streamlit-webrtc's own asynchronous track hands out, for each frame that comes in, the result of an earlier one: a
camera's whole frame, 33 ms, later than need be. This one waits for its result, in a thread of its own, so that the
event loop goes on serving everyone else; and one frame that takes long, or fails, does not end the stream.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

logger = logging.getLogger(__name__)


class Processor(Protocol):
    """What works on the frames: streamlit-webrtc's wrapper around our callbacks."""

    def recv_queued(self, frames: list[av.VideoFrame]) -> Coroutine[Any, Any, list[av.VideoFrame]]: ...

    def on_ended(self) -> None: ...


class EmojiVideoTrack(MediaStreamTrack):
    """A track of processed frames.

    Args:
        track: where frames come from. All that come while one is worked on are handed over together.
        processor: gets them, and gives the frame to send.
    """

    kind = "video"

    def __init__(self, track: MediaStreamTrack, processor: Processor) -> None:
        super().__init__()
        self.track = track
        self.processor = processor
        self._came: list[av.VideoFrame] = []
        self._changed = asyncio.Event()
        self._ended = False
        self._receiving: asyncio.Task[None] | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="emojify")
        self._runner = asyncio.Runner()  # the worker's; a new event loop for each frame would cost more than drawing it
        track.on("ended", self.stop)

    async def recv(self) -> av.VideoFrame:
        """The next processed frame.

        Raises:
            MediaStreamError: if the track has ended.
        """
        if self.readyState != "live":
            raise MediaStreamError
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._receive())
        while not self._came:
            if self._ended:
                self.stop()
                raise MediaStreamError
            self._changed.clear()
            await self._changed.wait()
        frames, self._came = self._came, []
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._worker, self._process, frames)
        except RuntimeError as error:  # stopped meanwhile: the thread takes no more work
            raise MediaStreamError from error
        result.pts, result.time_base = frames[-1].pts, frames[-1].time_base
        return result

    async def _receive(self) -> None:
        try:
            while True:
                frame = await self.track.recv()
                if isinstance(frame, av.VideoFrame):
                    self._came.append(frame)
                self._changed.set()
        except MediaStreamError:
            self._ended = True
            self._changed.set()

    def _process(self, frames: list[av.VideoFrame]) -> av.VideoFrame:
        try:
            return self._runner.run(self.processor.recv_queued(frames))[-1]
        except Exception:
            logger.exception("A frame could not be processed and goes back as it came.")
            return frames[-1]

    def stop(self) -> None:
        """End the track; the processor hears of it after its last frame."""
        if self.readyState != "live":
            return
        super().stop()
        self.track.stop()
        if self._receiving is not None:
            self._receiving.cancel()
        self._ended = True
        self._changed.set()
        self._worker.submit(self.processor.on_ended)
        self._worker.submit(self._runner.close)
        self._worker.shutdown(wait=False)
