"""A few seconds of live video, recorded for sharing as a video, a looping picture or a sticker.

While recording, frames are kept at :data:`MAX_PIXELS` or less in I420, the camera's own pixel format, for at most
:data:`MAX_S`: about 40 MB. A clip is encoded when a file is requested, outside of the video thread.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from emojify.errors import EmojifyError
from emojify.live.countdown import draw_countdown
from emojify.live.frame_tap import FrameTap, ProcessedFrame
from emojify.video.sink import OUTPUT_FORMATS, VideoSink
from emojify.video.source import TICKS_PER_S
from emojify.vision.annotators import Annotator
from emojify.vision.readings import Image, Reading
from emojify.vision.transparency import unpremultiply, with_alpha

MAX_S = 6.0
FPS = 15
MAX_PIXELS = 640 * 480
STICKER_PX = 320
STICKER_MARGIN = 0.04  # of the emoji's size, on each side
_JITTER_S = 0.25 / FPS  # frames of a camera arrive a little early or late


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """One recorded frame.

    Attributes:
        time_s: since the recording started.
        planes: (H * 3 / 2, W) uint8, the annotated picture as I420, which takes half the bytes of BGR.
        readings: what was drawn on it.
        shape: height and width of the camera's frame, to which the boxes of ``readings`` refer.
    """

    time_s: float
    planes: NDArray[np.uint8]
    readings: tuple[Reading, ...]
    shape: tuple[int, int]


class ClipRecorder(FrameTap):
    """Records a clip from the frames of a video. Thread-safe.

    Example:
        >>> recorder = ClipRecorder()
        >>> recorder.start(seconds=4)
        >>> shown = recorder.add_frame(frame)        # for every frame
        >>> content = recorder.clip.encode(".mp4")   # after 4 seconds
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._length_s = 0.0  # 0 while not recording
        self._countdown_s = 0.0
        self._begins_s: float | None = None  # the time of the first recorded frame; None before any frame came
        self._frames: list[ClipFrame] = []
        self._clip: Clip | None = None

    def start(self, seconds: float, countdown_s: float = 0.0) -> None:
        """Start recording ``countdown_s`` after the next frame. An earlier clip stays until this one is finished.

        Raises:
            EmojifyError: if ``seconds`` is not above 0 and at most :data:`MAX_S`.
        """
        if not 0 < seconds <= MAX_S:
            raise EmojifyError(f"A clip may have up to {MAX_S:.0f} seconds, not {seconds:g}.")
        with self._lock:
            self._length_s, self._countdown_s, self._begins_s, self._frames = seconds, countdown_s, None, []

    def cancel(self) -> None:
        """Stop recording, and drop what was recorded since :meth:`start`."""
        with self._lock:
            self._length_s, self._frames = 0.0, []

    def discard(self) -> None:
        """Drop the finished clip."""
        with self._lock:
            self._clip = None

    def add_frame(self, frame: ProcessedFrame) -> Image:
        """Record the next frame, if a recording runs; return it unchanged, or with the countdown."""
        with self._lock:
            if not self._length_s:
                return frame.image
            if self._begins_s is None:
                self._begins_s = frame.time_s + self._countdown_s
            begins_s, time_s = self._begins_s, frame.time_s - self._begins_s
            if time_s >= self._length_s or len(self._frames) >= MAX_S * FPS:
                self._finish()
                return frame.image
            if self._frames and time_s < self._frames[-1].time_s + 1 / FPS - _JITTER_S:
                return frame.image
        if time_s < 0:
            return draw_countdown(frame.image, -time_s, "Clip")
        height, width = frame.gray.shape
        recorded = ClipFrame(time_s, _to_i420(frame.image), frame.readings, (height, width))
        with self._lock:
            if self._length_s and self._begins_s == begins_s:  # neither cancelled nor started again meanwhile
                self._frames.append(recorded)
        return frame.image

    def _finish(self) -> None:
        if self._frames:
            self._clip = Clip(tuple(self._frames))
        self._length_s, self._frames = 0.0, []

    def end_stream(self) -> None:
        """Stop recording; the frames recorded so far become the clip."""
        with self._lock:
            self._finish()

    @property
    def left_s(self) -> float | None:
        """The remaining recording time in seconds, the whole of it during the countdown; None while not recording."""
        with self._lock:
            if not self._length_s:
                return None
            return self._length_s - (self._frames[-1].time_s if self._frames else 0.0)

    @property
    def clip(self) -> Clip | None:
        """The newest finished clip; None before the first one."""
        with self._lock:
            return self._clip


