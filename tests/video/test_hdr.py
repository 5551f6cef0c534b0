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
PQ_WHITE, HLG_WHITE = 0.58, 0.75  # the signal of 203 nits, as BT.2408 has it


def gray(signal: float) -> NDArray[np.float64]:
    return np.full((1, 3), signal)


@pytest.mark.parametrize(("transfer", "white"), [(PQ, PQ_WHITE), (HLG, HLG_WHITE)])
def test_white_is_nearly_white_and_black_is_black(transfer: int, white: float) -> None:
    assert 0.82 < to_sdr(gray(white), transfer).min() < 0.95
    assert to_sdr(gray(0.0), transfer).max() < 0.02
    assert to_sdr(gray(1.0), transfer).min() > 0.98


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_more_light_is_never_darker_and_gray_stays_gray(transfer: int) -> None:
    plain = to_sdr(np.repeat(np.linspace(0, 1, 200)[:, None], 3, axis=1), transfer)
    assert (np.diff(plain, axis=0) >= -1e-9).all()
    assert np.abs(plain - plain[:, :1]).max() < 0.01


def test_light_as_on_a_plain_screen_keeps_its_brightness() -> None:
    """A quarter of white's light, 50.75 nits: PQ 0.4415 by BT.2100's equation; 0.25 ** (1 / 2.2) = 0.533."""
    assert to_sdr(gray(0.4415), PQ)[0, 0] == pytest.approx(0.533, abs=0.005)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_phones_hdr_video_is_read_as_a_plain_one(tmp_path: Path, transfer: int) -> None:
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
        pictures = [item for item in video if isinstance(item, Frame)]
    assert len(pictures) == 3
    image = pictures[1].image
    assert image.shape == (96, 128, 3)
    assert image[:, 80:].min() > 205
    assert image[:, :48].max() < 16
    assert np.ptp(image[50, 100].astype(int)) <= 4
