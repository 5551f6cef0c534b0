"""Reaches into parts that nobody offers as settings. Kept here, and nowhere else.

aiortc 1.16: ``aiortc.codecs.vpx`` reads its bit rates from module constants; it starts at 500 kbit/s, which looks
soft at 640x480 for the first seconds, and no argument of aiortc or streamlit-webrtc reaches them.

glibc: each new thread gets a heap ("arena") of its own, up to eight a core, and a connection starts several threads.
What one connection freed is then not used by the next: each start and stop took 8 MB for good. With few arenas,
frames outside of them, and free pages handed back at a stream's end, memory stays flat.

aiortc 1.16: its jitter buffer calls a frame whole when the first packet of the next one comes, 33 ms later. VP8 marks
the last packet of a frame (RFC 7741), so it can go on at once.

streamlit-webrtc 0.79: connections live on Streamlit's own event loop, where the packets of four visitors leave so
little room that a fifth one's page took 13 s. They get a loop and a thread of their own.

streamlit-webrtc 0.79: the class of the track that carries processed frames is no argument; ours answers sooner, see
:mod:`~emojify.live.track`.
"""

import asyncio
import ctypes
import functools
import gc
import sys
import threading
from typing import Any

import streamlit_webrtc.relay
import streamlit_webrtc.webrtc
from aiortc.codecs import vpx
from aiortc.jitterbuffer import JitterBuffer, JitterFrame

from emojify.live.track import EmojiVideoTrack

try:
    import uvloop
except ImportError:  # there is none for Windows
    uvloop = None  # type: ignore[assignment]  # in place of the module

START_BITRATE_BPS = 2_500_000
MAX_BITRATE_BPS = 4_000_000

# From glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

ARENAS = 2
# Everybody's packets go through one thread, the event loop's, which asks for Python's lock after every one; at Python's
# own 5 ms it waits for those that draw. Four visitors got 23 frames a second in place of 20.5.
SWITCH_INTERVAL_S = 0.0005
FRAME_BYTES = 256 * 1024  # from this size on memory goes back to the system when freed; a 640x480 frame has 900 kB


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """The C library, where it is glibc; others have neither the functions nor the trouble."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


_preparing = threading.Lock()
_wait_for_the_next_frame = JitterBuffer._remove_frame


def _remove_whole_frame(buffer: JitterBuffer, sequence_number: int) -> JitterFrame | None:
    """In place of ``JitterBuffer._remove_frame``: also takes a frame once every packet to the marked one is there."""
    frame = _wait_for_the_next_frame(buffer, sequence_number)
    if frame is not None or not buffer._is_video or buffer._origin is None:
        return frame
    packets: list[Any] = []
    for count in range(buffer.capacity):
        packet: Any = buffer._packets[(buffer._origin + count) % buffer.capacity]
        if packet is None or (packets and packet.timestamp != packets[0].timestamp):
            return None
        packets.append(packet)
        if packet.marker:
            buffer.remove(len(packets))
            return JitterFrame(b"".join(packet._data for packet in packets), packet.timestamp)
    return None


@functools.cache
def video_loop() -> asyncio.AbstractEventLoop:
    """The event loop of all connections, running in a thread of its own until the process ends."""
    loop = uvloop.new_event_loop() if uvloop is not None else asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="connections", daemon=True).start()
    return loop


def prepare_process() -> None:
    """Make this process fit for live video. Call before the first connection; later calls do nothing."""
    with _preparing:
        _prepare()


@functools.cache
def _prepare() -> None:
    # mypy takes an assignment to somebody else's method or class for a slip; these are meant, see above.
    JitterBuffer._remove_frame = _remove_whole_frame  # type: ignore[assignment,method-assign]  # meant
    streamlit_webrtc.webrtc.AsyncVideoProcessTrack = EmojiVideoTrack  # type: ignore[assignment,misc]  # meant
    video_loop()
    for module in (streamlit_webrtc.webrtc, streamlit_webrtc.relay):
        module.get_global_event_loop = video_loop  # type: ignore[attr-defined]  # imported there, not exported
    vpx.DEFAULT_BITRATE = START_BITRATE_BPS
    vpx.MAX_BITRATE = MAX_BITRATE_BPS
    glibc = _glibc()
    if glibc is not None:
        glibc.mallopt(_M_ARENA_MAX, ARENAS)
        glibc.mallopt(_M_MMAP_THRESHOLD, FRAME_BYTES)
    # What is loaded by now stays: a collection at the end of a stream then looks at what came since, in
    # milliseconds; looking at everything would stop all other streams for a quarter of a second.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def release_memory() -> None:
    """Give back what a finished stream leaves behind. Call at its end.

    A closed connection is a knot of objects, and Streamlit's own collections are off (.streamlit/config.toml).
    """
    gc.collect()
    glibc = _glibc()
    if glibc is not None:
        glibc.malloc_trim(0)
