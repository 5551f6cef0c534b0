"""A video or picture file in, the emojified one out. What is written appears only when it is whole."""

from __future__ import annotations

import errno
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as PillowImage

from emojify.errors import EmojifyError
from emojify.pictures import FORMATS, MAX_SIDE_PX, read_photo_file
from emojify.video.lookahead import LookAhead
from emojify.video.sink import OUTPUT_FORMATS, OutputFormat, VideoSink
from emojify.video.source import TICKS_PER_S, AudioPacket, Frame, VideoInfo, VideoSource
from emojify.video.timeline import Timeline
from emojify.vision.analyzer import analyze_photo
from emojify.vision.annotators import Annotator
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Image, Reading, main_reading

IMAGE_SUFFIXES = {
    ".png": (),
    ".jpg": (cv2.IMWRITE_JPEG_QUALITY, 92),
    ".jpeg": (cv2.IMWRITE_JPEG_QUALITY, 92),
    ".webp": (cv2.IMWRITE_WEBP_QUALITY, 90),
}
"""By the file name's ending: how a picture is written."""
TRIAL_S = 4.0  # of a video, to estimate from
REPORT_EVERY_S = 0.2
SOUND_LAGS_S = 1.0  # in the file it may lie this far behind the pictures of its time


@dataclass(frozen=True)
class Progress:
    """How far a rendering is.

    Attributes:
        done_s: of the video.
        total_s: its length; None if the file does not say.
        elapsed_s: since the rendering began.
    """

    done_s: float
    total_s: float | None
    elapsed_s: float

    @property
    def share(self) -> float | None:
        """0 to 1."""
        return min(1.0, self.done_s / self.total_s) if self.total_s else None

    @property
    def left_s(self) -> float | None:
        """Until it is done, if it goes on as fast; None while that cannot be said."""
        share = self.share
        known = share and share < 1 and self.elapsed_s > 1
        return self.elapsed_s * (1 - share) / share if share and known else None


@dataclass(frozen=True)
class RenderResult:
    """What came out.

    Attributes:
        pictures: how many were written.
        duration_s: until the last one ends.
        faces: the most faces in one picture; 0 means that nobody wears an emoji.
        elapsed_s: what it took.
        size_bytes: of the file.
        notes: sentences that whoever asked for it should read.
        timeline: of the main face, see :meth:`Timeline.to_json`; None for a picture.
    """

    pictures: int
    duration_s: float
    faces: int
    elapsed_s: float
    size_bytes: int
    notes: tuple[str, ...]
    timeline: dict[str, Any] | None


@dataclass(frozen=True)
class RenderStyle:
    """Who reads the faces, and what is drawn."""

    classifier: Classifier
    annotator: Annotator


def is_image(path: Path) -> bool:
    """Whether a file is a single PNG, JPEG or WebP picture, by what is in it.

    Raises:
        EmojifyError: if it is a WebP that moves, which FFmpeg cannot read.
    """
    try:
        with PillowImage.open(path, formats=FORMATS) as picture:
            moves, kind = getattr(picture, "n_frames", 1) > 1, picture.format
    except (OSError, SyntaxError, ValueError, PillowImage.DecompressionBombError):
        return False
    if moves and kind == "WEBP":
        raise EmojifyError(f"{path.name} is a WebP that moves, which can't be read here. Bring it as a GIF or MP4.")
    return not moves


