"""The track of processed frames, with stub tracks and processors."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from fractions import Fraction
from typing import Any

import av
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from emojify.live.track import EmojiVideoTrack
from emojify.settings import ROOT
from tests.helpers.event_loop import run
from tests.helpers.programs import wait_until


class Camera(MediaStreamTrack):
    """A source track that delivers the frames it is fed."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[av.VideoFrame | None] = asyncio.Queue()

    def feed(self, *numbers: int) -> None:
        for number in numbers:
            frame = av.VideoFrame(16, 16, "bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            self.queue.put_nowait(frame)

    async def recv(self) -> av.VideoFrame:
        frame = await self.queue.get()
        if frame is None:
            self.stop()
            raise MediaStreamError
        return frame


class Worker:
    """A processor that records the frames it receives and returns a 32x32 frame."""

    def __init__(self, work: Callable[[int], None] = lambda number: None) -> None:
        self.received: list[list[int | None]] = []
        self.ended = 0
        self.work = work

    async def recv_queued(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        self.received.append([frame.pts for frame in frames])
        self.work(frames[-1].pts or 0)
        return [av.VideoFrame(32, 32, "bgr24")]

    def on_ended(self) -> None:
        self.ended += 1


def play(worker: Worker, scenario: Callable[[Camera, EmojiVideoTrack], Coroutine[Any, Any, None]]) -> None:
    async def both() -> None:
        camera = Camera()
        track = EmojiVideoTrack(camera, worker)
        await asyncio.wait_for(scenario(camera, track), 20)
        track.stop()

    run(both())


def test_recv_returns_the_result_of_each_frame() -> None:
    worker = Worker()

    async def scenario(camera: Camera, track: EmojiVideoTrack) -> None:
        for number in (1, 2, 3):
            camera.feed(number)
            result = await track.recv()
            assert (result.width, result.pts, result.time_base) == (32, number, Fraction(1, 30))

    play(worker, scenario)
    assert worker.received == [[1], [2], [3]]
    wait_until(lambda: worker.ended > 0)  # the track's thread calls it
    assert worker.ended == 1


def test_frames_that_arrive_during_processing_are_batched() -> None:
    worker = Worker(lambda number: time.sleep(0.2))

    async def scenario(camera: Camera, track: EmojiVideoTrack) -> None:
        camera.feed(1)
        first = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.05)
        camera.feed(2, 3, 4)
        assert (await first).pts == 1
        assert (await track.recv()).pts == 4

    play(worker, scenario)
    assert worker.received == [[1], [2, 3, 4]]


def test_event_loop_runs_while_a_frame_is_processed() -> None:
    async def scenario(camera: Camera, track: EmojiVideoTrack) -> None:
        camera.feed(1)
        slow = asyncio.ensure_future(track.recv())
        turns = 0
        while not slow.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns > 5

    play(Worker(lambda number: time.sleep(0.3)), scenario)


def test_failing_frame_is_returned_unchanged(caplog: pytest.LogCaptureFixture) -> None:
    def fail_at_two(number: int) -> None:
        if number == 2:
            raise ValueError("a bad frame")

    async def scenario(camera: Camera, track: EmojiVideoTrack) -> None:
        widths = []
        for number in (1, 2, 3):
            camera.feed(number)
            widths.append((await track.recv()).width)
        assert widths == [32, 16, 32]

    play(Worker(fail_at_two), scenario)
    assert "a bad frame" in caplog.text


def test_end_of_source_ends_the_track_once() -> None:
    worker = Worker()

    async def scenario(camera: Camera, track: EmojiVideoTrack) -> None:
        camera.feed(1)
        assert (await track.recv()).pts == 1
        camera.queue.put_nowait(None)
        with pytest.raises(MediaStreamError):
            await track.recv()
        with pytest.raises(MediaStreamError):
            await track.recv()

    play(worker, scenario)
    wait_until(lambda: worker.ended > 0)  # the track's thread calls it
    assert worker.ended == 1


def test_stop_ends_a_waiting_recv() -> None:
    async def scenario(camera: Camera, track: EmojiVideoTrack) -> None:
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.05)
        track.stop()
        with pytest.raises(MediaStreamError):
            await waiting
        assert camera.readyState == "ended"

    play(Worker(), scenario)


def test_on_ended_runs_after_the_last_frame() -> None:
    order: list[str] = []

    def work(number: int) -> None:
        time.sleep(0.2)
        order.append("frame")

    worker = Worker(work)
    worker.on_ended = lambda: order.append("end")  # type: ignore[method-assign]  # this worker only

    async def scenario(camera: Camera, track: EmojiVideoTrack) -> None:
        camera.feed(1)
        last = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0.05)
        track.stop()
        await last

    play(worker, scenario)
    wait_until(lambda: "end" in order)
    assert order == ["frame", "end"]


def test_stop_by_two_threads_at_once_ends_the_track_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session's end in Streamlit's thread can meet the end of the connection in aiortc's event loop."""
    both_read = threading.Barrier(2)
    state = MediaStreamTrack.readyState.fget  # type: ignore[attr-defined]  # the getter of the property
    stopping = threading.local()

    def read_together(track: MediaStreamTrack) -> str:
        """Return the state when both threads have read it, as if the system had switched threads at that moment."""
        value = str(state(track))
        if getattr(stopping, "waits", False):
            stopping.waits = False
            with contextlib.suppress(threading.BrokenBarrierError):
                both_read.wait(1)  # the second thread never comes if stop lets in one thread only
        return value

    def stop() -> None:
        stopping.waits = True
        try:
            track.stop()
        except RuntimeError as error:
            errors.append(error)

    errors: list[Exception] = []
    worker = Worker()
    track = run(make_track(worker))
    monkeypatch.setattr(EmojiVideoTrack, "readyState", property(read_together))
    threads = [threading.Thread(target=stop) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    wait_until(lambda: worker.ended > 0)
    assert worker.ended == 1


def test_stop_while_the_app_ends_is_silent() -> None:
    """When Python ends, it ends the threads of all executors first. A connection that is still open ends later."""
    script = """
import asyncio, atexit
from tests.live.test_track import Worker, make_track

worker = Worker()
track = asyncio.run(make_track(worker))
track._worker.submit(print, "a frame").result()
atexit.register(lambda: print("ended", worker.ended))
atexit.register(track.stop)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.split("\n"), done.stderr) == (["a frame", "ended 1", ""], "")


async def make_track(worker: Worker) -> EmojiVideoTrack:
    return EmojiVideoTrack(Camera(), worker)
