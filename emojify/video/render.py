"""Rendering a video or an image file with emoji. The result appears only when it is complete."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from PIL import Image as PillowImage

from emojify.errors import EmojifyError
from emojify.files import new_file
from emojify.os_errors import readable_os_errors, require_no_pipe
from emojify.pictures import FORMATS, MAX_SIDE_PX, is_animated, read_photo_file
from emojify.video.outcome import Estimate, Progress, RenderResult, RenderStyle
from emojify.video.sink import OUTPUT_FORMATS, OutputFormat, VideoSink
from emojify.video.source import VideoInfo, VideoSource
from emojify.video.writer import FrameWriter
from emojify.vision.analyzer import analyze_photo

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


def is_image(path: Path) -> bool:
    """Return True if a file is a picture and no animation, judged by its content."""
    try:
        with PillowImage.open(path, formats=FORMATS) as image:
            return not is_animated(image)
    except (OSError, SyntaxError, ValueError, PillowImage.DecompressionBombError):
        return _is_still_brand(path)


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
    require_no_pipe(source)
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
    readings = analyze_photo(scene, style.classifier, style.detection)
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
        writer = FrameWriter(sink, style, end_s=min(until_s or math.inf, output_format.max_s or math.inf))
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


def _notes(writer: FrameWriter, max_s: float | None) -> Iterator[str]:
    """Yield sentences about a rendered video; ``max_s`` is the limit at which it may have been cut."""
    if not writer.faces:
        yield "No face was found anywhere: the pictures are unchanged."
    if writer.gaps:
        shown = ", ".join(f"{start_s:.1f} to {end_s:.1f} s" for start_s, end_s in writer.gaps[:MAX_NOTED_GAPS])
        more = " and later" if len(writer.gaps) > MAX_NOTED_GAPS else ""
        yield f"A face was lost for a while and may be bare. Watch the result at {shown}{more}."
    if max_s and writer.written_s >= max_s:  # the header did not say how long the video is, so this was not refused
        yield f"The result ends after {max_s:.0f} s, the limit of its format."
