"""A few seconds of the live picture, kept to be shared: as a video, a looping picture, or a sticker.

While it records, pictures are kept shrunk and in the camera's own kind of pixels, at most :data:`MAX_S` of them: about
40 MB. Nothing is encoded until somebody asks for a file, and then outside of the thread that works on the frames.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from emojify.errors import EmojifyError
from emojify.video.sink import OUTPUT_FORMATS, VideoSink
from emojify.video.source import TICKS_PER_S
from emojify.vision.annotators import Annotator
from emojify.vision.readings import Image, Reading

MAX_S = 6.0
FPS = 15
MAX_PIXELS = 640 * 480
STICKER_PX = 320
STICKER_MARGIN = 0.04
_EARLY_S = 0.25 / FPS  # a camera's frames come a little early or late


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """One recorded picture.

    Attributes:
        time_s: since the recording began.
        planes: (H * 3 / 2, W) uint8, the annotated picture as I420: half the bytes of BGR.
        readings: what was drawn.
        shape: height and width of the frame in which they were found.
    """

    time_s: float
    planes: NDArray[np.uint8]
    readings: tuple[Reading, ...]
    shape: tuple[int, int]


class ClipRecorder:
    """Keeps what a processor shows while it is told to. Its methods may be called from different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted_s = 0.0
        self._began_s: float | None = None
        self._frames: list[ClipFrame] = []
        self._done = False
        self._clip: Clip | None = None

    def start(self, seconds: float) -> None:
        """Record from the next frame on; what was recorded before is forgotten.

        Raises:
            EmojifyError: if that is longer than a clip may be.
        """
        if not 0 < seconds <= MAX_S:
            raise EmojifyError(f"A clip may have up to {MAX_S:.0f} seconds, not {seconds:g}.")
        with self._lock:
            self._wanted_s, self._began_s, self._frames, self._done = seconds, None, [], False
            self._clip = None

    def add_frame(self, image: Image, readings: tuple[Reading, ...], shape: tuple[int, int], now_s: float) -> None:
        """The next frame; costs nothing while nothing is recorded.

        Args:
            image: (H, W, 3) uint8 BGR, annotated.
            readings: what was drawn on it.
            shape: height and width of the frame before it was annotated.
            now_s: its time, from any clock.
        """
        with self._lock:
            if not self._wanted_s or self._done:
                return
            if self._began_s is None:
                self._began_s = now_s
            time_s = now_s - self._began_s
            if time_s >= self._wanted_s or len(self._frames) >= MAX_S * FPS:
                self._done = True
                return
            if self._frames and time_s < self._frames[-1].time_s + 1 / FPS - _EARLY_S:
                return
        frame = ClipFrame(time_s, _shrunk(image), readings, shape)
        with self._lock:
            if self._began_s is not None and now_s - self._began_s == time_s:  # not started anew meanwhile
                self._frames.append(frame)

    def end(self) -> None:
        """The stream is over: what is there is the clip."""
        with self._lock:
            self._done = bool(self._frames)
            self._wanted_s = 0.0

    @property
    def left_s(self) -> float | None:
        """How much longer it records; None if it does not."""
        with self._lock:
            if not self._wanted_s or self._done:
                return None
            return self._wanted_s - (self._frames[-1].time_s if self._frames else 0.0)

    @property
    def clip(self) -> Clip | None:
        """What was recorded; None before it is complete."""
        with self._lock:
            if self._clip is None and self._done and self._frames:
                self._clip, self._frames = Clip(tuple(self._frames)), []
            return self._clip


