"""Changes to private parts of aiortc and streamlit-webrtc, for which neither offers a setting.

Each change has a function that says what upstream does, which version the change was tested with, and when to remove
it. A newer version of the library is left unchanged, with one warning in the log: live video then still works, with
the drawback that the function names. Changes that SECURITY.md promises are made in newer versions too. Only this
module of ``emojify.live`` touches private parts of other libraries.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakMethod

import av
import streamlit_webrtc.component
import streamlit_webrtc.relay
import streamlit_webrtc.webrtc
from aiortc import RTCSessionDescription
from aiortc.codecs import CODECS, vpx
from aiortc.jitterbuffer import JitterBuffer, JitterFrame

from emojify.errors import EmojifyError
from emojify.live.frame_size import MAX_FRAME_PIXELS, vp8_key_frame_size
from emojify.live.track import EmojiVideoTrack
from emojify.upstream import is_tested

try:
    import uvloop
except ImportError:  # uvloop does not support Windows
    uvloop = None  # type: ignore[assignment]  # in place of the module

AIORTC_TESTED = "1.16.0"
STREAMLIT_WEBRTC_TESTED = "0.79.0"

START_BITRATE_BPS = 2_500_000
MAX_BITRATE_BPS = 4_000_000

logger = logging.getLogger(__name__)

_remove_frame_upstream = JitterBuffer._remove_frame
_decode_upstream = vpx.Vp8Decoder.decode


def apply_patches() -> None:
    """Apply all changes; those without a promise only to libraries that are not newer than the tested versions."""
    receive_vp8_only()
    drop_large_frames()
    admit_connections()
    if is_tested("aiortc", AIORTC_TESTED):
        raise_bitrates()
        complete_frames_at_marker()
    if is_tested("streamlit-webrtc", STREAMLIT_WEBRTC_TESTED):
        use_own_event_loop()
        use_own_track()


def raise_bitrates() -> None:
    """Let the VP8 encoder start at 2.5 Mbit/s and use up to 4.

    Upstream: ``aiortc.codecs.vpx`` reads its bit rates from module constants, 0.5 Mbit/s at the start and at most
    1.5. Video of 640x480 looks blurred for the first seconds. No argument of aiortc or streamlit-webrtc sets them:
    https://github.com/aiortc/aiortc/issues/402 ("How to set target bitrate for video streams?").

    Remove this when aiortc has an API for the bit rates of an encoder.
    """
    vpx.DEFAULT_BITRATE = START_BITRATE_BPS
    vpx.MAX_BITRATE = MAX_BITRATE_BPS


def receive_vp8_only() -> None:
    """Negotiate VP8 with browsers, never H.264.

    Upstream: aiortc also accepts H.264, whose decoder allocates whatever size a stream announces in one of many forms.
    :func:`drop_large_frames` reads VP8's size from a fixed place. Every browser has VP8 (RFC 7742, section 5). The
    list of codecs has no setting for connections that streamlit-webrtc makes.

    Tested with aiortc 1.16.0. Remove this when aiortc or streamlit-webrtc has a limit for the size of received frames.
    """
    video = CODECS["video"]
    vp8 = {codec.payloadType for codec in video if codec.name == "VP8"}
    video[:] = [codec for codec in video if codec.payloadType in vp8 or codec.parameters.get("apt") in vp8]


def drop_large_frames() -> None:
    """Drop a key frame of more than ``MAX_FRAME_PIXELS`` before it is decoded.

    Upstream: ``Vp8Decoder`` decodes frames of any size. A key frame of 28 kB with 4096x4096 pixels costs more than a
    gigabyte until it was decoded, drawn and encoded. No upstream issue is known.

    Tested with aiortc 1.16.0. Remove this when aiortc has such a limit.
    """
    vpx.Vp8Decoder.decode = _decode_unless_large  # type: ignore[assignment,method-assign]  # replaces the library's own


def _decode_unless_large(decoder: vpx.Vp8Decoder, encoded_frame: JitterFrame) -> list[av.frame.Frame]:
    """Replace ``Vp8Decoder.decode``. The frames that follow a dropped key frame have the size of the one before it."""
    size = vp8_key_frame_size(encoded_frame.data)
    if size is not None and size[0] * size[1] > MAX_FRAME_PIXELS:
        logger.warning("Dropped a video frame of %dx%d pixels, which is too large.", *size)
        return []
    return _decode_upstream(decoder, encoded_frame)


def complete_frames_at_marker() -> None:
    """Hand a video frame to the decoder with its last packet.

    Upstream: the jitter buffer treats a frame as complete when the first packet of the next frame arrives, which is
    33 ms later at 30 frames/s. VP8 sets the RTP marker bit on the last packet of a frame (RFC 7741, section 4.1), so
    the buffer need not wait. No upstream issue asks for this; https://github.com/aiortc/aiortc/pull/1418 ("Rewrite
    JitterBuffer with reorder buffer + frame assembler") would replace the method.

    Remove this when aiortc's jitter buffer uses the marker bit.
    """
    # mypy reports the assignment to a method of another class as a mistake; it is intended.
    JitterBuffer._remove_frame = _remove_complete_frame  # type: ignore[assignment,method-assign]  # replaces the library's own


def _remove_complete_frame(buffer: JitterBuffer, sequence_number: int) -> JitterFrame | None:
    """Return the oldest frame that is complete, as ``JitterBuffer._remove_frame`` does, or by its marker."""
    frame = _remove_frame_upstream(buffer, sequence_number)
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


def use_own_event_loop() -> None:
    """Run all connections on an event loop in a thread of its own.

    Upstream: connections share Streamlit's event loop, which also serves the pages. With four visitors their packets
    leave so little time that the page of a fifth one took 13 s to load. A related issue is
    https://github.com/whitphx/streamlit-webrtc/issues/1494 ("CPU-heavy task causes frame delay").

    Remove this when streamlit-webrtc accepts an event loop, or runs one of its own.
    """
    for module in (streamlit_webrtc.webrtc, streamlit_webrtc.relay):
        module.get_global_event_loop = video_loop  # type: ignore[attr-defined]  # imported there, not exported


@functools.cache
def video_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of all connections, which runs in its own thread until the process ends."""
    loop = uvloop.new_event_loop() if uvloop is not None else asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="connections", daemon=True).start()
    return loop


