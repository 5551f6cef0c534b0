"""Writing a video file: MP4 and WebM with sound, GIF and WebP as looping animations."""

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

from emojify.video.animated_webp import set_end_of_webp
from emojify.video.frames import LARGE_PIXELS
from emojify.video.source import TICKS_PER_S, AudioPacket


@dataclass(frozen=True)
class OutputFormat:
    """How a video file is encoded.

    Attributes:
        container: FFmpeg's name of the container.
        codec: FFmpeg's name of the video encoder.
        pixel_format: what the encoder takes.
        options: of the encoder. Quality and speed were chosen at 720p on two cores: faster than real time.
        container_options: of the container.
        large_options: more options of the encoder, for frames of more than ``LARGE_PIXELS``.
        audio_codec: FFmpeg's name of the audio encoder; None if the container has no sound.
        copied_audio_codecs: codecs whose packets are copied without encoding them again.
        max_side_px: larger frames are shrunk. A GIF of 1280x720 takes 20 MB in ten seconds.
        max_fps: frames that come faster are left out.
        max_s: longest video in seconds, None for any; these formats are made in memory or grow without limit.
        even_size: True if width and height must be even numbers.
        mime: media type.
        transparent_pixel_format: what the encoder takes for frames that may be transparent; None if it can't.
    """

    container: str
    codec: str
    pixel_format: str
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    large_options: dict[str, str] = field(default_factory=dict)
    audio_codec: str | None = None
    copied_audio_codecs: tuple[str, ...] = ()
    max_side_px: int | None = None
    max_fps: int | None = None
    max_s: float | None = None
    even_size: bool = False
    mime: str = ""
    transparent_pixel_format: str | None = None

    def encoder_options(self, width: int, height: int) -> dict[str, str]:
        """Return the options of the encoder for frames of this size, in pixels."""
        return self.options | (self.large_options if width * height > LARGE_PIXELS else {})


# bf: with B-frames and frames at irregular times FFmpeg's MP4 header says that the track ends too early.
OUTPUT_FORMATS = {
    ".mp4": OutputFormat(
        "mp4", "libx264", "yuv420p", {"preset": "veryfast", "crf": "20", "bf": "0"}, {"movflags": "+faststart"},
        large_options={"x264-params": "rc-lookahead=0:sync-lookahead=0:sliced-threads=1:ref=1"},
        audio_codec="aac", copied_audio_codecs=("aac", "mp3"), even_size=True, mime="video/mp4",
    ),
    ".webm": OutputFormat(
        "webm", "libvpx-vp9", "yuv420p",
        {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "1", "crf": "32", "b": "0"},
        audio_codec="libopus", copied_audio_codecs=("opus", "vorbis"), mime="video/webm",
    ),
    ".gif": OutputFormat(
        "gif", "gif", "pal8", {}, {"loop": "0"}, max_side_px=480, max_fps=15, max_s=60, mime="image/gif",
        transparent_pixel_format="pal8",
    ),
    ".webp": OutputFormat(
        "webp", "libwebp_anim", "yuv420p", {"quality": "75", "compression_level": "2"}, {"loop": "0"},
        max_side_px=480, max_fps=15, max_s=60, mime="image/webp",
        transparent_pixel_format="yuva420p",
    ),
}  # fmt: skip
"""By file suffix."""

AUDIO_BIT_RATE = 160_000


