"""Rendering a video or an image file with emoji. The result appears only when it is complete."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from emojify.errors import EmojifyError
from emojify.files import new_file, readable_os_errors
from emojify.pictures import FORMATS, MAX_SIDE_PX, is_animated, read_photo_file
from emojify.video.lookahead import LookAhead
from emojify.video.sink import OUTPUT_FORMATS, OutputFormat, VideoSink
from emojify.video.source import TICKS_PER_S, AudioPacket, Frame, VideoInfo, VideoSource
from emojify.video.timeline import Timeline
from emojify.vision.analyzer import analyze_photo
from emojify.vision.annotators import Annotator
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Reading, main_reading
from emojify.vision.transparency import unpremultiply, with_alpha

IMAGE_SUFFIXES = {
    ".png": (),
    ".jpg": (cv2.IMWRITE_JPEG_QUALITY, 92),
    ".jpeg": (cv2.IMWRITE_JPEG_QUALITY, 92),
    ".webp": (cv2.IMWRITE_WEBP_QUALITY, 90),
}
"""OpenCV's options for writing an image, by file suffix."""
TRIAL_S = 4.0
"""Length of the beginning of a video that is rendered for an estimate."""
REPORT_EVERY_S = 0.2
MAX_NOTED_GAPS = 5
MAX_AUDIO_LAG_S = 1.0
"""How far behind the frames of the same time audio packets can be in a file."""


@dataclass(frozen=True)
class Progress:
    """Progress of a rendering.

    Attributes:
        done_s: seconds of the video that are rendered.
        total_s: length of the video in seconds; None if its header does not say.
        elapsed_s: seconds since the rendering began.
    """

    done_s: float
    total_s: float | None
    elapsed_s: float

    @property
    def share(self) -> float | None:
        """Share of the video that is rendered, 0 to 1; None if the length is not known."""
        return min(1.0, self.done_s / self.total_s) if self.total_s else None

    @property
    def left_s(self) -> float | None:
        """Seconds until the end at the same speed; None if the length is not known or in the first second."""
        share = self.share
        known = share and share < 1 and self.elapsed_s > 1
        return self.elapsed_s * (1 - share) / share if share and known else None


@dataclass(frozen=True)
class RenderResult:
    """What a rendering produced.

    Attributes:
        frames: number of frames written.
        duration_s: length of the result in seconds; 0 for an image.
        faces: most faces in one frame; 0 if there is no emoji anywhere.
        elapsed_s: seconds that the rendering took.
        size_bytes: size of the file.
        notes: sentences that the user should read.
        timeline: of the main face, see :meth:`Timeline.to_json`; None for an image.
    """

    frames: int
    duration_s: float
    faces: int
    elapsed_s: float
    size_bytes: int
    notes: tuple[str, ...]
    timeline: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """Return the result for a report, which calls the frames ``pictures``."""
        fields = asdict(self)
        return {"pictures": fields.pop("frames"), **fields}


@dataclass(frozen=True)
class RenderStyle:
    """The classifier that reads the faces and the annotator that draws the emoji."""

    classifier: Classifier
    annotator: Annotator


@dataclass(frozen=True)
class Estimate:
    """What a rendering is expected to take.

    Attributes:
        duration_s: length of the video in seconds.
        seconds: seconds of work.
        size_bytes: size of the result.
    """

    duration_s: float
    seconds: float
    size_bytes: int


def is_image(path: Path) -> bool:
    """Return True if a file is a picture and no animation, judged by its content.

    Raises:
        EmojifyError: if it is an animated WebP, which FFmpeg can't read.
    """
    try:
        with PillowImage.open(path, formats=FORMATS) as image:
            animated, image_format = is_animated(image), image.format
    except (OSError, SyntaxError, ValueError, PillowImage.DecompressionBombError):
        return _is_still_brand(path)
    if animated and image_format == "WEBP":
        raise EmojifyError(f"{path.name} is an animated WebP, which can't be read. Convert it to GIF or MP4 first.")
    return not animated


