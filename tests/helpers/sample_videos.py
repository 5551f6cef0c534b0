"""Encode test videos with PyAV: the astronaut and a beep, with the variations that phones and cameras produce."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from skimage import data

from emojify.emotions import Emotion
from emojify.vision.readings import Image

COLORS = {emotion: (40 * int(emotion), 255 - 40 * int(emotion), 128) for emotion in Emotion}
"""BGR color of the emoji of each emotion."""
FACE = (slice(66 + 25, 66 + 70), slice(77 + 25, 77 + 70))
"""Rows and columns of the middle of the face in :func:`astronaut`."""
BEEP_S, BEEP_DURATION_S = 0.5, 0.1


def astronaut(brightness: float = 1.0) -> Image:
    """Return (256, 256, 3) BGR, the face at about (77, 66, 95, 95): for the tiny model happy at 0.85, neutral at 1."""
    return _astronaut(brightness).copy()


@lru_cache(64)
def _astronaut(brightness: float) -> Image:
    return np.ascontiguousarray(data.astronaut()[:256, 100:356, ::-1] * brightness).astype(np.uint8)


@lru_cache(2)
def head(mirrored: bool) -> tuple[Image, NDArray[np.float32], int]:
    """Return the astronaut's head (230, 230, 3) BGR, a mask (230, 230) of 0 to 1 around it, and the face's width."""
    picture = data.astronaut()[:230, 110:340, ::-1]
    y, x = np.mgrid[-1:1:230j, -1:1:230j]
    mask = ((x / 0.9) ** 2 + (y / 0.98) ** 2 < 1).astype(np.float32)
    return np.ascontiguousarray(picture[:, ::-1] if mirrored else picture), mask, 95


def wall(brightness: float = 1.0) -> Image:
    """Return an image of the same size without a face."""
    return np.full((256, 256, 3), 150 * brightness, np.uint8)


@dataclass(frozen=True)
class SampleVideo:
    """How to encode a video.

    Attributes:
        image: returns the frame at a time in seconds.
        times_ms: when each frame appears; the last one lasts as long as the one before.
        codec, pixel_format, options: of the video stream.
        audio: codec of the audio track; None for none.
        audio_rate, channels: of the audio track.
        audio_delay_ms: by how much the audio starts after the video.
        rotation: degrees, counterclockwise, by which a player must rotate the video.
        pixel_aspect: width of a pixel divided by its height.
        colors: (primaries, transfer, matrix) as numbers of ITU-T H.273.
        container_options: of the container.
    """

    image: Callable[[float], Image] = lambda time_s: astronaut()
    times_ms: Sequence[int] = tuple(range(0, 1000, 40))
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    audio: str | None = None
    audio_rate: int = 48_000
    channels: int = 2
    audio_delay_ms: int = 0
    rotation: int = 0
    pixel_aspect: Fraction = Fraction(1)
    colors: tuple[int, int, int] | None = None
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "16"})
    container_options: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Encode the video to ``path``, whose suffix chooses the container; return ``path``."""
        with av.open(str(path), "w", options=self.container_options) as container:
            video = self._add_video_stream(container)
            audio = container.add_stream(self.audio, rate=self.audio_rate, layout=self._layout) if self.audio else None
            durations = [*np.diff(self.times_ms).tolist(), 0]
            durations[-1] = durations[-2] if len(durations) > 1 else 40
            for time_ms, duration in zip(self.times_ms, durations, strict=True):
                frame = av.VideoFrame.from_ndarray(self.image(time_ms / 1000), format="bgr24")
                frame = frame.reformat(format=self.pixel_format)
                frame.pts, frame.time_base, frame.duration = time_ms, Fraction(1, 1000), duration
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            if isinstance(audio, AudioStream):
                for audio_frame in self._beep(audio):
                    container.mux(audio.encode(audio_frame))
                container.mux(audio.encode(None))
        return path

    @property
    def _layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    def _add_video_stream(self, container: OutputContainer) -> VideoStream:
        video = container.add_stream(self.codec, rate=25, options=self.options)
        assert isinstance(video, VideoStream)
        video.height, video.width = self.image(0).shape[:2]
        video.pix_fmt = self.pixel_format
        context = video.codec_context
        context.time_base = Fraction(1, 1000)
        context.flags |= Flags.frame_duration
        context.sample_aspect_ratio = self.pixel_aspect
        if self.colors:
            context.color_primaries, context.color_trc, context.colorspace = self.colors
        if self.rotation:
            video.set_display_rotation(self.rotation)
        return video

    def _beep(self, stream: AudioStream) -> list[av.AudioFrame]:
        """Return audio frames as long as the video, silent except for a beep of 1 kHz."""
        duration_s = (self.times_ms[-1] + 40) / 1000
        time_s = np.arange(round(duration_s * self.audio_rate)) / self.audio_rate
        audible = (time_s >= BEEP_S) & (time_s < BEEP_S + BEEP_DURATION_S)
        wave = (0.5 * np.sin(2 * np.pi * 1000 * time_s) * audible).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.tile(wave, (self.channels, 1)), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts = self.audio_rate, round(self.audio_delay_ms * self.audio_rate / 1000)
        frame.time_base = Fraction(1, self.audio_rate)
        context = stream.codec_context  # was opened when the first frame was muxed
        resampler = av.AudioResampler(context.format, self._layout, self.audio_rate, context.frame_size)
        return [*resampler.resample(frame), *resampler.resample(None)]