class VideoSink:
    """A video file that is being written. Its size is that of the first frame. ::

        sink = VideoSink(path, OUTPUT_FORMATS[".mp4"], Fraction(30))
        sink.write(image, ticks=0, duration_ticks=3000)
        sink.close()

    Args:
        target: a file, or memory for a video that must never be on a disk.
        output_format: how to encode it.
        fps: frame rate, as far as it is known.
        audio: the track whose packets will be passed to :meth:`write_audio`; None for no sound.
        transparent: True if frames may be transparent.

    Attributes:
        transparent: False if the format can't be transparent.
        frames: number of frames written so far.

    Raises:
        OSError: from any method, if the file can't be written (PyAV's FFmpegError is one for what the system refuses).
    """

    def __init__(
        self,
        target: Path | io.BytesIO,
        output_format: OutputFormat,
        fps: Fraction,
        audio: AudioStream | None = None,
        transparent: bool = False,
    ) -> None:
        self.frames = 0
        self.transparent = transparent and output_format.transparent_pixel_format is not None
        self._pixel_format = str(
            output_format.transparent_pixel_format if self.transparent else output_format.pixel_format
        )
        self._format = output_format
        self._fps = min(fps, Fraction(output_format.max_fps)) if output_format.max_fps else fps
        in_memory = isinstance(target, io.BytesIO)
        options = dict(output_format.container_options)
        if in_memory:  # FFmpeg opens the file by its name again to move an MP4's index to the start
            options.pop("movflags", None)
        self._container: OutputContainer = av.open(
            target if in_memory else f"file:{target}", "w", format=output_format.container, options=options
        )
        self._video: VideoStream | None = None
        self._size = (0, 0)
        self._target = target
        self._next_ticks = 0.0
        self._end_ticks = 0
        self._pending: av.VideoFrame | None = None  # its duration grows by every frame after it that is left out
        self._audio_template = audio if output_format.audio_codec else None
        self._audio: _CopiedAudio | _EncodedAudio | None = None

    def write(self, image: NDArray[np.uint8], ticks: int, duration_ticks: int) -> None:
        """Add a frame.

        Args:
            image: (H, W, 3) or (H, W, 4) uint8 BGR(A).
            ticks: when it appears, in 1/90000 s; later than the frame before.
            duration_ticks: how long it is shown if it is the last one, in 1/90000 s.
        """
        if self._video is None:
            self._begin(image)
        if self._format.max_fps:
            if ticks < self._next_ticks - TICKS_PER_S / 1000:
                if self._pending is not None and self._pending.pts is not None:
                    self._pending.duration = ticks + duration_ticks - self._pending.pts
                return
            self._next_ticks = max(self._next_ticks, ticks) + TICKS_PER_S / self._format.max_fps
        frame = self._convert(image)
        frame.pts, frame.time_base, frame.duration = ticks, Fraction(1, TICKS_PER_S), duration_ticks
        self._encode_pending()
        self._pending = frame
        if not self._format.max_fps:
            self._encode_pending()
        self.frames += 1

    def write_audio(self, audio: AudioPacket) -> None:
        """Add a packet of the audio track. At least one frame must have been written."""
        if self._audio is not None:
            self._audio.write(audio.packet)

    def close(self) -> None:
        """Finish the file."""
        self._encode_pending()
        if self._video is not None:
            self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._audio.finish()
        self._container.close()
        if self._format.container == "webp":
            end_ms = round(self._end_ticks * 1000 / TICKS_PER_S)
            if isinstance(self._target, io.BytesIO):
                set_end_of_webp(self._target, end_ms)
            else:
                with self._target.open("r+b") as file:
                    set_end_of_webp(file, end_ms)

    def abandon(self) -> None:
        """Release the file without finishing it."""
        with suppress(av.error.FFmpegError, OSError, ValueError):  # the file is deleted next
            self._container.close()

    def _encode_pending(self) -> None:
        if self._video is not None and self._pending is not None:
            self._end_ticks = (self._pending.pts or 0) + self._pending.duration
            self._container.mux(self._video.encode(self._pending))
            self._pending = None

    def _begin(self, image: NDArray[np.uint8]) -> None:
        """Add the streams to the container, in the size of the first frame."""
        self._size = width, height = _limited_size(image.shape[1], image.shape[0], self._format.max_side_px)
        stream = self._container.add_stream(
            self._format.codec, rate=self._fps, options=self._format.encoder_options(width, height)
        )
        assert isinstance(stream, VideoStream)
        padding = int(self._format.even_size)
        stream.width, stream.height = width + (width % 2) * padding, height + (height % 2) * padding
        stream.pix_fmt = self._pixel_format
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS_PER_S)
        context.flags |= Flags.frame_duration  # else FFmpeg guesses the duration of the last frame
        if self._pixel_format.startswith("yuv"):
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._video = stream
        if self._audio_template is not None:
            self._audio = self._add_audio(self._audio_template)

    def _add_audio(self, template: AudioStream) -> _CopiedAudio | _EncodedAudio:
        codec = template.codec_context.codec.canonical_name
        # AAC without extradata, as in MPEG-TS, has headers in its packets that other containers reject.
        is_adts = codec == "aac" and not template.codec_context.extradata
        if codec in self._format.copied_audio_codecs and not is_adts:
            return _CopiedAudio(self._container, template)
        return _EncodedAudio(self._container, template, str(self._format.audio_codec))

    def _convert(self, image: NDArray[np.uint8]) -> av.VideoFrame:
        """Return the image in the size and pixel format of the stream."""
        assert self._video is not None
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        right, bottom = self._video.width - self._size[0], self._video.height - self._size[1]
        if right or bottom:  # repeat the last row or column; an even size by cropping would lose one
            image = np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        if self._pixel_format == "pal8":
            return _quantize(image)
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image), format="bgra" if image.shape[2] == 4 else "bgr24"
        )
        return frame.reformat(
            format=self._pixel_format, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )


