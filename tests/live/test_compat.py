"""The changes to private parts of aiortc and streamlit-webrtc, with the installed versions."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from unittest.mock import patch

import pytest
import streamlit_webrtc.component
import streamlit_webrtc.relay
import streamlit_webrtc.webrtc
from aiortc.codecs import vpx
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

from emojify import upstream
from emojify.errors import EmojifyError
from emojify.live import _compat
from emojify.live._compat import (
    AIORTC_TESTED,
    MAX_BITRATE_BPS,
    START_BITRATE_BPS,
    STREAMLIT_WEBRTC_TESTED,
    AdmittedWorker,
    apply_patches,
    offers_admitted_by,
    video_loop,
)
from emojify.live.track import EmojiVideoTrack


@pytest.fixture(autouse=True)
def patched() -> Iterator[None]:
    upstream.is_tested.cache_clear()
    apply_patches()
    yield
    upstream.is_tested.cache_clear()


def packet(number: int, timestamp: int, marker: bool = False) -> RtpPacket:
    made = RtpPacket(sequence_number=number % 65536, timestamp=timestamp, marker=int(marker))
    made._data = f"{number}.".encode()  # type: ignore[attr-defined]  # set by the depayloader
    return made


def frames_of(buffer: JitterBuffer, *packets: RtpPacket) -> list[str]:
    """Return the frame that each packet completes, "" where it completes none."""
    frames: list[JitterFrame | None] = [buffer.add(packet)[1] for packet in packets]
    return ["" if frame is None else frame.data.decode() for frame in frames]


def test_connections_run_on_their_own_loop_and_thread() -> None:
    async def thread() -> threading.Thread:
        return threading.current_thread()

    for module in (streamlit_webrtc.webrtc, streamlit_webrtc.relay):
        loop = module.get_global_event_loop()
        assert loop is video_loop()
        assert asyncio.run_coroutine_threadsafe(thread(), loop).result(5) is not threading.current_thread()


def test_bitrates_reach_the_encoder() -> None:
    assert (vpx.DEFAULT_BITRATE, vpx.MAX_BITRATE) == (START_BITRATE_BPS, MAX_BITRATE_BPS)
    assert vpx.Vp8Encoder().target_bitrate == START_BITRATE_BPS


def test_streamlit_webrtc_uses_our_track() -> None:
    assert streamlit_webrtc.webrtc.AsyncVideoProcessTrack is EmojiVideoTrack


@pytest.mark.parametrize("first", [0, 65534], ids=["from 0", "numbers wrap around"])
def test_marked_packet_completes_the_frame(first: int) -> None:
    buffer = JitterBuffer(16, is_video=True)
    one, two, three, four = (packet(first + n, 3000 * (n // 2), marker=bool(n % 2)) for n in range(4))
    assert frames_of(buffer, one, two, three, four) == ["", f"{first}.{first + 1}.", "", f"{first + 2}.{first + 3}."]


def test_frame_waits_for_a_late_packet() -> None:
    buffer = JitterBuffer(16, is_video=True)
    start, late, end = packet(1, 0), packet(2, 0), packet(3, 0, marker=True)
    assert frames_of(buffer, start, end, late) == ["", "", "1.2.3."]


def test_frames_stay_in_order() -> None:
    buffer = JitterBuffer(16, is_video=True)
    first, late, next_frame = packet(1, 0), packet(2, 0, marker=True), packet(3, 3000, marker=True)
    assert frames_of(buffer, first, next_frame, late) == ["", "", "1.2."]
    assert frames_of(buffer, packet(4, 6000, marker=True)) == ["3."]


def test_next_frame_completes_one_without_marker() -> None:
    buffer = JitterBuffer(16, is_video=True)
    assert frames_of(buffer, packet(1, 0), packet(2, 0), packet(3, 3000)) == ["", "", "1.2."]


def test_marker_of_audio_is_ignored() -> None:
    buffer = JitterBuffer(16, prefetch=4)
    assert frames_of(buffer, *(packet(n, 960 * n, marker=True) for n in range(4))) == ["", "", "", ""]


@pytest.mark.parametrize(
    ("newer", "applied"),
    [
        ("aiortc", ["use_own_event_loop", "use_own_track"]),
        ("streamlit-webrtc", ["raise_bitrates", "complete_frames_at_marker"]),
    ],
)
def test_newer_version_is_left_unpatched_with_one_warning(
    newer: str, applied: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tested = {"aiortc": AIORTC_TESTED, "streamlit-webrtc": STREAMLIT_WEBRTC_TESTED}
    monkeypatch.setattr(upstream, "version", lambda name: "99.0" if name == newer else tested[name])
    upstream.is_tested.cache_clear()
    called: list[str] = []
    for name in ("raise_bitrates", "complete_frames_at_marker", "use_own_event_loop", "use_own_track"):
        monkeypatch.setattr(_compat, name, lambda name=name: called.append(name))
    with caplog.at_level(logging.WARNING):
        apply_patches()
        apply_patches()
    assert called == applied * 2
    (record,) = caplog.records
    assert f"{newer} 99.0 is newer than {tested[newer]}" in record.getMessage()


def test_refused_offer_makes_no_connection() -> None:
    def refuse(close: Callable[[], None]) -> None:
        raise EmojifyError("full")

    assert streamlit_webrtc.component.WebRtcWorker is AdmittedWorker
    with (
        patch.object(streamlit_webrtc.webrtc.WebRtcWorker, "__init__") as connect,
        offers_admitted_by(refuse),
        pytest.raises(EmojifyError, match="full"),
    ):
        AdmittedWorker()
    connect.assert_not_called()


def test_admission_gets_what_closes_the_connection() -> None:
    closers: list[Callable[[], None]] = []
    stopped: list[str] = []
    with (
        patch.object(streamlit_webrtc.webrtc.WebRtcWorker, "__init__", lambda worker: None),
        patch.object(streamlit_webrtc.webrtc.WebRtcWorker, "stop", lambda worker: stopped.append("stopped")),
        offers_admitted_by(closers.append),
    ):
        worker = AdmittedWorker()
        closers[0]()
        assert stopped == ["stopped"]
        del worker
        gc.collect()
        closers[0]()  # the connection has ended
        assert stopped == ["stopped"]


@pytest.mark.parametrize(
    ("kinds", "is_answered"), [(["video"], True), (["audio", "video"], True), (["video", "video"], False)]
)
def test_offer_of_several_cameras_is_refused(kinds: list[str], is_answered: bool) -> None:
    sdp = "v=0\r\n" + "".join(f"m={kind} 9 UDP/TLS/RTP/SAVPF 96\r\n" for kind in kinds)
    stopped: list[str] = []
    with (
        patch.object(streamlit_webrtc.webrtc.WebRtcWorker, "__init__", lambda worker: None),
        patch.object(streamlit_webrtc.webrtc.WebRtcWorker, "stop", lambda worker: stopped.append("stopped")),
        patch.object(streamlit_webrtc.webrtc.WebRtcWorker, "process_offer") as answer,
        nullcontext() if is_answered else pytest.raises(EmojifyError, match="Only one camera"),
    ):
        AdmittedWorker().process_offer(sdp, "offer", 10)
    assert answer.called is is_answered
    assert stopped == ([] if is_answered else ["stopped"])
