from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray

from emojify.video.hdr import to_sdr
from emojify.video.source import Frame, VideoSource

PQ, HLG = int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)
PQ_WHITE, HLG_WHITE = 0.58, 0.75  # signal of 203 nits in BT.2408


def gray(signal: float) -> NDArray[np.float64]:
    return np.full((1, 3), signal)


@pytest.mark.parametrize(("transfer", "white"), [(PQ, PQ_WHITE), (HLG, HLG_WHITE)])
def test_to_sdr_keeps_white_and_black(transfer: int, white: float) -> None:
    assert 0.82 < to_sdr(gray(white), transfer).min() < 0.95
    assert to_sdr(gray(0.0), transfer).max() < 0.02
    assert to_sdr(gray(1.0), transfer).min() > 0.98


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_to_sdr_is_monotonic_and_neutral(transfer: int) -> None:
    sdr = to_sdr(np.repeat(np.linspace(0, 1, 200)[:, None], 3, axis=1), transfer)
    assert (np.diff(sdr, axis=0) >= -1e-9).all()
    assert np.abs(sdr - sdr[:, :1]).max() < 0.01


def test_to_sdr_keeps_midtone_brightness() -> None:
    """A quarter of the light of white is 50.75 nits: PQ 0.4415 in BT.2100, and 0.25 ** (1 / 2.2) = 0.533 in SDR."""
    assert to_sdr(gray(0.4415), PQ)[0, 0] == pytest.approx(0.533, abs=0.005)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_video_source_converts_hdr_to_sdr(tmp_path: Path, transfer: int) -> None:
    path = tmp_path / "hdr.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx265", rate=25, options={"preset": "ultrafast", "x265-params": "log-level=none"}
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, transfer, 9, 1
        for number in range(3):
            signal = np.full((96, 128, 3), 65535 * (PQ_WHITE if transfer == PQ else HLG_WHITE), np.uint16)
            signal[:, :64] = 0
            frame = av.VideoFrame.from_ndarray(signal, format="rgb48le").reformat(
                format="yuv420p10le", dst_colorspace=9, dst_color_range=1
            )
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoSource(path) as video:
        frames = [item for item in video if isinstance(item, Frame)]
    assert len(frames) == 3
    image = frames[1].image
    assert image.shape == (96, 128, 3)
    assert image[:, 80:].min() > 205
    assert image[:, :48].max() < 16
    assert np.ptp(image[50, 100].astype(int)) <= 4
