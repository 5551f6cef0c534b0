"""What is set in other people's private parts, against the versions that are installed."""

import asyncio
import gc
import threading

import pytest
import streamlit_webrtc.relay
import streamlit_webrtc.webrtc
from aiortc.codecs import vpx
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

from emojify.live._compat import MAX_BITRATE_BPS, START_BITRATE_BPS, prepare_process, video_loop
from emojify.live.track import EmojiVideoTrack


@pytest.fixture(autouse=True)
def prepared() -> None:
    prepare_process()


def packet(number: int, timestamp: int, marker: bool = False) -> RtpPacket:
    made = RtpPacket(sequence_number=number % 65536, timestamp=timestamp, marker=int(marker))
    made._data = f"{number}.".encode()  # type: ignore[attr-defined]  # set later in life, by the depayloader
    return made


def frames_of(buffer: JitterBuffer, *packets: RtpPacket) -> list[str]:
    """What each packet brings to light."""
    frames: list[JitterFrame | None] = [buffer.add(packet)[1] for packet in packets]
    return ["" if frame is None else frame.data.decode() for frame in frames]


def test_a_second_call_does_nothing() -> None:
    """Each run of a page calls it; freezing anew would put live connections out of reach of all later collections."""
    frozen = gc.get_freeze_count()
    made_since: list[list[int]] = [[] for _ in range(100)]
    prepare_process()
    assert gc.get_freeze_count() < frozen + len(made_since)


def test_connections_have_a_loop_and_a_thread_of_their_own() -> None:
    async def thread() -> threading.Thread:
        return threading.current_thread()

    for module in (streamlit_webrtc.webrtc, streamlit_webrtc.relay):
        loop = module.get_global_event_loop()
        assert loop is video_loop()
        assert asyncio.run_coroutine_threadsafe(thread(), loop).result(5) is not threading.current_thread()


def test_the_bit_rates_reach_the_encoder() -> None:
    assert (vpx.DEFAULT_BITRATE, vpx.MAX_BITRATE) == (START_BITRATE_BPS, MAX_BITRATE_BPS)
    assert vpx.Vp8Encoder().target_bitrate == START_BITRATE_BPS


def test_streamlit_webrtc_uses_our_track() -> None:
    assert streamlit_webrtc.webrtc.AsyncVideoProcessTrack is EmojiVideoTrack


@pytest.mark.parametrize("first", [0, 65534], ids=["from 0", "numbers begin again"])
def test_a_frame_is_whole_with_its_marked_packet(first: int) -> None:
    buffer = JitterBuffer(16, is_video=True)
    one, two, three, four = (packet(first + n, 3000 * (n // 2), marker=bool(n % 2)) for n in range(4))
    assert frames_of(buffer, one, two, three, four) == ["", f"{first}.{first + 1}.", "", f"{first + 2}.{first + 3}."]


def test_a_frame_waits_for_a_packet_that_is_late() -> None:
    buffer = JitterBuffer(16, is_video=True)
    start, late, end = packet(1, 0), packet(2, 0), packet(3, 0, marker=True)
    assert frames_of(buffer, start, end, late) == ["", "", "1.2.3."]


def test_frames_come_out_in_their_order() -> None:
    buffer = JitterBuffer(16, is_video=True)
    first, late, next_frame = packet(1, 0), packet(2, 0, marker=True), packet(3, 3000, marker=True)
    assert frames_of(buffer, first, next_frame, late) == ["", "", "1.2."]
    assert frames_of(buffer, packet(4, 6000, marker=True)) == ["3."]


def test_without_a_marker_the_next_frame_ends_it_as_before() -> None:
    buffer = JitterBuffer(16, is_video=True)
    assert frames_of(buffer, packet(1, 0), packet(2, 0), packet(3, 3000)) == ["", "", "1.2."]


def test_sound_is_left_alone() -> None:
    buffer = JitterBuffer(16, prefetch=4)
    assert frames_of(buffer, *(packet(n, 960 * n, marker=True) for n in range(4))) == ["", "", "", ""]
