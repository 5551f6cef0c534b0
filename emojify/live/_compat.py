"""Reaches into parts that nobody offers as settings. Kept here, and nowhere else.

aiortc 1.16: ``aiortc.codecs.vpx`` reads its bit rates from module constants; it starts at 500 kbit/s, which looks
soft at 640x480 for the first seconds, and no argument of aiortc or streamlit-webrtc reaches them.

glibc: each new thread gets a heap ("arena") of its own, up to eight a core, and a connection starts several threads.
What one connection freed is then not used by the next: each start and stop took 8 MB for good. With few arenas, and
frames outside of them, 20 starts and stops stay within a tenth.
"""

import ctypes
import functools
import gc
import sys

from aiortc.codecs import vpx

START_BITRATE_BPS = 2_500_000
MAX_BITRATE_BPS = 4_000_000

# From glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

ARENAS = 2
FRAME_BYTES = 256 * 1024  # from this size on memory goes back to the system when freed; a 640x480 frame has 900 kB


@functools.cache
def prepare_process() -> None:
    """Make this process fit for live video. Call before the first connection; later calls do nothing."""
    vpx.DEFAULT_BITRATE = START_BITRATE_BPS
    vpx.MAX_BITRATE = MAX_BITRATE_BPS
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:  # another C library has no such thing, and no need of it
            mallopt(_M_ARENA_MAX, ARENAS)
            mallopt(_M_MMAP_THRESHOLD, FRAME_BYTES)
    # What is loaded by now stays: a collection at the end of a stream then looks at what came since, in
    # milliseconds; looking at everything would stop all other streams for a quarter of a second.
    gc.collect()
    gc.freeze()
