"""The command ``python -m emojify render``."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from tqdm import tqdm

from emojify.errors import EmojifyError
from emojify.files import write_atomically, write_json
from emojify.models import ModelStore
from emojify.os_errors import readable_os_errors
from emojify.packs.store import DEFAULT_PACK, list_packs
from emojify.printable import unfiltered
from emojify.settings import Settings
from emojify.video.outcome import Estimate, Progress, RenderResult, RenderStyle
from emojify.video.render import check_target, estimate, is_image, render
from emojify.video.source import VideoSource
from emojify.video.timeline import seconds_csv
from emojify.vision.annotators import DEFAULT_STYLE, STYLES
from emojify.vision.detectors.haar import DetectorSettings, Method
from emojify.vision.placement import MAX_RISE, MAX_SIZE, MIN_SIZE, Placement

LONG_S = 600.0
"""Length of a video, in seconds, from which on an estimate is printed first."""
STOPPED = 130
"""Exit status after Ctrl-C, as in shells."""
BAR_FORMAT = "{percentage:3.0f}%|{bar}| {remaining} left"
REPORT_EVERY_S = 0.5


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``render`` to a parser's commands."""
    command = commands.add_parser(
        "render",
        help="draw emoji on the faces of a video or picture file",
        description="Draw an emoji on every face of the file IN and write the result to OUT. The suffix of OUT chooses "
        "the format: .mp4, .webm, .gif or .webp for a video, .png, .jpg or .webp for a picture. The sound is kept in "
        ".mp4 and .webm. Progress goes to stderr; at the end one line says what was written.",
        epilog="example: %(prog)s party.mov party.mp4 --pack classic --style sticker",
    )
    command.add_argument("source", metavar="IN", type=Path, help="the video or picture to read")
    command.add_argument("target", metavar="OUT", type=Path, help="the file to write")
    command.add_argument("--pack", metavar="ID", default=DEFAULT_PACK, help="emoji pack (default: %(default)s)")
    command.add_argument(
        "--style",
        choices=list(STYLES),
        default=DEFAULT_STYLE,
        help=f"{' '.join(f'{style.key}: {style.help}' for style in STYLES.values())} (default: %(default)s)",
    )
    command.add_argument(
        "--size",
        metavar="X",
        type=float,
        default=1.0,
        help=f"size of the emoji on a face, {MIN_SIZE:g} to {MAX_SIZE:g} times as large (default: 1)",
    )
    command.add_argument(
        "--rise",
        metavar="X",
        type=float,
        default=0.0,
        help=f"move the emoji up by this share of the face's height, {-MAX_RISE:g} to {MAX_RISE:g} (default: 0)",
    )
    command.add_argument("--model", metavar="ID", help="model that reads the faces (default: the live model)")
    add_detector_option(command)
    command.add_argument("--seconds", metavar="N", type=float, help="render only the first N seconds of a video")
    command.add_argument("--csv", metavar="FILE", type=Path, help="write the seconds of each emotion to FILE")
    command.add_argument("--overwrite", action="store_true", help="replace OUT and the FILE of --csv if they exist")
    command.add_argument(
        "--estimate", action="store_true", help="print how long the work takes and how large OUT gets, then stop"
    )
    command.add_argument("--report", metavar="FILE", type=Path, help="write progress and result to FILE as JSON")
    command.set_defaults(run=_render)


def add_detector_option(command: argparse.ArgumentParser) -> None:
    """Add ``--detector``, the name of a :class:`Method`, to a command that looks for faces."""
    command.add_argument(
        "--detector",
        choices=[method.value for method in Method],
        default=Method.AUTOMATIC.value,
        help="automatic also finds tilted, dark and covered faces; haar is the Haar cascade only (default: automatic)",
    )


def _render(options: argparse.Namespace) -> int:
    """Run the command and keep the report file up to date. Returns the exit status."""
    if options.seconds is not None and not options.seconds > 0:
        raise EmojifyError(f"--seconds must be more than 0, not {options.seconds:g}.")
    _check_extra_files(options)
    report = _Report(options.report)
    previous_handler = signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        result = _run(options, report)
    except KeyboardInterrupt:
        report.write(state="stopped")
        print(f"\nemojify: Stopped. {options.target} is not written.", file=sys.stderr)
        return STOPPED
    except EmojifyError as error:
        report.write(state="failed", problem=str(error))
        raise
    except Exception as error:
        problem = f"{options.source.name} cannot be rendered: an error in Emojify ({type(error).__name__}: {error})."
        report.write(state="failed", problem=problem)
        raise
    finally:
        signal.signal(signal.SIGTERM, previous_handler)
    if result is not None:
        report.write(state="done", outcome=result.to_json())
        _print_result(options.target, result)
    return 0