def _is_still_brand(path: Path) -> bool:
    """Return True for a HEIC or AVIF photo, also a damaged one. FFmpeg would take one of its tiles for a video."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"mif1", b"avif")


def check_target(source: Path, target: Path, overwrite: bool) -> None:
    """Check that ``target`` can be written, before any work is done.

    Raises:
        EmojifyError: if the suffix of ``target`` is not supported or does not fit ``source``, if its folder is
            missing, or if the file exists and must not be replaced.
    """
    suffixes = IMAGE_SUFFIXES if is_image(source) else OUTPUT_FORMATS
    if target.suffix.lower() not in suffixes:
        kind = "picture" if suffixes is IMAGE_SUFFIXES else "video"
        raise EmojifyError(f"A {kind} becomes a {kind}: let the name of {target.name} end in {', '.join(suffixes)}.")
    if not target.parent.is_dir():
        raise EmojifyError(f"The folder {target.parent} does not exist. Create it, or choose another one.")
    if target.exists():
        if not target.is_file():
            raise EmojifyError(f"{target} is not a regular file. Choose another name.")
        if source.exists() and target.samefile(source):
            raise EmojifyError(f"{target} would replace the file it is made from. Choose another name.")
        if not overwrite:
            raise EmojifyError(f"{target} exists already. Choose another name, or add --overwrite.")


def render(
    source: Path,
    target: Path,
    style: RenderStyle,
    *,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    until_s: float | None = None,
) -> RenderResult:
    """Draw emoji on the faces of a file. ::

        render(Path("party.mov"), Path("party.mp4"), RenderStyle(classifier, Sticker(pack.emoji)))

    Args:
        source: a video, or a picture in one of :data:`emojify.pictures.FORMATS`.
        target: its suffix chooses the format; see :data:`OUTPUT_FORMATS` and :data:`IMAGE_SUFFIXES`.
        style: how faces are read and drawn.
        overwrite: True if an existing target may be replaced.
        on_progress: called several times a second.
        until_s: where to stop in the video, in seconds; None for its end.

    Raises:
        EmojifyError: if the source can't be read or the target can't be written. After this and any other exception no
            new file is left, and an existing target is unchanged.
    """
    check_target(source, target, overwrite)
    if is_image(source):
        return _render_image(source, target, style)
    output_format = OUTPUT_FORMATS[target.suffix.lower()]
    with VideoSource(source) as video:
        _check_length(video.info, output_format, until_s)
        with _new_target(target) as temporary:
            return _render_video(video, temporary, style, on_progress, until_s)


def estimate(source: Path, suffix: str, style: RenderStyle, until_s: float | None = None) -> Estimate | None:
    """Render the first seconds of a video, and extrapolate to all of it.

    Args:
        source: a video.
        suffix: of the target.
        style: how faces are read and drawn.
        until_s: the part that will be rendered, in seconds. Only this part must be short enough for the format; the
            estimate is for the whole video nevertheless.

    Returns:
        The estimate; None if the file does not say how long it is.

    Raises:
        EmojifyError: as :func:`render`.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"trial{suffix}"
        check_target(source, target, overwrite=False)
        with VideoSource(source) as video:
            total_s = video.info.duration_s
            _check_length(video.info, OUTPUT_FORMATS[suffix], until_s)
            trial = _render_video(video, target, style, lambda progress: None, TRIAL_S)
    if not total_s or not trial.duration_s:
        return None
    factor = max(1.0, total_s / trial.duration_s)
    return Estimate(total_s, trial.elapsed_s * factor, round(trial.size_bytes * factor))


def _check_length(info: VideoInfo, output_format: OutputFormat, until_s: float | None) -> None:
    length_s = min(info.duration_s or 0.0, until_s or float("inf"))
    if output_format.max_s and length_s > output_format.max_s:
        raise EmojifyError(
            f"A {output_format.container.upper()} of {length_s:.0f} s would be huge; the limit is "
            f"{output_format.max_s:.0f} s. Make an MP4, or take less of it with --seconds."
        )


