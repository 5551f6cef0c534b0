"""Writing a video file: MP4 and WebM with sound, GIF and WebP as looping pictures."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image as PillowImage

from emojify.video.source import TICKS_PER_S, AudioPacket


@dataclass(frozen=True)
class OutputFormat:
    """What a file name's ending stands for.

    Attributes:
        format: FFmpeg's name of the container.
        codec: of the pictures.
        pixels: the format that the codec gets.
        options: of the codec. Quality and speed were chosen at 720p on two cores: faster than real time.
        container_options: of the container.
        sound_codec: None if the container has no sound.
        copied_sounds: codecs whose packets go into it as they are.
        max_side_px: larger pictures are shrunk; a GIF of 1280x720 takes 20 MB in ten seconds.
        max_fps: pictures that come faster are left out.
        max_s: None for any length; these are made in memory or grow without end.
        even: whether both sides must be even numbers.
    """

    format: str
    codec: str
    pixels: str
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    sound_codec: str | None = None
    copied_sounds: tuple[str, ...] = ()
    max_side_px: int | None = None
    max_fps: int | None = None
    max_s: float | None = None
    even: bool = False
    mime: str = ""


# bf: with B-frames and uneven times FFmpeg's MP4 says that the track ends earlier than it does.
OUTPUT_FORMATS = {
    ".mp4": OutputFormat(
        "mp4", "libx264", "yuv420p", {"preset": "veryfast", "crf": "20", "bf": "0"}, {"movflags": "+faststart"},
        sound_codec="aac", copied_sounds=("aac", "mp3"), even=True, mime="video/mp4",
    ),
    ".webm": OutputFormat(
        "webm", "libvpx-vp9", "yuv420p",
        {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "1", "crf": "32", "b": "0"},
        sound_codec="libopus", copied_sounds=("opus", "vorbis"), mime="video/webm",
    ),
    ".gif": OutputFormat(
        "gif", "gif", "pal8", {}, {"loop": "0"}, max_side_px=480, max_fps=15, max_s=60, mime="image/gif",
    ),
    ".webp": OutputFormat(
        "webp", "libwebp_anim", "yuv420p", {"quality": "75", "compression_level": "2"}, {"loop": "0"},
        max_side_px=480, max_fps=15, max_s=60, mime="image/webp",
    ),
}  # fmt: skip
"""By the file name's ending."""

SOUND_BIT_RATE = 160_000


class VideoSink:
    """A video file that is being written. Its size is that of the first picture.

    Args:
        target: a file, or memory for a video that should never lie on a disk.
        kind: what it becomes.
        fps: the pictures a second, as far as they are known.
        sound: the track that will be written beside the pictures.

    Raises:
        OSError: from any method, if it cannot be written (PyAV's FFmpegError is one for what the system refuses).
    """

    def __init__(
        self, target: Path | io.BytesIO, kind: OutputFormat, fps: Fraction, sound: AudioStream | None = None
    ) -> None:
        self.kind = kind
        self._fps = min(fps, Fraction(kind.max_fps)) if kind.max_fps else fps
        in_memory = isinstance(target, io.BytesIO)
        # FFmpeg moves an MP4's index to its start by opening the file again, which memory has no name for.
        options = {key: word for key, word in kind.container_options.items() if not in_memory or key != "movflags"}
        self._container: OutputContainer = av.open(
            target if in_memory else f"file:{target}", "w", format=kind.format, options=options
        )
        self._video: VideoStream | None = None
        self._size = (0, 0)
        self._next_ticks = 0.0
        self._waiting: av.VideoFrame | None = None  # for how many pictures after it are left out
        self._sound_template = sound if kind.sound_codec else None
        self._sound: _CopiedSound | _EncodedSound | None = None
        self.pictures = 0

    def write(self, image: NDArray[np.uint8], ticks: int, duration_ticks: int) -> None:
        """Add a picture.

        Args:
            image: (H, W, 3) or (H, W, 4) uint8 BGR(A).
            ticks: when it appears, in 1/90000 s; later than the one before.
            duration_ticks: how long it is shown if it is the last one.
        """
        if self._video is None:
            self._begin(image)
        assert self._video is not None
        if self.kind.max_fps:
            if ticks < self._next_ticks - TICKS_PER_S / 1000:
                if self._waiting is not None and self._waiting.pts is not None:
                    self._waiting.duration = ticks + duration_ticks - self._waiting.pts
                return
            self._next_ticks = max(self._next_ticks, ticks) + TICKS_PER_S / self.kind.max_fps
        frame = self._frame(image)
        frame.pts, frame.time_base, frame.duration = ticks, Fraction(1, TICKS_PER_S), duration_ticks
        self._encode_waiting()
        self._waiting = frame
        if not self.kind.max_fps:
            self._encode_waiting()
        self.pictures += 1

    def write_sound(self, sound: AudioPacket) -> None:
        """Add a piece of the sound track that was named at the beginning. The first picture must be there already."""
        if self._sound is not None:
            self._sound.write(sound.packet)

    def close(self) -> None:
        """Finish the file."""
        self._encode_waiting()
        if self._video is not None:
            self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._sound.finish()
        self._container.close()

    def abandon(self) -> None:
        """Let go of the file, whatever state it is in."""
        with suppress(av.error.FFmpegError, OSError, ValueError):  # nobody will read it
            self._container.close()

    def _encode_waiting(self) -> None:
        if self._video is not None and self._waiting is not None:
            self._container.mux(self._video.encode(self._waiting))
            self._waiting = None

    def _begin(self, image: NDArray[np.uint8]) -> None:
        height, width = image.shape[:2]
        longest = self.kind.max_side_px
        if longest and max(width, height) > longest:
            factor = longest / max(width, height)
            width, height = max(1, round(width * factor)), max(1, round(height * factor))
        self._size = width, height
        stream = self._container.add_stream(self.kind.codec, rate=self._fps, options=self.kind.options)
        assert isinstance(stream, VideoStream)
        even = int(self.kind.even)
        stream.width, stream.height = width + (width % 2) * even, height + (height % 2) * even
        stream.pix_fmt = self.kind.pixels
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS_PER_S)
        context.flags |= Flags.frame_duration  # the last picture's is not to be guessed
        if self.kind.pixels == "yuv420p":
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._video = stream
        template = self._sound_template
        if template is not None:
            codec = template.codec_context.codec.canonical_name
            # AAC without extradata, as in MPEG-TS, is framed in a way that other containers don't take.
            framed = codec == "aac" and not template.codec_context.extradata
            if codec in self.kind.copied_sounds and not framed:
                self._sound = _CopiedSound(self._container, template)
            else:
                self._sound = _EncodedSound(self._container, template, str(self.kind.sound_codec))

    def _frame(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        assert self._video is not None
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        right, bottom = self._video.width - self._size[0], self._video.height - self._size[1]
        if right or bottom:  # the last row or column twice; cutting it off would lose one
            image = np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        if self.kind.pixels == "pal8":
            return _few_colors(image)
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image), format="bgra" if image.shape[2] == 4 else "bgr24"
        )
        return frame.reformat(
            format=self.kind.pixels, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )


