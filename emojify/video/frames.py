"""Decoded frames become upright BGR arrays of one size, with the colors that a player shows."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import cv2
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import SideData
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.video.hdr import ToneMapper, is_hdr
from emojify.vision.readings import Image

MAX_PIXELS = 8192 * 4320
LARGE_PIXELS = 3840 * 2160
"""A larger frame takes tens of megabytes; decoders and encoders keep many unless they are told not to."""
HD_WIDTH, SD_HEIGHT = 1280, 576
"""A frame of at least this width, or of more than this height, has the colors of BT.709 unless it says otherwise, as
in players (mpv, VLC). Smaller ones have those of BT.601, FFmpeg's default."""
UNSPECIFIED = 2
"""ITU-T H.273: the file does not say which color matrix it has."""


class FrameConverter:
    """Converts the frames of one video. The first one decides the size of all. ::

        converter = FrameConverter("party.mov")
        image, alpha = converter.convert(frame, stream.sample_aspect_ratio)

    Args:
        name: of the file, for error messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._size: tuple[int, int] | None = None
        self._tone_mapper: ToneMapper | None = None

    def convert(self, frame: av.VideoFrame, pixel_aspect: Fraction | None) -> tuple[Image, NDArray[np.uint8] | None]:
        """Return a frame upright, with square pixels.

        Args:
            frame: as decoded.
            pixel_aspect: width of a pixel divided by its height.

        Returns:
            (H, W, 3) uint8 BGR, transparent parts white; and (H, W) uint8 alpha, None if the frame is opaque. A frame
            of another shape than the first gets black bars.

        Raises:
            EmojifyError: if the frame has more than :data:`MAX_PIXELS`.
        """
        if frame.width * frame.height > MAX_PIXELS:
            raise EmojifyError(
                f"{self._name} is too large: {frame.width} x {frame.height} pixels. Shrink it in a video editor first."
            )
        image = self._to_bgr(frame)
        width, height = image.shape[1], image.shape[0]
        if pixel_aspect and pixel_aspect != 1 and Fraction(1, 4) <= pixel_aspect <= 4:
            width = max(1, round(width * pixel_aspect))
        turned, swaps_sides = _turn_upright(image, frame)
        if swaps_sides:
            width, height = height, width
        self._size = self._size or (width, height)
        image = _fit(turned, (width, height), self._size)
        if image.shape[2] == 3:
            return image, None
        alpha = np.ascontiguousarray(image[:, :, 3])
        if alpha.min() == 255:
            return np.ascontiguousarray(image[:, :, :3]), None
        opacity = alpha[:, :, None].astype(np.float32) / 255
        return np.rint(image[:, :, :3] * opacity + 255 * (1 - opacity)).astype(np.uint8), alpha

    def _to_bgr(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return (H, W, 3) BGR, or (H, W, 4) BGRA if the pixel format has alpha."""
        if is_hdr(frame):
            if self._tone_mapper is None or not self._tone_mapper.matches(frame):
                self._tone_mapper = ToneMapper(frame)
            return self._tone_mapper.apply(frame)
        is_hd = frame.width >= HD_WIDTH or frame.height > SD_HEIGHT
        if is_hd and int(frame.colorspace) == UNSPECIFIED and not frame.format.is_rgb:
            frame.colorspace = Colorspace.ITU709
        return np.asarray(frame.to_ndarray(format="bgra" if has_alpha(frame) else "bgr24"), np.uint8)


def has_alpha(frame: av.VideoFrame) -> bool:
    """Return True if the frame's pixel format can be transparent."""
    return frame.format.has_palette or any(component.is_alpha for component in frame.format.components)


def _turn_upright(image: NDArray[np.uint8], frame: av.VideoFrame) -> tuple[NDArray[np.uint8], bool]:
    """Rotate and mirror an image as the track's display matrix says.

    Returns:
        The image, and True if its width has become its height.
    """
    entry = frame.side_data.get("DISPLAYMATRIX")
    if entry is None:
        return image, False
    # Rows (a, b, u), (c, d, v), (x, y, w): a pixel at (x, y) is shown at (a x + c y, b x + d y).
    a, b, _, c, d = np.frombuffer(bytes(cast("SideData", entry)), np.int32)[:5]
    swaps_sides = bool(abs(int(b)) + abs(int(c)) > abs(int(a)) + abs(int(d)))
    if swaps_sides:
        image, a, d = image.transpose(1, 0, 2), c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1], swaps_sides


def _fit(image: NDArray[np.uint8], shown: tuple[int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize an image that is shown as ``shown`` (width, height) to ``size``, with black bars if the shapes differ."""
    factor = min(size[0] / shown[0], size[1] / shown[1])
    inner = min(size[0], max(1, round(shown[0] * factor))), min(size[1], max(1, round(shown[1] * factor)))
    if abs(size[0] - inner[0]) <= 1 and abs(size[1] - inner[1]) <= 1:
        inner = size
    if (image.shape[1], image.shape[0]) != inner:
        image = np.asarray(cv2.resize(np.ascontiguousarray(image), inner, interpolation=cv2.INTER_AREA), np.uint8)
    if inner != size:
        left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
        borders = top, size[1] - inner[1] - top, left, size[0] - inner[0] - left
        image = np.asarray(cv2.copyMakeBorder(image, *borders, cv2.BORDER_CONSTANT, value=(0, 0, 0, 255)), np.uint8)
    return np.ascontiguousarray(image)


class Deinterlacer:
    """Turns interlaced frames into progressive ones, and returns progressive frames unchanged.

    From the first interlaced frame on, each frame is returned when the next one has come. ::

        for frame in decoded:
            for progressive in deinterlacer.push(frame): ...
        for progressive in deinterlacer.finish(): ...
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._key: tuple[int, int, str] | None = None

    def push(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Add the next frame; yield the frames that are ready."""
        key = frame.width, frame.height, frame.format.name
        if self._graph is not None and key != self._key:
            yield from self.finish()
        if self._graph is None:
            if not frame.interlaced_frame:
                yield frame
                return
            self._graph, self._key = _bwdif(frame), key
        self._graph.vpush(frame)
        yield from _pull(self._graph)

    def finish(self) -> Iterator[av.VideoFrame]:
        """Yield the frames that are held back at the end."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from _pull(self._graph)
            self._graph = None


def _bwdif(frame: av.VideoFrame) -> Graph:
    """Return a graph with FFmpeg's deinterlacer, which leaves frames that are not flagged as interlaced alone."""
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base),
        graph.add("bwdif", "mode=send_frame:deint=interlaced"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _pull(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