@dataclass(frozen=True, eq=False)
class Clip:
    """A recording that is complete."""

    frames: tuple[ClipFrame, ...]

    @property
    def duration_s(self) -> float:
        return self.frames[-1].time_s + 1 / FPS

    @property
    def has_faces(self) -> bool:
        return any(frame.readings for frame in self.frames)

    def encode(self, ending: str) -> bytes:
        """The clip as a file.

        Args:
            ending: one of :data:`~emojify.video.sink.OUTPUT_FORMATS`.
        """
        return self._write(ending, (_bgr(frame.planes) for frame in self.frames))

    def sticker(self, ending: str, annotator: Annotator) -> bytes:
        """The emoji alone, on nothing, looping: for a messenger.

        Args:
            ending: ``".webp"`` or ``".gif"``.
            annotator: draws the emoji; it should not draw anything on the scene around them.

        Raises:
            EmojifyError: if no face was in sight.
        """
        left, top, side = self._emoji_square(annotator)
        size = min(STICKER_PX, side)
        pictures = (
            np.asarray(
                cv2.resize(
                    _cut(render_transparent(annotator, m.readings, m.shape), left, top, side),
                    (size, size),
                    interpolation=cv2.INTER_AREA,
                ),
                np.uint8,
            )
            for m in self.frames
        )
        if ending == ".gif":
            return self._write(ending, (unpremultiply(picture) for picture in pictures))
        # FFmpeg's WebP encoder loses transparency when pictures move; Pillow's does not. 90 small pictures at most.
        frames = [PillowImage.fromarray(unpremultiply(picture)[:, :, [2, 1, 0, 3]]) for picture in pictures]
        times_ms = [round(frame.time_s * 1000) for frame in self.frames] + [round(self.duration_s * 1000)]
        buffer = io.BytesIO()
        frames[0].save(
            buffer, "WEBP", save_all=True, append_images=frames[1:], duration=np.diff(times_ms).tolist(), loop=0,
            quality=80, method=2, minimize_size=True,
        )  # fmt: skip
        return buffer.getvalue()

    def _emoji_square(self, annotator: Annotator) -> tuple[int, int, int]:
        """A square around all that is drawn, in pixels of the frames: left, top, side."""
        left = top = 1 << 30
        right = bottom = 0
        for frame in self.frames:
            if frame.readings:
                x, y, width, height = cv2.boundingRect(
                    render_transparent(annotator, frame.readings, frame.shape)[:, :, 3]
                )
                if width:
                    left, top, right, bottom = min(left, x), min(top, y), max(right, x + width), max(bottom, y + height)
        if right <= left:
            raise EmojifyError("No face was in sight, so there is no emoji for a sticker. Record another clip.")
        side = round(max(right - left, bottom - top) * (1 + 2 * STICKER_MARGIN))
        return (left + right - side) // 2, (top + bottom - side) // 2, side

    def _write(self, ending: str, pictures: Iterable[NDArray[np.uint8]]) -> bytes:
        buffer = io.BytesIO()  # not even for a moment on a disk: a kill would leave somebody's face there
        sink = VideoSink(buffer, OUTPUT_FORMATS[ending], Fraction(FPS))
        for frame, picture in zip(self.frames, pictures, strict=True):
            sink.write(np.asarray(picture, np.uint8), round(frame.time_s * TICKS_PER_S), TICKS_PER_S // FPS)
        sink.close()
        return buffer.getvalue()


def render_transparent(
    annotator: Annotator, readings: tuple[Reading, ...], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """What an annotator draws, without the scene: on black it shows its colors, and white shines through where it
    is see-through.

    Returns:
        (H, W, 4) uint8 BGRA, the colors multiplied by alpha.
    """
    on_black = annotator.annotate(np.zeros((*shape, 3), np.uint8), readings)
    on_white = annotator.annotate(np.full((*shape, 3), 255, np.uint8), readings)
    shining = cv2.subtract(on_white, on_black).min(axis=2)
    return np.dstack([on_black, 255 - shining]).astype(np.uint8)


def unpremultiply(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = picture[:, :, 3:].astype(np.float32)
    colors = picture[:, :, :3] * (255 / np.maximum(alpha, 1))
    return np.dstack([np.minimum(colors, 255).astype(np.uint8), picture[:, :, 3]])


def _cut(picture: NDArray[np.uint8], left: int, top: int, side: int) -> NDArray[np.uint8]:
    """A square that may reach beyond the picture."""
    square = np.zeros((side, side, 4), np.uint8)
    part = picture[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    y, x = max(0, -top), max(0, -left)
    square[y : y + part.shape[0], x : x + part.shape[1]] = part
    return square


def _shrunk(image: Image) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    factor = min(1.0, (MAX_PIXELS / (height * width)) ** 0.5)
    size = max(2, round(width * factor) // 2 * 2), max(2, round(height * factor) // 2 * 2)
    if size != (width, height):
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)


def _bgr(planes: NDArray[np.uint8]) -> Image:
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), np.uint8)
