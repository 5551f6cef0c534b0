"""Reading a video file: its pictures upright and in time, its sound as it lies in the file.

People bring what their phones and cameras wrote: turned by a flag, with pixels that are no squares, with pictures at
uneven times, cut short. All of it comes out of here as plain pictures.
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
from emojify.video.hdr import ToneMapper, is_hdr
from emojify.vision.readings import Image

TICKS_PER_S = 90_000  # MPEG's clock: every common frame rate is a whole number of ticks, 30000/1001 too
MAX_PIXELS = 8192 * 4320
# Playlists and picture sequences are left out: they make FFmpeg open other files, whichever the upload names.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,gif,apng"
# What phones, cameras and messengers write, and what they wrote for years. FFmpeg knows 500 decoders more, of which
# hardly anybody needs one; most holes that are found in it are in those.
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
CUT_SHORT_S = 0.5  # missing at the end; a header's duration and the last picture's end differ by a frame or two


OPEN_OPTIONS = {"format_whitelist": FORMATS, "codec_whitelist": ",".join(VIDEO_DECODERS + AUDIO_DECODERS)}


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video.

    Attributes:
        image: (H, W, 3) uint8 BGR, upright; all of a video have the same size.
        ticks: when it appears, in 1/90000 s since the file's beginning.
        duration_ticks: until the next one appears, as far as the file says.
    """

    image: Image
    ticks: int
    duration_ticks: int

    @property
    def time_s(self) -> float:
        return self.ticks / TICKS_PER_S