def use_own_track() -> None:
    """Send processed frames through :class:`~emojify.live.track.EmojiVideoTrack`.

    Upstream: ``AsyncVideoProcessTrack`` answers each frame with the result of an earlier one, a camera's whole frame
    (33 ms) late. The class of the track is no argument of ``webrtc_streamer``. No upstream issue is known.

    Remove this when streamlit-webrtc returns each frame's own result, or accepts a class for the track.
    """
    streamlit_webrtc.webrtc.AsyncVideoProcessTrack = EmojiVideoTrack  # type: ignore[assignment,misc]  # replaces the library's own


Admission = Callable[[Callable[[], None]], None]
"""Takes a place for a connection, or raises. Its argument closes the connection."""

_admission: ContextVar[Admission | None] = ContextVar("admission", default=None)


@contextmanager
def offers_admitted_by(admission: Admission) -> Iterator[None]:
    """Call ``admission`` before a connection is made for an offer that a ``webrtc_streamer`` in the block received.

    What ``admission`` raises leaves ``webrtc_streamer``, without a connection.
    """
    token = _admission.set(admission)
    try:
        yield
    finally:
        _admission.reset(token)


def admit_connections() -> None:
    """Ask :func:`offers_admitted_by` before a connection is made.

    Upstream: ``webrtc_streamer`` answers every offer that the browser's end sends. It has no argument to refuse one,
    and a check before it does not see the offer. No upstream issue is known.

    Tested with streamlit-webrtc 0.79.0. Remove this when ``webrtc_streamer`` has such an argument.
    """
    streamlit_webrtc.component.WebRtcWorker = AdmittedWorker  # type: ignore[misc]  # replaces the library's own


class AdmittedWorker(streamlit_webrtc.webrtc.WebRtcWorker[Any, Any]):
    """The app's end of a connection that has a place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        admission, close = _admission.get(), WeakMethod(self.stop)
        if admission is not None:
            admission(lambda: _call(close))
        super().__init__(*args, **kwargs)

    def process_offer(self, sdp: str, type_: str, timeout: float | None = None) -> RTCSessionDescription:
        """Answer an offer, unless it has a kind of media twice: each video track has a decoder of its own.

        Raises:
            EmojifyError: if the offer has more than one track of a kind.
        """
        kinds = re.findall(r"^m=(\w+)", sdp, re.MULTILINE)
        if len(set(kinds)) < len(kinds):
            self.stop()
            raise EmojifyError("Only one camera can be used at a time. Reload the page, then press Start.")
        return super().process_offer(sdp, type_, timeout)


def _call(method: WeakMethod[Callable[..., Any]]) -> None:
    """Call a method if its object still exists."""
    bound = method()
    if bound is not None:
        bound()