def _run(options: argparse.Namespace, report: _Report) -> RenderResult | None:
    """Estimate or render; return None if only an estimate was asked for."""
    check_target(options.source, options.target, options.overwrite)
    image = is_image(options.source)
    for flag in ("seconds", "csv", "estimate"):
        if image and getattr(options, flag):
            raise EmojifyError(f"{options.source.name} is a picture, and --{flag} is for videos. Leave it out.")
    placement = Placement(options.size, options.rise)
    settings = Settings.from_environment()
    pack = list_packs(settings.emojis).get(options.pack)
    classifier = ModelStore(settings.models).open_classifier(options.model, _warn)
    annotator = STYLES[options.style].create(pack.emoji, placement)
    style = RenderStyle(classifier, annotator, DetectorSettings(method=Method(options.detector)))
    if not image:
        expected = _print_estimate(options, style)
        if options.estimate and expected is not None:
            report.write(state="estimated", estimate=asdict(expected))
    if options.estimate:
        return None
    try:
        result = render(
            options.source,
            options.target,
            style,
            overwrite=options.overwrite,
            on_progress=report.progress,
            until_s=options.seconds,
        )
    finally:
        report.close()
    if options.csv and result.timeline:
        with readable_os_errors(f"{options.csv} cannot be written"):
            write_atomically(options.csv, seconds_csv(result.timeline["seconds"]).encode())
    return result


def _check_extra_files(options: argparse.Namespace) -> None:
    """Check the files of ``--csv`` and ``--report`` before any work is done; neither may replace the video."""
    for flag, path in (("--csv", options.csv), ("--report", options.report)):
        if path is None:
            continue
        if not path.parent.is_dir():
            raise EmojifyError(f"The folder {path.parent} does not exist. Create it, or choose another one.")
        if path.exists() and not path.is_file():
            raise EmojifyError(f"{path} is not a regular file. Choose another name.")
        for other in (options.source, options.target):
            if path.resolve() == other.resolve() or (path.exists() and other.exists() and path.samefile(other)):
                raise EmojifyError(f"{flag} would replace {other}. Choose another name.")
    if options.csv is not None and options.csv.exists() and not options.overwrite:
        raise EmojifyError(f"{options.csv} exists already. Choose another name, or add --overwrite.")


def _print_estimate(options: argparse.Namespace, style: RenderStyle) -> Estimate | None:
    """Print what the rendering will take if the video is long or an estimate was asked for.

    Returns:
        The estimate; None if the video is short or does not say how long it is.

    Raises:
        EmojifyError: if the disk does not have enough room for the result.
    """
    with VideoSource(options.source) as video:
        total_s = min(video.info.duration_s or 0.0, options.seconds or float("inf"))
    if total_s < LONG_S and not options.estimate:
        return None
    whole = estimate(options.source, options.target.suffix.lower(), style, options.seconds)
    if whole is None:
        print("The file does not say how long it is, so the time can't be estimated.", file=sys.stderr)
        return None
    share = total_s / whole.duration_s
    part = Estimate(total_s, whole.seconds * share, round(whole.size_bytes * share))
    print(
        f"{duration(part.duration_s)} of video: about {duration(part.seconds)} of work, "
        f"and a file of about {part.size_bytes / 1e6:.1f} MB.",
        file=sys.stderr,
    )
    free = shutil.disk_usage(options.target.parent).free
    if part.size_bytes > free:
        raise EmojifyError(
            f"{options.target.parent} has room for {free / 1e6:.0f} MB only. Make room, or choose another folder."
        )
    return part


def duration(seconds: float) -> str:
    """Return a duration in words: ``"1 h 5 min"``, ``"3 min 20 s"``, ``"4 s"``."""
    whole = max(1, round(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _raise_interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _print_result(target: Path, result: RenderResult) -> None:
    for note in result.notes:
        _warn(note)
    what = "picture"
    if result.timeline is not None:
        what = f"{result.duration_s:.1f} s, {result.frames} frame{'' if result.frames == 1 else 's'}"
    print(f"{target} is written: {what}, {result.size_bytes / 1e6:.1f} MB, in {duration(result.elapsed_s)}.")


def _warn(sentence: str) -> None:
    print(f"emojify: {sentence}", file=sys.stderr)


class _Report:
    """Shows progress on stderr, and writes it to the file of ``--report`` for the videos page.

    On a terminal the progress is a bar; in a log it is one line every ten percent.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._bar: tqdm | None = None
        self._printed_tenths = 0
        self._written_s = 0.0

    def progress(self, progress: Progress) -> None:
        if sys.stderr.isatty():
            self._update_bar(progress)
        else:
            self._print_tenths(progress)
        now_s = time.monotonic()
        if now_s - self._written_s >= REPORT_EVERY_S:
            self._written_s = now_s
            self.write(state="running", share=progress.share, left_s=progress.left_s, done_s=progress.done_s)

    def write(self, **content: Any) -> None:
        if self._path is not None:
            with readable_os_errors(f"{self._path} cannot be written"):
                write_json(self._path, content)

    def close(self) -> None:
        """End the line of the bar."""
        if self._bar is not None:
            self._bar.close()

    def _update_bar(self, progress: Progress) -> None:
        if self._bar is None:
            bar_format = BAR_FORMAT if progress.total_s else None
            self._bar = tqdm(total=progress.total_s, bar_format=bar_format, unit="s", file=unfiltered(sys.stderr))
        self._bar.update(progress.done_s - self._bar.n)

    def _print_tenths(self, progress: Progress) -> None:
        share = progress.share
        if share is not None and int(share * 10) > self._printed_tenths:
            self._printed_tenths = int(share * 10)
            left = "" if progress.left_s is None else f", {duration(progress.left_s)} left"
            print(f"{share:4.0%}{left}", file=sys.stderr, flush=True)