def _limited_size(width: int, height: int, max_side_px: int | None) -> tuple[int, int]:
    if not max_side_px or max(width, height) <= max_side_px:
        return width, height
    factor = max_side_px / max(width, height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _quantize(image: NDArray[np.uint8]) -> av.VideoFrame:
    """Return the image with a palette of its own 256 colors; a common palette would need the whole video in memory.

    Pillow's octree takes 1.5 ms for 480x360; FFmpeg's palettegen and paletteuse took 120.
    """
    channels = [2, 1, 0, 3][: image.shape[2]]
    rgb = PillowImage.fromarray(np.ascontiguousarray(image[:, :, channels]))
    quantized = rgb.quantize(256, method=PillowImage.Quantize.FASTOCTREE)
    palette = np.zeros((256, 4), np.uint8)
    colors = np.asarray(quantized.getpalette("RGBA"), np.uint8).reshape(-1, 4)
    palette[: len(colors), 1:] = colors[:, :3]
    palette[: len(colors), 0] = np.where(colors[:, 3] < 128, 0, 255)  # a GIF's pixel is opaque or transparent
    indexed = np.asarray(quantized, np.uint8), palette
    return av.VideoFrame.from_ndarray(indexed, format="pal8")  # type: ignore[arg-type]  # PyAV's stub lacks palettes


class _CopiedAudio:
    """Copies the packets of an audio track, without any loss."""

    def __init__(self, container: OutputContainer, template: AudioStream) -> None:
        self._container = container
        self._stream = container.add_stream_from_template(template)

    def write(self, packet: Packet[AudioStream]) -> None:
        packet.stream = self._stream
        self._container.mux(packet)

    def finish(self) -> None:
        pass


class _EncodedAudio:
    """Decodes an audio track and encodes it again, for a container that does not support its codec."""

    def __init__(self, container: OutputContainer, template: AudioStream, codec: str) -> None:
        self._container = container
        self._template = template
        rates = av.Codec(codec, "w").audio_rates or []
        rate = template.rate if template.rate in rates else 48_000
        layout = "mono" if template.codec_context.channels == 1 else "stereo"
        stream = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, AudioStream)
        self._stream = stream
        self._stream.codec_context.bit_rate = AUDIO_BIT_RATE
        self._stream.codec_context.open()
        self._resampler = av.AudioResampler(
            self._stream.codec_context.format, layout, rate, self._stream.codec_context.frame_size
        )

    def write(self, packet: Packet[AudioStream]) -> None:
        try:
            frames = self._template.decode(packet)
        except (av.error.FFmpegError, OSError):
            return  # a damaged packet becomes a gap
        for frame in frames:
            self._encode(self._resampler.resample(frame))

    def finish(self) -> None:
        self._encode(self._resampler.resample(None))
        self._container.mux(self._stream.encode(None))

    def _encode(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._container.mux(self._stream.encode(frame))
