"""Pictures with more light and color than a plain screen shows (HDR), brought to what one does.

Most phones film so unless told otherwise. The transfer functions are those of ITU-R BT.2100 (PQ and HLG), the white of
203 nits that of BT.2408; highlights above it are compressed, all else keeps its brightness.
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
GRID = 33  # points an axis, as usual in grading; between them FFmpeg interpolates
WHITE_NITS = 203.0
PEAK_NITS = 1000.0
KNEE = 0.6  # of white: what is darker is not touched

_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])  # BT.2087
_DISPLAY_GAMMA = 2.2


def is_hdr(frame: av.VideoFrame) -> bool:
    """Whether a picture is PQ or HLG."""
    return frame.color_trc in TRANSFERS


def to_sdr(signal: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """(..., 3) RGB, 0 to 1: an HDR signal in BT.2020 colors to a plain one in BT.709 colors."""
    light = (_pq(signal) if transfer == ColorTrc.SMPTE2084 else _hlg(signal)) / WHITE_NITS
    light = np.maximum(light @ _TO_709.T, 0)
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    plain = light * (_compress(brightest) / brightest)
    return np.asarray(np.clip(plain, 0, 1) ** (1 / _DISPLAY_GAMMA))


def _pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    powered = signal ** (32 / 2523)
    return np.asarray(10_000 * (np.maximum(powered - 0.8359375, 0) / (18.8515625 - 18.6875 * powered)) ** (8192 / 1305))


def _hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luma = np.maximum((scene @ _LUMA_2020)[..., None], 1e-9)
    return np.asarray(PEAK_NITS * luma**0.2 * scene)


def _compress(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Extended Reinhard above the knee; the peak becomes white."""
    above = np.maximum(light - KNEE, 0) / (1 - KNEE)
    peak = (PEAK_NITS / WHITE_NITS - KNEE) / (1 - KNEE)
    return np.where(light <= KNEE, light, KNEE + (1 - KNEE) * above * (1 + above / peak**2) / (1 + above))


class ToneMapper:
    """Turns the HDR pictures of one video into plain ones, by a table of colors that FFmpeg looks up."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._kind = frame.width, frame.height, frame.format.name, frame.color_trc
        axis = np.linspace(0, 1, GRID)
        blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")  # red runs fastest in a .cube file
        table = to_sdr(np.stack([red, green, blue], axis=-1).reshape(-1, 3), frame.color_trc)
        lines = [f"LUT_3D_SIZE {GRID}", *(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in table)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "plain.cube"
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

    def takes(self, frame: av.VideoFrame) -> bool:
        """Whether a picture is of the kind that it was made for; some videos change their size midway."""
        return self._kind == (frame.width, frame.height, frame.format.name, frame.color_trc)

    def apply(self, frame: av.VideoFrame) -> Image:
        """The picture, (H, W, 3) uint8 BGR."""
        self._graph.vpush(frame)
        return np.asarray(self._graph.vpull().to_ndarray(), np.uint8)
