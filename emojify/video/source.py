"""Reading a video file: upright frames with their times, and the packets of the audio track.

Phones and cameras write videos that are rotated by a flag, have pixels that are not square, have frames at irregular
times, or are cut short. :class:`VideoSource` returns plain frames for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import av.error
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from emojify.errors import EmojifyError
from emojify.files import os_error_reason
from emojify.video.hdr import ToneMapper, is_hdr
from emojify.vision.readings import Image

TICKS_PER_S = 90_000
"""MPEG's clock: the frame duration of every common rate, 30000/1001 too, is a whole number of ticks."""
MAX_PIXELS = 8192 * 4320

# Playlists and image sequences are left out: they make FFmpeg open other files, whichever the uploaded one names.
DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,gif,apng"
# What phones, cameras and messengers write today and wrote for years. FFmpeg has 500 more decoders, which hardly
# anybody needs; most of the security bugs found in FFmpeg are in those.
VIDEO_DECODERS = (
    "h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "libvpx", "libvpx-vp9", "mpeg4", "msmpeg4", "mpeg2video",
    "mpeg1video", "h263", "mjpeg", "prores", "theora", "wmv2", "wmv3", "vc1", "flv", "dvvideo", "rawvideo", "gif",
    "png", "apng",
)  # fmt: skip
AUDIO_DECODERS = (
    "aac", "mp3float", "mp3", "mp2float", "mp2", "opus", "libopus", "vorbis", "flac", "alac", "ac3", "eac3", "amrnb",
    "amrwb", "wmav2", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_u8",
    "pcm_alaw", "pcm_mulaw",
)  # fmt: skip
OPEN_OPTIONS = {"format_whitelist": DEMUXERS, "codec_whitelist": ",".join(VIDEO_DECODERS + AUDIO_DECODERS)}

CUT_SHORT_S = 0.5
"""A video that ends earlier than its header says by more than this is cut short; a frame or two are normal."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        image: (H, W, 3) uint8 BGR, upright. All frames of a video have the same size.
        ticks: when the frame appears, in 1/90000 s since the beginning of the file.
        duration_ticks: how long the frame is shown, as far as the file says, in 1/90000 s.
    """

    image: Image
    ticks: int
    duration_ticks: int

    @property
    def time_s(self) -> float:
        """When the frame appears, in seconds since the beginning of the file."""
        return self.ticks / TICKS_PER_S


@dataclass(frozen=True, eq=False)
class AudioPacket:
    """An undecoded packet of the audio track.

    Attributes:
        packet: PyAV's packet, its timestamps shifted to the same zero as those of the frames.
        time_s: when it starts, in seconds since the beginning of the file.
    """

    packet: Packet[AudioStream]
    time_s: float


@dataclass(frozen=True)
class VideoInfo:
    """What the header and the first frame of a video tell.

    Attributes:
        width, height: size of the upright frames, in pixels.
        duration_s: length in seconds; None if the header does not say.
        fps: average frame rate.
        codec: FFmpeg's name of the video codec.
    """

    width: int
    height: int
    duration_s: float | None
    fps: Fraction
    codec: str