def check_target(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse a target before any work is done.

    Raises:
        EmojifyError: if its ending is not known or does not fit the source, or it is in the way.
    """
    endings = IMAGE_SUFFIXES if is_image(source) else OUTPUT_FORMATS
    if target.suffix.lower() not in endings:
        what = "picture" if endings is IMAGE_SUFFIXES else "video"
        raise EmojifyError(f"A {what} becomes a {what}: let the name of {target.name} end in {', '.join(endings)}.")
    if not target.parent.is_dir():
        raise EmojifyError(f"The folder {target.parent} is not there.")
    if target.exists():
        if not target.is_file():
            raise EmojifyError(f"{target} is not a file that could be replaced.")
        if source.exists() and target.samefile(source):
            raise EmojifyError(f"{target} would replace the file it is made from. Name another one.")
        if not overwrite:
            raise EmojifyError(f"{target} exists already. Name another file, or add --overwrite.")


def render(
    source: Path,
    target: Path,
    style: RenderStyle,
    *,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    until_s: float | None = None,
) -> RenderResult:
    """Emojify a file.

    Args:
        source: a video, or a PNG, JPEG or WebP picture.
        target: its ending says what it becomes; see :data:`OUTPUT_FORMATS` and :data:`IMAGE_SUFFIXES`.
        style: who reads and what is drawn.
        overwrite: whether the target may exist already.
        on_progress: called several times a second.
        until_s: where to stop in the video; None for its end.

    Raises:
        EmojifyError: if the source cannot be read or the target cannot be written. Then, as after any other exception,
            no file is left, and a target that existed is as it was.
    """
    check_target(source, target, overwrite)
    if is_image(source):
        return _render_picture(source, target, style)
    kind = OUTPUT_FORMATS[target.suffix.lower()]
    with VideoSource(source) as video:
        _check_length(video.info, kind, until_s)
        with _appearing(target) as temporary:
            return _render_video(video, temporary, kind, style, on_progress, until_s)


@dataclass(frozen=True)
class Estimate:
    """What a rendering will take."""

    duration_s: float
    seconds: float
    size_bytes: int


def estimate(source: Path, ending: str, style: RenderStyle, until_s: float | None = None) -> Estimate | None:
    """Render the first seconds, and tell from them; None if the file does not say how long it is.

    Args:
        until_s: how much of it is wanted: that much, not all, must fit into such a file. All of it is estimated.

    Raises:
        EmojifyError: as :func:`render`.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"trial{ending}"
        check_target(source, target, overwrite=False)
        with VideoSource(source) as video:
            total_s = video.info.duration_s
            _check_length(video.info, OUTPUT_FORMATS[ending], until_s)
            trial = _render_video(video, target, OUTPUT_FORMATS[ending], style, lambda progress: None, TRIAL_S)
    if not total_s or not trial.duration_s:
        return None
    factor = max(1.0, total_s / trial.duration_s)
    return Estimate(total_s, trial.elapsed_s * factor, round(trial.size_bytes * factor))


def _check_length(info: VideoInfo, kind: OutputFormat, until_s: float | None) -> None:
    length_s = min(info.duration_s or 0.0, until_s or float("inf"))
    if kind.max_s and length_s > kind.max_s:
        raise EmojifyError(
            f"A {kind.format.upper()} of {length_s:.0f} s would be huge; the limit is {kind.max_s:.0f} s. "
            "Make an MP4, or take less of it with --seconds."
        )


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A file beside the target that takes its place when all went well, and is gone otherwise."""
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem[:40]}.", suffix=target.suffix)
    except OSError as error:
        raise EmojifyError(f"{target} cannot be written: {error.strerror}.") from error
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp keeps it to its owner
        temporary.replace(target)
    except OSError as error:
        why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
        raise EmojifyError(f"{target} cannot be written: {why}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _render_picture(source: Path, target: Path, style: RenderStyle) -> RenderResult:
    started_s = time.monotonic()
    scene = read_photo_file(source)
    readings = analyze_photo(scene, style.classifier)
    drawn = style.annotator.annotate(scene, readings)
    ending = target.suffix.lower()
    done, content = cv2.imencode(ending, drawn, IMAGE_SUFFIXES[ending])
    if not done:
        raise EmojifyError(f"{target.name} cannot be made: {drawn.shape[1]} x {drawn.shape[0]} pixels are too many.")
    with _appearing(target) as temporary:
        temporary.write_bytes(content.tobytes())
    notes = [] if readings else ["No face was found: the picture is as it was."]
    if max(scene.shape[:2]) == MAX_SIDE_PX:
        notes.append(f"Pictures are shrunk to {MAX_SIDE_PX} pixels on their longer side.")
    return RenderResult(1, 0.0, len(readings), time.monotonic() - started_s, len(content), tuple(notes), None)


def _render_video(
    video: VideoSource,
    temporary: Path,
    kind: OutputFormat,
    style: RenderStyle,
    on_progress: Callable[[Progress], None],
    until_s: float | None,
) -> RenderResult:
    started_s = time.monotonic()
    sink = VideoSink(temporary, kind, video.info.fps, video.sound)
    try:
        writer = _Writer(sink, style.annotator)
        total_s = video.info.duration_s if until_s is None else min(until_s, video.info.duration_s or until_s)
        reported_s = started_s
        end_s = min(until_s or math.inf, kind.max_s or math.inf)
        ahead = LookAhead(style.classifier)
        early: list[AudioPacket] = []  # its track begins with the first picture that is written
        for item in video:
            if isinstance(item, AudioPacket):
                if item.time_s < end_s:
                    early.append(item)
            elif item.time_s < end_s:
                writer.write(ahead.push(item))
            elif item.time_s > end_s + SOUND_LAGS_S:
                break
            if sink.pictures:
                for sound in early:
                    sink.write_sound(sound)
                early.clear()
            now_s = time.monotonic()
            if now_s - reported_s >= REPORT_EVERY_S:
                reported_s = now_s
                on_progress(Progress(writer.end_s, total_s, now_s - started_s))
        writer.write(ahead.finish())
        for sound in early:
            sink.write_sound(sound)
        sink.close()
    except BaseException:
        sink.abandon()
        raise
    elapsed_s = time.monotonic() - started_s
    on_progress(Progress(writer.end_s, writer.end_s, elapsed_s))
    notes = list(video.problems)
    if not writer.faces:
        notes.append("No face was found anywhere: the pictures are as they were.")
    if kind.max_s and writer.end_s >= kind.max_s and until_s is None:  # the source did not say its length
        notes.append(f"It ends after {kind.max_s:.0f} s, the most that such a file may have.")
    return RenderResult(
        pictures=sink.pictures,
        duration_s=writer.end_s,
        faces=writer.faces,
        elapsed_s=elapsed_s,
        size_bytes=temporary.stat().st_size,
        notes=tuple(notes),
        timeline=writer.timeline.to_json(),
    )


class _Writer:
    """Draws pictures and writes them, and keeps count."""

    def __init__(self, sink: VideoSink, annotator: Annotator) -> None:
        self.timeline = Timeline()
        self.faces = 0
        self.end_s = 0.0
        self._sink = sink
        self._annotator = annotator

    def write(self, ready: list[tuple[Frame, list[Reading]]]) -> None:
        for picture, readings in ready:
            drawn: Image = self._annotator.annotate(picture.image, readings)
            self._sink.write(np.asarray(drawn), picture.ticks, picture.duration_ticks)
            duration_s = picture.duration_ticks / TICKS_PER_S
            self.timeline.add(main_reading(readings), picture.time_s, duration_s)
            self.faces = max(self.faces, len(readings))
            self.end_s = picture.time_s + duration_s
