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
from typing import IO, cast

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.os_errors import os_error_reason
from emojify.video.animated_webp import convert_to_mov, is_animated_webp
from emojify.video.audio import AUDIO_DECODERS, choose_audio
from emojify.video.clock import ContinuousClock
from emojify.video.frames import LARGE_PIXELS, Deinterlacer, FrameConverter, has_alpha
from emojify.video.joined import next_part_offset
from emojify.vision.readings import Image

TICKS_PER_S = 90_000
"""MPEG's clock: the frame duration of every common rate, 30000/1001 too, is a whole number of ticks."""
VIDEO_SUFFIXES = (
    ".mp4", ".mov", ".m4v", ".3gp", ".3g2", ".webm", ".mkv", ".avi", ".mts", ".m2ts", ".ts", ".mpg", ".mpeg", ".vob",
    ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".ogg", ".gif", ".apng",
)  # fmt: skip
"""Usual suffixes of the files that can be read. The content decides, not the suffix; upload forms offer these."""

# Playlists and image sequences are left out: they make FFmpeg open other files, whichever the uploaded one names.
DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,gif,apng"
# What phones, cameras and messengers write today and wrote for years. FFmpeg has 500 more decoders, which hardly
# anybody needs; most of the security bugs found in FFmpeg are in those.
VIDEO_DECODERS = (
    "h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "libvpx", "libvpx-vp9", "mpeg4", "msmpeg4", "mpeg2video",
    "mpeg1video", "h263", "mjpeg", "prores", "theora", "wmv2", "wmv3", "vc1", "flv", "dvvideo", "rawvideo", "gif",
    "png", "apng",
)  # fmt: skip
OPEN_OPTIONS = {"format_whitelist": DEMUXERS, "codec_whitelist": ",".join(VIDEO_DECODERS + AUDIO_DECODERS)}