def _few_colors(image: NDArray[np.uint8]) -> av.VideoFrame:
    """256 colors for each picture anew: for all at once the whole video would have to be held.

    Pillow's octree takes 1.5 ms for 480x360; FFmpeg's palettegen and paletteuse took 120.
    """
    channels = [2, 1, 0, 3][: image.shape[2]]
    picture = PillowImage.fromarray(np.ascontiguousarray(image[:, :, channels]))
    few = picture.quantize(256, method=PillowImage.Quantize.FASTOCTREE)
    palette = np.zeros((256, 4), np.uint8)
    colors = np.asarray(few.getpalette("RGBA"), np.uint8).reshape(-1, 4)
    palette[: len(colors), 1:] = colors[:, :3]
    palette[: len(colors), 0] = np.where(colors[:, 3] < 128, 0, 255)  # a GIF's pixel is there or not
    indexed = np.asarray(few, np.uint8), palette
    return av.VideoFrame.from_ndarray(indexed, format="pal8")  # type: ignore[arg-type]  # PyAV's stub knows no palette


class _CopiedSound:
    """The packets as they are: nothing is lost, and it takes no time."""

    def __init__(self, container: OutputContainer, template: AudioStream) -> None:
        self._container = container
        self._stream = container.add_stream_from_template(template)

    def write(self, packet: Packet[AudioStream]) -> None:
        packet.stream = self._stream
        self._container.mux(packet)

    def finish(self) -> None:
        pass


class _EncodedSound:
    """Decoded and encoded anew, for a container that does not take the codec."""

    def __init__(self, container: OutputContainer, template: AudioStream, codec: str) -> None:
        self._container = container
        rates = av.Codec(codec, "w").audio_rates or []
        rate = template.rate if template.rate in rates else 48_000
        layout = "mono" if template.codec_context.channels == 1 else "stereo"
        stream = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, AudioStream)
        self._stream = stream
        self._template = template
        self._stream.codec_context.bit_rate = SOUND_BIT_RATE
        self._stream.codec_context.open()
        self._resampler = av.AudioResampler(
            self._stream.codec_context.format, layout, rate, self._stream.codec_context.frame_size
        )

    def write(self, packet: Packet[AudioStream]) -> None:
        try:
            frames = self._template.decode(packet)
        except (av.error.FFmpegError, OSError):
            return  # a damaged piece of sound is a gap
        for frame in frames:
            self._encode(self._resampler.resample(frame))

    def finish(self) -> None:
        self._encode(self._resampler.resample(None))
        self._container.mux(self._stream.encode(None))

    def _encode(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._container.mux(self._stream.encode(frame))
