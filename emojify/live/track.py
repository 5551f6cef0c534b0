"""The WebRTC track that sends processed frames back, each as soon as it is drawn.

streamlit-webrtc's own asynchronous track answers each frame with the result of an earlier one, a camera's whole frame
(33 ms) late. This track waits for the frame's own result in a worker thread, so the event loop keeps serving other
connections. A frame that takes long or fails does not end the stream.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from emojify.live.frame_size import MAX_UNPROCESSED_PIXELS, limit_size

logger = logging.getLogger(__name__)


class FrameProcessor(Protocol):
    """Processes frames: streamlit-webrtc's wrapper around the callbacks of ``webrtc_streamer``."""

    def recv_queued(self, frames: list[av.VideoFrame]) -> Coroutine[Any, Any, list[av.VideoFrame]]: ...

    def on_ended(self) -> None: ...


class EmojiVideoTrack(MediaStreamTrack):
    """A track of processed frames.

    Args:
        track: the source of frames. All frames that arrive while one is processed go to the processor together.
        processor: receives those frames and returns the frame to send as the last of a list.
    """

    kind = "video"

    def __init__(self, track: MediaStreamTrack, processor: FrameProcessor) -> None:
        super().__init__()
        self.track = track
        self.processor = processor
        self._queue: list[av.VideoFrame] = []
        self._changed = asyncio.Event()
        self._ended = False
        self._stopped = False
        self._stop_lock = threading.Lock()
        self._receiving: asyncio.Task[None] | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="emojify")
        # The worker's event loop. A new one for each frame would take longer than drawing it.
        self._runner = asyncio.Runner()
        track.on("ended", self.stop)

    async def recv(self) -> av.VideoFrame:
        """Return the next processed frame.

        Raises:
            MediaStreamError: if the track has ended.
        """
        if self.readyState != "live":
            raise MediaStreamError
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._receive())
        while not self._queue:
            if self._ended:
                self.stop()
                raise MediaStreamError
            self._changed.clear()
            await self._changed.wait()
        frames, self._queue = self._queue, []
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._worker, self._process, frames)
        except RuntimeError as error:  # the track was stopped meanwhile, so its thread accepts no more work
            raise MediaStreamError from error
        result.pts, result.time_base = frames[-1].pts, frames[-1].time_base
        return result

    async def _receive(self) -> None:
        try:
            while True:
                frame = await self.track.recv()
                if isinstance(frame, av.VideoFrame):
                    self._queue.append(frame)
                self._changed.set()
        except MediaStreamError:
            self._ended = True
            self._changed.set()

    def _process(self, frames: list[av.VideoFrame]) -> av.VideoFrame:
        try:
            return self._runner.run(self.processor.recv_queued(frames))[-1]
        except Exception:
            logger.exception("A frame could not be processed and is sent unchanged.")
            return limit_size(frames[-1], MAX_UNPROCESSED_PIXELS)

    def stop(self) -> None:
        """End the track. The processor's ``on_ended`` runs after its last frame.

        Two threads may call this at once: the session's, when a page ends, and the event loop's, when the connection
        does.
        """
        with self._stop_lock:
            if self._stopped or self.readyState != "live":
                return
            self._stopped = True
        super().stop()
        self.track.stop()
        if self._receiving is not None:
            self._receiving.cancel()
        self._ended = True
        self._changed.set()
        try:
            self._worker.submit(self._end)
        except RuntimeError:  # the app ends: Python has ended the thread, so no frame is processed any more
            self._end()
        self._worker.shutdown(wait=False)

    def _end(self) -> None:
        try:
            self.processor.on_ended()
        finally:
            self._runner.close()