class VideoSource:
    """A video file with at least one frame. Use it in a ``with`` statement and iterate over it once. ::

        with VideoSource(path) as video:
            for item in video:
                if isinstance(item, Frame):
                    show(item.image)

    Attributes:
        info: what is known before the frames are read.
        problems: sentences about what could not be read; complete when the iteration ends.
        audio: the first audio track, None if there is none or its codec is not supported.

    Raises:
        EmojifyError: if the file can't be read, is not a video, or has no frame.
    """

    def __init__(self, path: Path) -> None:
        self.problems: list[str] = []
        self._name = path.name
        self._tone_mapper: ToneMapper | None = None
        self._size: tuple[int, int] | None = None
        with closing(_open(path)) as container:  # opened twice, so that the iteration starts at the first packet again
            stream = self._video_stream(container)
            first = self._first_image(container, stream)
            if first is None:
                raise EmojifyError(
                    f"{self._name} has no frame that can be read: it is empty or damaged. Choose another file."
                )
            self._size = first.shape[1], first.shape[0]
            self.info = VideoInfo(
                width=first.shape[1],
                height=first.shape[0],
                duration_s=_duration_s(container, stream),
                fps=_plausible_fps(stream.average_rate or stream.guessed_rate),
                codec=stream.codec_context.name,
            )
        self._damaged = 0
        self._container = _open(path)
        self.audio: AudioStream | None = next(iter(self._container.streams.audio), None)
        if self.audio is not None and _decoder(self.audio) not in AUDIO_DECODERS:
            self.problems.append(
                f"The sound of {self._name} is in a format that is not supported ({_decoder(self.audio)}). "
                "It is left out."
            )
            self.audio = None
        self._start_s = Fraction(self._container.start_time or 0, av.time_base)

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame | AudioPacket]:
        """Yield the frames in the order of their time, with the packets of :attr:`audio` between them."""
        stream = self._video_stream(self._container)
        default_duration = round(TICKS_PER_S / self.info.fps)
        header_end = round((self.info.duration_s or 0.0) * TICKS_PER_S)
        ticks, end = -1, 0
        for item in self._decode(self._container, stream, self.audio):
            if isinstance(item, Packet):
                if item.pts is not None and item.time_base is not None:
                    yield self._shift_to_zero(item, item.pts, item.time_base)
                continue
            own_ticks = end
            if item.pts is not None and item.time_base is not None:
                own_ticks = round((item.pts * item.time_base - self._start_s) * TICKS_PER_S)
            ticks = max(own_ticks, ticks + 1)
            duration = default_duration
            if item.duration and item.time_base:
                duration = round(item.duration * item.time_base * TICKS_PER_S)
            if duration > default_duration and ticks < header_end < ticks + duration:
                duration = header_end - ticks  # the last frame, of which an edit list cuts a part
            end = ticks + duration
            yield Frame(self._to_upright(item, stream), ticks, duration)
        self._note_problems(end / TICKS_PER_S)

    def _shift_to_zero(self, packet: Packet[AudioStream], pts: int, time_base: Fraction) -> AudioPacket:
        shift = round(self._start_s / time_base)
        packet.pts = pts - shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        return AudioPacket(packet, float(packet.pts * time_base))

    def _video_stream(self, container: InputContainer) -> VideoStream:
        for stream in container.streams.video:
            if stream.disposition & Disposition.attached_pic:  # the cover of a song, not a video
                continue
            if _decoder(stream) not in VIDEO_DECODERS:
                raise EmojifyError(
                    f"{self._name} is in a video format that is not supported ({_decoder(stream)}). "
                    "Save it as H.264 in a video editor, then use that file."
                )
            stream.thread_type = "AUTO"
            return stream
        raise EmojifyError(f"{self._name} has no video track, only sound or other data. Choose a video.")

    def _first_image(self, container: InputContainer, stream: VideoStream) -> Image | None:
        for frame in self._decode(container, stream):
            if isinstance(frame, av.VideoFrame):
                return self._to_upright(frame, stream)
        return None

    def _decode(
        self, container: InputContainer, video: VideoStream, audio: AudioStream | None = None
    ) -> Iterator[av.VideoFrame | Packet[AudioStream]]:
        """Yield all decoded frames, with the undecoded audio packets between them. Damaged packets are counted."""
        self._damaged = 0
        packets = container.demux([stream for stream in (video, audio) if stream is not None])
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError):
                self._damaged += 1  # the file is cut short; the demuxer can't continue
                return
            if packet is None:
                return
            if packet.stream is audio:
                if packet.size:
                    yield cast("Packet[AudioStream]", packet)
                continue
            try:
                frames = video.decode(packet)
            except (av.error.FFmpegError, OSError):
                self._damaged += 1
                continue
            yield from frames

    def _to_upright(self, frame: av.VideoFrame, stream: VideoStream) -> Image:
        """Return the frame in BGR with square pixels, rotated upright, in the size of the first frame."""
        if frame.width * frame.height > MAX_PIXELS:
            raise EmojifyError(
                f"{self._name} is too large: {frame.width} x {frame.height} pixels. Shrink it in a video editor first."
            )
        image = self._to_bgr(frame)
        aspect = stream.sample_aspect_ratio
        width, height = image.shape[1], image.shape[0]
        if aspect and aspect != 1 and Fraction(1, 4) <= aspect <= 4:
            width = max(1, round(width * aspect))
        turns = round(frame.rotation / 90) % 4
        if turns % 2:
            width, height = height, width
        image = np.rot90(image, turns) if turns else image
        size = self._size or (width, height)
        if (image.shape[1], image.shape[0]) != size:
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return np.ascontiguousarray(image)

    def _to_bgr(self, frame: av.VideoFrame) -> Image:
        if not is_hdr(frame):
            return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        if self._tone_mapper is None or not self._tone_mapper.matches(frame):
            self._tone_mapper = ToneMapper(frame)
        return self._tone_mapper.apply(frame)

    def _note_problems(self, end_s: float) -> None:
        header_s = self.info.duration_s
        if header_s is not None and end_s < header_s - max(CUT_SHORT_S, 0.02 * header_s):
            self.problems.append(
                f"{self._name} is cut short: it says {header_s:.1f} s, but its pictures end after {end_s:.1f} s."
            )
        elif self._damaged:
            self.problems.append(f"{self._name} is damaged in {self._damaged} places; they are left out.")


def _open(path: Path) -> InputContainer:
    try:
        # The prefix "file:" keeps FFmpeg from reading a name with a colon as an address.
        return av.open(f"file:{path}", container_options=OPEN_OPTIONS, metadata_errors="ignore")
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise EmojifyError(f"{path} cannot be read: {os_error_reason(error)}.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise EmojifyError(
            f"{path.name} is not a video that can be opened, or its beginning is damaged. "
            "Use an MP4, MOV, WebM, MKV, AVI or GIF file."
        ) from error


def _decoder(stream: AudioStream | VideoStream) -> str:
    """Return the name of the decoder for a stream; "unknown" if FFmpeg has none."""
    context = stream.codec_context
    return context.name if context is not None else "unknown"


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Return the duration of the video track, since the audio often runs longer; otherwise that of the file."""
    if stream.duration and stream.time_base:
        start_s = Fraction(stream.start_time or 0) * stream.time_base
        return float(stream.duration * stream.time_base + start_s - Fraction(container.start_time or 0, av.time_base))
    return container.duration / av.time_base if container.duration else None


def _plausible_fps(fps: Fraction | None) -> Fraction:
    """Return the frame rate that a file claims, or 30 if it claims none between 1 and 240."""
    return fps if fps is not None and 1 <= fps <= 240 else Fraction(30)
