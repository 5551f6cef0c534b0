"""Settings of the whole process that live video needs: patches, memory, and thread switching.

Memory: glibc gives each new thread a heap ("arena") of its own, up to eight per core, and a connection starts several
threads. Memory that one connection freed is then not reused by the next, so each start and stop of a video added 8 MB
for good. With few arenas, frames outside of the arenas, and free pages returned at the end of a stream, memory stays
flat.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import sys
import threading

from emojify.live._compat import apply_patches

# From glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

ARENAS = 2
FRAME_BYTES = 256 * 1024  # larger blocks return to the system when they are freed; a 640x480 frame has 900 kB

# The packets of all connections pass through one thread, the event loop's, which requests Python's lock after each
# packet. With Python's default of 5 ms it waits for the threads that draw: four visitors got 20.5 frames a second
# instead of 23.
SWITCH_INTERVAL_S = 0.0005

_prepare_lock = threading.Lock()


def prepare_process() -> None:
    """Prepare this process for live video. Call before the first connection; later calls do nothing."""
    with _prepare_lock:
        _prepare()


@functools.cache
def _prepare() -> None:
    apply_patches()
    glibc = _glibc()
    if glibc is not None:
        glibc.mallopt(_M_ARENA_MAX, ARENAS)
        glibc.mallopt(_M_MMAP_THRESHOLD, FRAME_BYTES)
    # Exclude everything loaded so far from later collections. The collection at the end of a stream then takes
    # milliseconds; with all objects it would stop all other streams for a quarter of a second.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def release_memory() -> None:
    """Return the memory of a finished stream to the system. Call at its end.

    The objects of a closed connection refer to each other, so only the garbage collector frees them, and Streamlit's
    own collections are switched off in ``.streamlit/config.toml``.
    """
    gc.collect()
    glibc = _glibc()
    if glibc is not None:
        glibc.malloc_trim(0)


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """Return the C library if it is glibc. Other C libraries have neither these functions nor the problem."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