@contextmanager
def _new_target(target: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces ``target`` at the end. See :func:`~emojify.files.new_file`."""
    with readable_os_errors(f"{target} cannot be written"), new_file(target) as temporary:
        yield temporary


def _render_image(source: Path, target: Path, style: RenderStyle) -> RenderResult:
    started_s = time.monotonic()
    scene = read_photo_file(source)
    readings = analyze_photo(scene, style.classifier)
    drawn = style.annotator.annotate(scene, readings)
    suffix = target.suffix.lower()
    encoded, content = cv2.imencode(suffix, drawn, IMAGE_SUFFIXES[suffix])
    if not encoded:
        raise EmojifyError(
            f"{target.name} cannot be made: {drawn.shape[1]} x {drawn.shape[0]} pixels are too many for this format. "
            "Shrink the picture first."
        )
    with _new_target(target) as temporary:
        temporary.write_bytes(content.tobytes())
    notes = [] if readings else ["No face was found: the picture is unchanged."]
    if max(scene.shape[:2]) == MAX_SIDE_PX:
        notes.append(f"Pictures are shrunk to {MAX_SIDE_PX} pixels on their longer side.")
    return RenderResult(1, 0.0, len(readings), time.monotonic() - started_s, len(content), tuple(notes), None)


def _render_video(
    video: VideoSource,
    temporary: Path,
    style: RenderStyle,
    on_progress: Callable[[Progress], None],
    until_s: float | None,
) -> RenderResult:
    """Render a video into the file ``temporary``, whose suffix chooses the format."""
    started_s = reported_s = time.monotonic()
    output_format = OUTPUT_FORMATS[temporary.suffix.lower()]
    total_s = video.info.duration_s if until_s is None else min(until_s, video.info.duration_s or until_s)
    sink = VideoSink(temporary, output_format, video.info.fps, video.audio, transparent=video.info.transparent)
    try:
        writer = _Writer(sink, style, end_s=min(until_s or math.inf, output_format.max_s or math.inf))
        for item in video:
            if not writer.add(item):
                break
            now_s = time.monotonic()
            if now_s - reported_s >= REPORT_EVERY_S:
                reported_s = now_s
                on_progress(Progress(writer.written_s, total_s, now_s - started_s))
        writer.finish()
    except BaseException:
        sink.abandon()
        raise
    elapsed_s = time.monotonic() - started_s
    on_progress(Progress(writer.written_s, writer.written_s, elapsed_s))
    return RenderResult(
        frames=sink.frames,
        duration_s=writer.written_s,
        faces=writer.faces,
        elapsed_s=elapsed_s,
        size_bytes=temporary.stat().st_size,
        notes=(
            *video.problems,
            *(video.audio_notes if output_format.audio_codec else ()),
            *_notes(writer, output_format.max_s if until_s is None else None),
        ),
        timeline=writer.timeline.to_json(),
    )


def _notes(writer: _Writer, max_s: float | None) -> Iterator[str]:
    """Yield sentences about a rendered video; ``max_s`` is the limit at which it may have been cut."""
    if not writer.faces:
        yield "No face was found anywhere: the pictures are unchanged."
    if writer.gaps:
        shown = ", ".join(f"{start_s:.1f} to {end_s:.1f} s" for start_s, end_s in writer.gaps[:MAX_NOTED_GAPS])
        more = " and later" if len(writer.gaps) > MAX_NOTED_GAPS else ""
        yield f"A face was lost for a while and may be bare. Watch the result at {shown}{more}."
    if max_s and writer.written_s >= max_s:  # the header did not say how long the video is, so this was not refused
        yield f"The result ends after {max_s:.0f} s, the limit of its format."


class _Writer:
    """Passes the frames of a video through the look-ahead, draws on them, and writes them with their audio.

    Attributes:
        timeline: of the main face.
        faces: most faces in one frame so far.
        written_s: where the last written frame ends, in seconds.
    """

    def __init__(self, sink: VideoSink, style: RenderStyle, end_s: float) -> None:
        self.timeline = Timeline()
        self.faces = 0
        self.written_s = 0.0
        self._sink = sink
        self._annotator = style.annotator
        self._ahead = LookAhead(style.classifier)
        self._end_s = end_s
        self._early_audio: list[AudioPacket] = []  # the sink takes audio only after its first frame

    def add(self, item: Frame | AudioPacket) -> bool:
        """Add the next item of the source. Return False if nothing after it is needed."""
        if isinstance(item, AudioPacket):
            if item.time_s < self._end_s:
                self._early_audio.append(item)
        elif item.time_s < self._end_s:
            self._write(self._ahead.push(item))
        elif item.time_s > self._end_s + MAX_AUDIO_LAG_S:
            return False
        if self._sink.frames:
            self._write_audio()
        return True

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """See :attr:`LookAhead.gaps`."""
        return self._ahead.gaps

    def finish(self) -> None:
        """Write what is held back, and finish the file."""
        self._write(self._ahead.finish())
        self._write_audio()
        self._sink.close()

    def _write(self, ready: list[tuple[Frame, list[Reading]]]) -> None:
        for frame, readings in ready:
            self._sink.write(self._draw(frame, readings), frame.ticks, frame.duration_ticks)
            duration_s = frame.duration_ticks / TICKS_PER_S
            self.timeline.add(main_reading(readings), frame.time_s, duration_s)
            self.faces = max(self.faces, len(readings))
            self.written_s = frame.time_s + duration_s

    def _draw(self, frame: Frame, readings: list[Reading]) -> NDArray[np.uint8]:
        """Return the drawn frame: (H, W, 3) BGR, or (H, W, 4) BGRA if it is transparent and may stay so."""
        if frame.alpha is None or not self._sink.transparent:
            return np.asarray(self._annotator.annotate(frame.image, readings))
        on_black = cv2.subtract(frame.image, cv2.cvtColor(255 - frame.alpha, cv2.COLOR_GRAY2BGR))
        on_black = self._annotator.annotate(np.asarray(on_black, np.uint8), readings)
        return unpremultiply(with_alpha(on_black, self._annotator.annotate(frame.image, readings)))

    def _write_audio(self) -> None:
        for packet in self._early_audio:
            self._sink.write_audio(packet)
        self._early_audio.clear()