@dataclass(frozen=True)
class DecodedVideo:
    """A video as a player shows it.

    Attributes:
        frames: (H, W, 3) uint8 BGR each.
        times_s: when each frame appears.
        end_s: when the last frame ends.
        video_codec, audio_codec: canonical names; the latter is None without audio.
        beep_s: when the beep starts; None if there is none.
        audio_end_s: when the audio ends; 0 without audio.
    """

    frames: list[Image]
    times_s: list[float]
    end_s: float
    video_codec: str
    audio_codec: str | None
    beep_s: float | None
    audio_end_s: float


def decode(path: Path) -> DecodedVideo:
    """Decode all frames and the audio of a video."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames = list(container.decode(video))
        video_codec = video.codec_context.codec.canonical_name
        last = frames[-1]
        assert last.time_base is not None
        last_duration_s = float(last.duration * last.time_base) if last.duration else 0.0
        duration_s = float(video.duration * video.time_base) if video.duration and video.time_base else None
    images = [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in frames]
    times_s = [float(frame.time) for frame in frames]
    end_s = duration_s or times_s[-1] + last_duration_s
    return DecodedVideo(images, times_s, end_s, video_codec, *_decode_audio(path))


def _decode_audio(path: Path) -> tuple[str | None, float | None, float]:
    """Return the codec, the start of the beep and the end of the audio, as in :class:`DecodedVideo`."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None, None, 0.0
        audio = container.streams.audio[0]
        resampler = av.AudioResampler("fltp", "mono", 48_000)
        pieces = [piece for frame in container.decode(audio) for piece in resampler.resample(frame)]
        audible_s = [
            float(piece.time or 0) + int(np.argmax(np.abs(samples) > 0.1)) / 48_000
            for piece in pieces
            if (np.abs(samples := piece.to_ndarray()[0]) > 0.1).any()
        ]
        end_s = float(pieces[-1].time or 0) + pieces[-1].samples / 48_000
        return audio.codec_context.codec.canonical_name, audible_s[0] if audible_s else None, end_s


def covered_with(picture: Image, emotion: Emotion = Emotion.NEUTRAL, face: tuple[slice, slice] = FACE) -> bool:
    """Return True if the face has the color of the emotion's emoji, within the losses of a codec."""
    return bool(np.abs(picture[face].astype(int).mean(axis=(0, 1)) - COLORS[emotion]).max() < 12)
