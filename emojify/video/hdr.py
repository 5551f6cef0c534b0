"""Tone mapping of HDR video, which most phones record by default, to the standard range of an ordinary screen (SDR).

The transfer functions are those of ITU-R BT.2100 (PQ and HLG); white is at 203 nits as in BT.2408. Highlights above
white are compressed; everything darker keeps its brightness.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

from emojify.vision.readings import Image

TRANSFERS = (int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67))
GRID = 33
"""Points per axis of the lookup table, as usual in color grading; FFmpeg interpolates between them."""
WHITE_NITS = 203.0
PEAK_NITS = 1000.0
KNEE = 0.6
"""Share of white below which nothing is compressed."""

_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
_BT2020_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""From BT.2087."""
_DISPLAY_GAMMA = 2.2


def is_hdr(frame: av.VideoFrame) -> bool:
    """Return True if the frame has the transfer function PQ or HLG."""
    return frame.color_trc in TRANSFERS


def to_sdr(signal: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """Convert an HDR signal in BT.2020 colors to an SDR signal in BT.709 colors.

    Args:
        signal: (..., 3) RGB, 0 to 1.
        transfer: one of :data:`TRANSFERS`.

    Returns:
        (..., 3) RGB, 0 to 1.
    """
    light = (_pq(signal) if transfer == ColorTrc.SMPTE2084 else _hlg(signal)) / WHITE_NITS
    light = np.maximum(light @ _BT2020_TO_BT709.T, 0)
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    compressed = light * (_compress(brightest) / brightest)
    return np.asarray(np.clip(compressed, 0, 1) ** (1 / _DISPLAY_GAMMA))


def _pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the light in nits of a PQ signal."""
    powered = signal ** (32 / 2523)
    return np.asarray(10_000 * (np.maximum(powered - 0.8359375, 0) / (18.8515625 - 18.6875 * powered)) ** (8192 / 1305))


def _hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the light in nits of an HLG signal on a screen of :data:`PEAK_NITS`."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luma = np.maximum((scene @ _LUMA_2020)[..., None], 1e-9)
    return np.asarray(PEAK_NITS * luma**0.2 * scene)


def _compress(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply the extended Reinhard curve above the knee; the peak becomes white."""
    above = np.maximum(light - KNEE, 0) / (1 - KNEE)
    peak = (PEAK_NITS / WHITE_NITS - KNEE) / (1 - KNEE)
    return np.where(light <= KNEE, light, KNEE + (1 - KNEE) * above * (1 + above / peak**2) / (1 + above))


class ToneMapper:
    """Converts the HDR frames of one video to SDR, by a lookup table that FFmpeg's filter ``lut3d`` applies.

    Args:
        frame: a frame whose size, pixel format and transfer function all later frames share.
    """

    def __init__(self, frame: av.VideoFrame) -> None:
        self._key = _key(frame)
        axis = np.linspace(0, 1, GRID)
        blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")  # red changes fastest in a .cube file
        table = to_sdr(np.stack([red, green, blue], axis=-1).reshape(-1, 3), frame.color_trc)
        lines = [f"LUT_3D_SIZE {GRID}", *(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in table)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sdr.cube"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            self._graph = Graph()
            self._graph.link_nodes(
                self._graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
                ),
                self._graph.add("scale", "in_color_matrix=bt2020:out_range=pc"),
                self._graph.add("format", "gbrp12"),
                self._graph.add("lut3d", f"{path}:interp=tetrahedral"),
                self._graph.add("format", "bgr24"),
                self._graph.add("buffersink"),
            ).configure()

    def matches(self, frame: av.VideoFrame) -> bool:
        """Return True if the mapper was made for frames like this one; some videos change their size midway."""
        return self._key == _key(frame)

    def apply(self, frame: av.VideoFrame) -> Image:
        """Return the frame in SDR, (H, W, 3) uint8 BGR."""
        self._graph.vpush(frame)
        return np.asarray(self._graph.vpull().to_ndarray(), np.uint8)


def _key(frame: av.VideoFrame) -> tuple[int, int, str, int]:
    return frame.width, frame.height, frame.format.name, int(frame.color_trc)
