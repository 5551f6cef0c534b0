"""Giant video frames are dropped before they are decoded, and never sent back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import av
import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame

from emojify.live._compat import apply_patches
from emojify.live.frame_size import MAX_FRAME_PIXELS, MAX_UNPROCESSED_PIXELS, limit_size, vp8_key_frame_size
from emojify.settings import ROOT
from tests.helpers.event_loop import run

# Decodes the key frame in a file and prints by how many MB the peak of this process's memory grew.
MEASURE = """
import pathlib, resource, sys
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame
from emojify.live._compat import apply_patches
frame = JitterFrame(pathlib.Path(sys.argv[1]).read_bytes(), 0)
apply_patches()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
decoded = Vp8Decoder().decode(frame)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, len(decoded))
"""


def vp8_key_frame(width: int, height: int) -> bytes:
    """Return a key frame of one color."""
    codec = av.CodecContext.create("libvpx", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    frame = av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 128, np.uint8), format="yuv420p")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


@pytest.fixture(autouse=True)
def _patched() -> None:
    apply_patches()


@pytest.mark.parametrize("size", [(640, 480), (16, 16), (1920, 1088), (2048, 2048)])
def test_key_frame_size_is_read(size: tuple[int, int]) -> None:
    assert vp8_key_frame_size(vp8_key_frame(*size)) == size


@pytest.mark.parametrize("content", [b"", b"\x10\x02\x00\x9d\x01\x2a\x00", b"\x11" + bytes(20), bytes(20)])
def test_other_frames_have_no_key_frame_size(content: bytes) -> None:
    assert vp8_key_frame_size(content) is None


def test_large_key_frame_is_never_decoded() -> None:
    decoder = Vp8Decoder()
    decoder.codec = MagicMock()
    assert decoder.decode(JitterFrame(vp8_key_frame(2048, 1088), 0)) == []
    decoder.codec.decode.assert_not_called()


def test_full_hd_key_frame_is_decoded() -> None:
    (frame,) = Vp8Decoder().decode(JitterFrame(vp8_key_frame(1920, 1088), 0))
    assert isinstance(frame, av.VideoFrame)
    assert (frame.width, frame.height) == (1920, 1088)


@pytest.mark.slow
def test_giant_key_frame_costs_no_memory(tmp_path: Path) -> None:
    """Without the limit this frame of about 28 kB costs more than 100 MB to decode."""
    file = tmp_path / "frame"
    file.write_bytes(vp8_key_frame(4096, 4096))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    grown_mb, decoded = map(int, done.stdout.split())
    assert decoded == 0
    assert grown_mb < 10


def test_connection_negotiates_vp8_only() -> None:
    async def answer_to(offer: str) -> str:
        server = RTCPeerConnection()
        await server.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await server.setLocalDescription(await server.createAnswer())
        sdp = server.localDescription.sdp
        await server.close()
        return sdp

    async def scenario() -> str:
        browser = RTCPeerConnection()
        browser.addTransceiver("video")
        offer = (await browser.createOffer()).sdp
        # What a browser adds: H.264 as its first choice.
        offer = offer.replace("a=rtpmap:97 VP8", "a=rtpmap:120 H264/90000\r\na=rtpmap:97 VP8")
        offer = offer.replace("UDP/TLS/RTP/SAVPF 97", "UDP/TLS/RTP/SAVPF 120 97")
        await browser.close()
        return await answer_to(offer)

    sdp = run(scenario())
    assert "VP8/90000" in sdp
    assert "H264" not in sdp


@pytest.mark.parametrize(("size", "limit"), [((4096, 2160), MAX_UNPROCESSED_PIXELS), ((3840, 1080), MAX_FRAME_PIXELS)])
def test_limit_size_keeps_the_shape(size: tuple[int, int], limit: int) -> None:
    frame = av.VideoFrame(*size, "yuv420p")
    frame.pts = 7
    small = limit_size(frame, limit)
    assert limit * 0.98 < small.width * small.height <= limit
    assert small.width / small.height == pytest.approx(size[0] / size[1], rel=0.01)
    assert small.pts == 7


def test_limit_size_returns_small_frame_itself() -> None:
    frame = av.VideoFrame(640, 480, "yuv420p")
    assert limit_size(frame, MAX_UNPROCESSED_PIXELS) is frame