RESTARTING_FORMATS = ("mpegts", "mpeg")
"""Containers that mark no start: each part of a joined file has a clock of its own."""
OGG_HEADERS = (b"OVP80", b"\x80theora", b"\x81theora", b"\x82theora")
"""How headers of VP8 and Theora begin, which FFmpeg hands out as frames at the beginning of a joined part of Ogg."""
CUT_SHORT_S = 0.5
"""A video that ends earlier than its header says by more than this is cut short; a frame or two are normal."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        image: (H, W, 3) uint8 BGR, upright, transparent parts white. All frames of a video have the same size.
        ticks: when the frame appears, in 1/90000 s since the beginning of the file.
        duration_ticks: how long the frame is shown, as far as the file says, in 1/90000 s.
        alpha: (H, W) uint8; None if the frame is opaque.
    """

    image: Image
    ticks: int
    duration_ticks: int
    alpha: NDArray[np.uint8] | None = None

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
        transparent: True if the frames may be transparent.
    """

    width: int
    height: int
    duration_s: float | None
    fps: Fraction
    codec: str
    transparent: bool


class VideoSource:
    """A video file with at least one frame. Use it in a ``with`` statement and iterate over it once. ::

        with VideoSource(path) as video:
            for item in video:
                if isinstance(item, Frame):
                    show(item.image)

    Attributes:
        info: what is known before the frames are read.
        problems: sentences about what could not be read; complete when the iteration ends.
        audio: the audio track to keep, None if there is none or none can be decoded.
        audio_notes: sentences about audio tracks that are left out.

    Raises:
        EmojifyError: if the file can't be read, is not a video, or has no frame.
    """

    def __init__(self, path: Path) -> None:
        self.problems: list[str] = []
        self._path, self._name = path, path.name
        self._converter = FrameConverter(path.name)
        self._clock = ContinuousClock(forward_jumps=False)
        self._damaged = self._end_offset = 0
        file = convert_to_mov(path) if is_animated_webp(path) else path
        # Opened anew each time, so that the iteration starts at the first packet again.
        with closing(_open(path, file)) as container:
            self.info = self._read_info(container)
        with closing(_open(path, file)) as container:
            choice = choose_audio(container, self._name)
        self.audio_notes = choice.notes
        self._container = _open(path, file)
        self.audio: AudioStream | None = next(
            (track for track in self._container.streams.audio if track.index == choice.index), None
        )
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
        latest_dts: int | None = None
        for item in self._decode(self._container, stream, self.audio):
            if isinstance(item, Packet):
                audio = self._to_audio_packet(item, latest_dts)
                if audio is not None:
                    latest_dts = audio.packet.dts
                    yield audio
                continue
            own_ticks = end
            if item.pts is not None and item.time_base is not None:
                own_ticks = round((item.pts * item.time_base - self._start_s) * TICKS_PER_S)
            ticks = max(own_ticks, ticks + 1)
            duration = default_duration
            if item.duration and item.time_base:
                duration = round(item.duration * item.time_base * TICKS_PER_S)
            if duration > default_duration and ticks < header_end < ticks + duration and not self._clock.restarts:
                duration = header_end - ticks  # the last frame, of which an edit list cuts a part
            end = ticks + duration
            image, alpha = self._converter.convert(item, stream.sample_aspect_ratio)
            yield Frame(image, ticks, duration, alpha)
        self._note_problems(end / TICKS_PER_S)

    def _to_audio_packet(self, packet: Packet[AudioStream], latest_dts: int | None) -> AudioPacket | None:
        """Return a packet with the zero of the frames; None if it has no time or overlaps the one before."""
        if packet.pts is None or packet.time_base is None:
            return None
        shift = round(self._start_s / packet.time_base)
        packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        if latest_dts is not None and packet.dts <= latest_dts:  # two joined parts overlap by a few packets
            return None
        return AudioPacket(packet, float(packet.pts * packet.time_base))

    def _video_stream(self, container: InputContainer) -> VideoStream:
        for stream in container.streams.video:
            if stream.disposition & Disposition.attached_pic:  # the cover of a song, not a video
                continue
            if _decoder(stream) not in VIDEO_DECODERS:
                raise EmojifyError(
                    f"{self._name} is in a video format that is not supported ({_decoder(stream)}). "
                    "Save it as H.264 in a video editor, then use that file."
                )
            # With AUTO, each of the decoder's threads keeps frames of its own.
            stream.thread_type = "SLICE" if stream.width * stream.height > LARGE_PIXELS else "AUTO"
            return stream
        raise EmojifyError(f"{self._name} has no video track, only sound or other data. Choose a video.")

    def _read_info(self, container: InputContainer) -> VideoInfo:
        stream = self._video_stream(container)
        for frame in self._decode(container, stream):
            if isinstance(frame, av.VideoFrame):
                image, _ = self._converter.convert(frame, stream.sample_aspect_ratio)
                return VideoInfo(
                    width=image.shape[1],
                    height=image.shape[0],
                    duration_s=_duration_s(container, stream),
                    fps=_plausible_fps(stream.average_rate or stream.guessed_rate),
                    codec=stream.codec_context.name,
                    transparent=has_alpha(frame),
                )
        raise EmojifyError(f"{self._name} has no frame that can be read: it is empty or damaged. Choose another file.")

    def _decode(
        self, container: InputContainer, video: VideoStream, audio: AudioStream | None = None
    ) -> Iterator[av.VideoFrame | Packet[AudioStream]]:
        """Yield all decoded frames, with the undecoded audio packets between them. Damaged packets are counted."""
        self._damaged = self._end_offset = 0
        self._clock = ContinuousClock(forward_jumps=container.format.name in RESTARTING_FORMATS)
        deinterlacer = Deinterlacer()
        packets = container.demux([stream for stream in (video, audio) if stream is not None])
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError):
                self._damaged += 1  # the file is cut short; the demuxer can't continue
                break
            if packet is None:
                break
            self._end_offset = max(self._end_offset, packet.pos or 0)
            self._move_to_continuous_clock(packet)
            if packet.stream is audio:
                if packet.size:
                    yield cast("Packet[AudioStream]", packet)
                continue
            if container.format.name == "ogg" and bytes(packet).startswith(OGG_HEADERS):
                continue
            try:
                frames = video.decode(packet)
            except (av.error.FFmpegError, OSError):
                self._damaged += 1
                continue
            for frame in frames:
                yield from deinterlacer.push(frame)
        yield from deinterlacer.finish()

    def _move_to_continuous_clock(self, packet: Packet[Stream]) -> None:
        if packet.dts is None or packet.time_base is None:
            return
        duration_s = (packet.duration or 0) * packet.time_base
        offset_s = self._clock.offset_s(packet.stream.index, packet.dts * packet.time_base, duration_s)
        offset = round(offset_s / packet.time_base)
        packet.dts += offset
        if packet.pts is not None:
            packet.pts += offset

    def _note_problems(self, end_s: float) -> None:
        next_part = next_part_offset(self._path, self._container.format.name)
        if next_part is not None and self._end_offset < next_part:
            self.problems.append(
                f"{self._name} holds several videos one after another. Only the first one can be read: "
                "cut the file with a video editor, or use the parts that it was joined from."
            )
            return
        header_s = None if self._clock.restarts else self.info.duration_s  # of the last part, where there are several
        if header_s is not None and end_s < header_s - max(CUT_SHORT_S, 0.02 * header_s):
            self.problems.append(
                f"{self._name} is cut short: it says {header_s:.1f} s, but its pictures end after {end_s:.1f} s."
            )
        elif self._damaged:
            self.problems.append(f"{self._name} is damaged in {self._damaged} places; they are left out.")


def _open(path: Path, content: Path | IO[bytes]) -> InputContainer:
    """Open a file, or its content in another file."""
    try:
        if isinstance(content, Path):
            # The prefix "file:" keeps FFmpeg from reading a name with a colon as an address.
            return av.open(f"file:{content}", container_options=OPEN_OPTIONS, metadata_errors="ignore")
        content.seek(0)
        return av.open(content, "r", container_options=OPEN_OPTIONS, metadata_errors="ignore")
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise EmojifyError(f"{path} cannot be read: {os_error_reason(error)}.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise EmojifyError(
            f"{path.name} is not a video that can be opened, or its beginning is damaged. "
            "Use an MP4, MOV, WebM, MKV, AVI or GIF file."
        ) from error


def _decoder(stream: VideoStream) -> str:
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
