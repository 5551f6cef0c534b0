"""Videos for tests, encoded here with PyAV: the astronaut, with a beep, in any shape that people bring."""

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
from av.video.stream import VideoStream
from skimage import data

from emojify.emotions import Emotion
from emojify.vision.readings import Image

COLORS = {emotion: (40 * int(emotion), 255 - 40 * int(emotion), 128) for emotion in Emotion}
"""BGR: what the face is covered with."""
FACE = (slice(66 + 25, 66 + 70), slice(77 + 25, 77 + 70))
"""Rows and columns of the middle of the face in :func:`astronaut`."""
BEEP_S, BEEP_LASTS_S = 0.5, 0.1


def astronaut(light: float = 1.0) -> Image:
    """(256, 256, 3) BGR: the upper part, the face at about (77, 66, 95, 95). 0.85 is happy for the tiny model."""
    return _astronaut(light).copy()


@lru_cache(64)
def _astronaut(light: float) -> Image:
    return np.ascontiguousarray(data.astronaut()[:256, 100:356, ::-1] * light).astype(np.uint8)


def wall(light: float = 1.0) -> Image:
    """The same size, nobody in sight."""
    return np.full((256, 256, 3), 150 * light, np.uint8)


@dataclass(frozen=True)
class Film:
    """How to encode a video.

    Attributes:
        image: gives the picture of a time in seconds.
        times_ms: when each picture appears; the last one lasts as long as the one before.
        sound: codec of the sound track, None for none; sound_rate and channels describe it.
        turned: degrees, counterclockwise, by which a player must turn it.
        square: how much wider than high its pixels are.
        colors: (primaries, transfer, matrix), numbers of ITU-T H.273.
    """

    image: Callable[[float], Image] = lambda time_s: astronaut()
    times_ms: Sequence[int] = tuple(range(0, 1000, 40))
    codec: str = "libx264"
    pixels: str = "yuv420p"
    sound: str | None = None
    sound_rate: int = 48_000
    channels: int = 2
    sound_late_ms: int = 0
    turned: int = 0
    square: Fraction = Fraction(1)
    colors: tuple[int, int, int] | None = None
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "16"})
    container_options: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        with av.open(str(path), "w", options=self.container_options) as container:
            video = container.add_stream(self.codec, rate=25, options=self.options)
            assert isinstance(video, VideoStream)
            first = self.image(0)
            video.height, video.width = first.shape[:2]
            video.pix_fmt = self.pixels
            context = video.codec_context
            context.time_base = Fraction(1, 1000)
            context.flags |= Flags.frame_duration
            context.sample_aspect_ratio = self.square
            if self.colors:
                context.color_primaries, context.color_trc, context.colorspace = self.colors
            if self.turned:
                video.set_display_rotation(self.turned)
            layout = "mono" if self.channels == 1 else "stereo"
            sound = container.add_stream(self.sound, rate=self.sound_rate, layout=layout) if self.sound else None
            steps = [*np.diff(self.times_ms).tolist(), 0]
            steps[-1] = steps[-2] if len(steps) > 1 else 40
            for time_ms, step in zip(self.times_ms, steps, strict=True):
                frame = av.VideoFrame.from_ndarray(self.image(time_ms / 1000), format="bgr24")
                frame = frame.reformat(format=self.pixels)
                frame.pts, frame.time_base, frame.duration = time_ms, Fraction(1, 1000), step
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            if isinstance(sound, AudioStream):
                for piece in self._sound(sound):
                    container.mux(sound.encode(piece))
                container.mux(sound.encode(None))
        return path

    def _sound(self, stream: AudioStream) -> list[av.AudioFrame]:
        length_s = (self.times_ms[-1] + 40) / 1000
        time_s = np.arange(round(length_s * self.sound_rate)) / self.sound_rate
        beeping = (time_s >= BEEP_S) & (time_s < BEEP_S + BEEP_LASTS_S)
        wave = (0.5 * np.sin(2 * np.pi * 1000 * time_s) * beeping).astype(np.float32)
        layout = "mono" if self.channels == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(np.tile(wave, (self.channels, 1)), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = self.sound_rate, round(self.sound_late_ms * self.sound_rate / 1000)
        frame.time_base = Fraction(1, self.sound_rate)
        context = stream.codec_context  # open since the first picture was muxed
        resampler = av.AudioResampler(context.format, layout, self.sound_rate, context.frame_size)
        return [*resampler.resample(frame), *resampler.resample(None)]


@dataclass(frozen=True)
class Seen:
    """A video as a player would show it."""

    pictures: list[Image]
    times_s: list[float]
    ends_s: float
    video_codec: str
    sound_codec: str | None
    beep_s: float | None
    sound_s: float


def watch(path: Path) -> Seen:
    """Decode all of a video."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames = list(container.decode(video))
        video_codec = video.codec_context.codec.canonical_name
        last = frames[-1]
        assert last.time_base is not None
        lasts_s = float(last.duration * last.time_base) if last.duration else 0.0
        length_s = float(video.duration * video.time_base) if video.duration and video.time_base else None
    pictures = [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in frames]
    times_s = [float(frame.time) for frame in frames]
    sound_codec, beep_s, sound_s = None, None, 0.0
    with av.open(str(path)) as container:
        if container.streams.audio:
            sound = container.streams.audio[0]
            sound_codec = sound.codec_context.codec.canonical_name
            resampler = av.AudioResampler("fltp", "mono", 48_000)
            pieces = [piece for frame in container.decode(sound) for piece in resampler.resample(frame)]
            loud = [
                float(piece.time or 0) + int(np.argmax(np.abs(samples) > 0.1)) / 48_000
                for piece in pieces
                if (np.abs(samples := piece.to_ndarray()[0]) > 0.1).any()
            ]
            beep_s = loud[0] if loud else None
            sound_s = float(pieces[-1].time or 0) + pieces[-1].samples / 48_000
    return Seen(pictures, times_s, length_s or times_s[-1] + lasts_s, video_codec, sound_codec, beep_s, sound_s)