@dataclass(frozen=True, eq=False)
class Clip:
    """A finished recording of at least one frame."""

    frames: tuple[ClipFrame, ...]

    @property
    def duration_s(self) -> float:
        return self.frames[-1].time_s + 1 / FPS

    @property
    def has_faces(self) -> bool:
        return any(frame.readings for frame in self.frames)

    def encode(self, ending: str) -> bytes:
        """Return the clip as the content of a file.

        Args:
            ending: one of :data:`~emojify.video.sink.OUTPUT_FORMATS`.
        """
        return self._encode(ending, (_to_bgr(frame.planes) for frame in self.frames))

    def sticker(self, ending: str, annotator: Annotator) -> bytes:
        """Return the emoji on a transparent background as a looping picture, for a messenger.

        Args:
            ending: ``".webp"`` or ``".gif"``.
            annotator: draws the emoji and nothing around them.

        Raises:
            EmojifyError: if no frame of the clip has a face.
        """
        pictures = self._sticker_pictures(annotator)
        if ending == ".gif":
            return self._encode(ending, pictures)
        # FFmpeg's WebP encoder loses the transparency of animations; Pillow's keeps it. At most 90 small pictures.
        images = [PillowImage.fromarray(picture[:, :, [2, 1, 0, 3]]) for picture in pictures]
        times_ms = [round(frame.time_s * 1000) for frame in self.frames] + [round(self.duration_s * 1000)]
        buffer = io.BytesIO()
        images[0].save(
            buffer, "WEBP", save_all=True, append_images=images[1:], duration=np.diff(times_ms).tolist(), loop=0,
            quality=80, method=2, minimize_size=True,
        )  # fmt: skip
        return buffer.getvalue()

    def _sticker_pictures(self, annotator: Annotator) -> Iterator[NDArray[np.uint8]]:
        """Return the emoji of each frame as (S, S, 4) uint8 BGRA, all cut from the same square."""
        left, top, side = self._emoji_square(annotator)
        size = min(STICKER_PX, side)

        def draw(frame: ClipFrame) -> NDArray[np.uint8]:
            picture = _crop_square(render_transparent(annotator, frame.readings, frame.shape), left, top, side)
            return unpremultiply(np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8))

        return map(draw, self.frames)

    def _emoji_square(self, annotator: Annotator) -> tuple[int, int, int]:
        """Return the square around everything drawn in any frame, in frame pixels: left, top, side."""
        left = top = 1 << 30
        right = bottom = 0
        for frame in self.frames:
            if frame.readings:
                picture = render_transparent(annotator, frame.readings, frame.shape)
                x, y, width, height = cv2.boundingRect(picture[:, :, 3])
                if width:
                    left, top, right, bottom = min(left, x), min(top, y), max(right, x + width), max(bottom, y + height)
        if right <= left:
            raise EmojifyError("No face was in view, so there is no emoji for a sticker. Record another clip.")
        side = round(max(right - left, bottom - top) * (1 + 2 * STICKER_MARGIN))
        return (left + right - side) // 2, (top + bottom - side) // 2, side

    def _encode(self, ending: str, pictures: Iterable[NDArray[np.uint8]]) -> bytes:
        buffer = io.BytesIO()  # never a file on disk: if the process were killed, a picture of a face would stay there
        sink = VideoSink(buffer, OUTPUT_FORMATS[ending], Fraction(FPS))
        for frame, picture in zip(self.frames, pictures, strict=True):
            sink.write(np.asarray(picture, np.uint8), round(frame.time_s * TICKS_PER_S), TICKS_PER_S // FPS)
        sink.close()
        return buffer.getvalue()


def render_transparent(
    annotator: Annotator, readings: tuple[Reading, ...], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return what an annotator draws, without a scene.

    Args:
        shape: height and width of the scene to draw on.

    Returns:
        (H, W, 4) uint8 BGRA, the colors multiplied by alpha.
    """
    on_black = annotator.annotate(np.zeros((*shape, 3), np.uint8), readings)
    on_white = annotator.annotate(np.full((*shape, 3), 255, np.uint8), readings)
    return with_alpha(on_black, on_white)


def _crop_square(picture: NDArray[np.uint8], left: int, top: int, side: int) -> NDArray[np.uint8]:
    """Cut out a square, which may reach beyond the picture; pixels outside are transparent."""
    square = np.zeros((side, side, 4), np.uint8)
    part = picture[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    y, x = max(0, -top), max(0, -left)
    square[y : y + part.shape[0], x : x + part.shape[1]] = part
    return square


def _to_i420(image: Image) -> NDArray[np.uint8]:
    """Shrink a picture to :data:`MAX_PIXELS` and convert it to I420, which needs even sides."""
    height, width = image.shape[:2]
    factor = min(1.0, (MAX_PIXELS / (height * width)) ** 0.5)
    size = max(2, round(width * factor) // 2 * 2), max(2, round(height * factor) // 2 * 2)
    if size != (width, height):
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)


def _to_bgr(planes: NDArray[np.uint8]) -> Image:
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), np.uint8)