@dataclass(frozen=True, eq=False)
class AudioPacket:
    """A piece of the sound track as it lies in the file, its time counted as that of the pictures."""

    packet: Packet[AudioStream]
    time_s: float


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of itself, and what its first picture shows.

    Attributes:
        width, height: of the pictures that come out, in pixels.
        duration_s: None if the file does not say.
        fps: pictures a second, on average.
        has_sound: whether there is a sound track.
        codec: the video codec's name, as FFmpeg says it.
    """

    width: int
    height: int
    duration_s: float | None
    fps: Fraction
    has_sound: bool
    codec: str


class VideoSource:
    """A video file that holds at least one picture. Use it in a ``with``, and iterate it once.

    Attributes:
        info: what is known before reading.
        problems: sentences about what could not be read; complete when the iteration is.
        sound: the first sound track, or None; a template for the one that is written.

    Raises:
        EmojifyError: if it cannot be read, is no video, or holds no picture.
    """

    def __init__(self, path: Path) -> None:
        self.problems: list[str] = []
        self._name = path.name
        self._tone_map: ToneMapper | None = None
        self._size: tuple[int, int] | None = None
        with closing(_open(path)) as container:  # opened twice: the first picture costs no packet of the second time
            stream = self._video_stream(container)
            first = self._first(container, stream)
            if first is None:
                raise EmojifyError(f"{self._name} holds no picture that can be read: it is empty or damaged.")
            self._size = first.shape[1], first.shape[0]
            self.info = VideoInfo(
                width=first.shape[1],
                height=first.shape[0],
                duration_s=_duration_s(container, stream),
                fps=_plausible(stream.average_rate or stream.guessed_rate),
                has_sound=bool(container.streams.audio),
                codec=stream.codec_context.name,
            )
        self._damaged = 0
        self._container = _open(path)
        self.sound: AudioStream | None = next(iter(self._container.streams.audio), None)
        if self.sound is not None and _decoder(self.sound) not in AUDIO_DECODERS:
            self.problems.append(
                f"The sound of {self._name} ({_decoder(self.sound)}) can't be read here; it is left out."
            )
            self.sound = None
        self._start_s = Fraction(self._container.start_time or 0, av.time_base)

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame | AudioPacket]:
        """Pictures in the order of their time, and between them the pieces of :attr:`sound`."""
        stream = self._video_stream(self._container)
        step = round(TICKS_PER_S / self.info.fps)
        promised = round((self.info.duration_s or 0.0) * TICKS_PER_S)
        last, end = -1, 0
        for item in self._pictures(self._container, stream, self.sound):
            if isinstance(item, Packet):
                if item.pts is not None and item.time_base is not None:
                    yield self._in_time(item, item.pts, item.time_base)
                continue
            wanted = end
            if item.pts is not None and item.time_base is not None:
                wanted = round((item.pts * item.time_base - self._start_s) * TICKS_PER_S)
            last = max(wanted, last + 1)
            duration = round(item.duration * item.time_base * TICKS_PER_S) if item.duration and item.time_base else step
            if duration > step and last < promised < last + duration:
                duration = promised - last  # the last picture, of which an edit list cuts a part
            end = last + duration
            yield Frame(self._upright(item, stream), last, duration)
        self._note_problems(end / TICKS_PER_S)

    def _in_time(self, packet: Packet[AudioStream], pts: int, base: Fraction) -> AudioPacket:
        shift = round(self._start_s / base)
        packet.pts = pts - shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        return AudioPacket(packet, float(packet.pts * base))

    def _video_stream(self, container: InputContainer) -> VideoStream:
        for stream in container.streams.video:
            if not stream.disposition & Disposition.attached_pic:  # the cover of a song is no video
                if _decoder(stream) not in VIDEO_DECODERS:
                    raise EmojifyError(
                        f"{self._name} has pictures of a kind that is not read here ({_decoder(stream)}). "
                        "Save it as H.264 in a video editor, then bring that."
                    )
                stream.thread_type = "AUTO"
                return stream
        raise EmojifyError(f"{self._name} has no pictures, only sound or other data. Bring a video.")

    def _first(self, container: InputContainer, stream: VideoStream) -> Image | None:
        for frame in self._pictures(container, stream):
            if isinstance(frame, av.VideoFrame):
                return self._upright(frame, stream)
        return None

    def _pictures(
        self, container: InputContainer, video: VideoStream, sound: AudioStream | None = None
    ) -> Iterator[av.VideoFrame | Packet[AudioStream]]:
        """All decoded pictures, and the sound's packets between them."""
        self._damaged = 0
        packets = container.demux([stream for stream in (video, sound) if stream is not None])
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError):
                self._damaged += 1  # a torn end; the muxer cannot go on from it
                return
            if packet is None:
                return
            if packet.stream is sound:
                if packet.size:
                    yield cast("Packet[AudioStream]", packet)
                continue
            try:
                frames = video.decode(packet)
            except (av.error.FFmpegError, OSError):
                self._damaged += 1
                continue
            yield from frames

    def _upright(self, frame: av.VideoFrame, stream: VideoStream) -> Image:
        if frame.width * frame.height > MAX_PIXELS:
            raise EmojifyError(f"{self._name} is too large: {frame.width} x {frame.height} pixels.")
        if is_hdr(frame):
            if self._tone_map is None or not self._tone_map.takes(frame):
                self._tone_map = ToneMapper(frame)
            image = self._tone_map.apply(frame)
        else:
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        shape = stream.sample_aspect_ratio
        width, height = image.shape[1], image.shape[0]
        if shape and shape != 1 and Fraction(1, 4) <= shape <= 4:
            width = max(1, round(width * shape))
        turns = round(frame.rotation / 90) % 4
        if turns % 2:
            width, height = height, width
        image = np.rot90(image, turns) if turns else image
        size = self._size or (width, height)
        if (image.shape[1], image.shape[0]) != size:
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return np.ascontiguousarray(image)

    def _note_problems(self, end_s: float) -> None:
        promised_s = self.info.duration_s
        if promised_s is not None and end_s < promised_s - max(CUT_SHORT_S, 0.02 * promised_s):
            self.problems.append(
                f"{self._name} is cut short: it says {promised_s:.1f} s, but its pictures end after {end_s:.1f} s."
            )
        elif self._damaged:
            self.problems.append(f"{self._name} is damaged in {self._damaged} places; they are left out.")


def _open(path: Path) -> InputContainer:
    try:
        # "file:" so that a name with a colon is a file's and not an address.
        return av.open(f"file:{path}", container_options=OPEN_OPTIONS, metadata_errors="ignore")
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise EmojifyError(f"{path} cannot be read: {error.strerror}.") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise EmojifyError(
            f"{path.name} is no video that can be opened here, or it is damaged at its beginning. "
            "Bring an MP4, MOV, WebM, MKV, AVI or GIF file."
        ) from error


def _decoder(stream: AudioStream | VideoStream) -> str:
    """The name of what would decode it; "unknown" if FFmpeg itself has nothing."""
    context = stream.codec_context
    return context.name if context is not None else "unknown"


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """The video track's, since the sound often runs on; else the file's."""
    if stream.duration and stream.time_base:
        late_s = Fraction(stream.start_time or 0) * stream.time_base - Fraction(container.start_time or 0, av.time_base)
        return float(stream.duration * stream.time_base + late_s)
    return container.duration / av.time_base if container.duration else None


def _plausible(fps: Fraction | None) -> Fraction:
    return fps if fps is not None and 1 <= fps <= 240 else Fraction(30)
