"""``python -m emojify render IN OUT``."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from emojify.errors import EmojifyError
from emojify.files import write_atomically
from emojify.models import ModelStore
from emojify.packs.store import DEFAULT_PACK, list_packs
from emojify.settings import Settings
from emojify.video.render import Estimate, Progress, RenderResult, RenderStyle, check_target, estimate, is_image, render
from emojify.video.sink import OUTPUT_FORMATS
from emojify.video.source import VideoSource
from emojify.video.timeline import seconds_csv
from emojify.vision.annotators import DEFAULT_STYLE, STYLES
from emojify.vision.classifier import Classifier

LONG_S = 600.0  # from this length on, what it will take is said first
STOPPED = 130  # as shells have it
BAR = 30


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``render`` to a parser's commands."""
    command = commands.add_parser(
        "render",
        help="emojify a video or picture file",
        description="Emojify a file. OUT's ending says what it becomes: .mp4, .webm, .gif, .webp; "
        ".png, .jpg, .webp for a picture. Sound is kept in .mp4 and .webm.",
    )
    command.add_argument("source", metavar="IN", type=Path)
    command.add_argument("target", metavar="OUT", type=Path)
    command.add_argument("--pack", metavar="ID", default=DEFAULT_PACK, help="emoji pack (default: %(default)s)")
    command.add_argument(
        "--style",
        choices=list(STYLES),
        default=DEFAULT_STYLE,
        help=f"{' '.join(f'{style.key}: {style.help}' for style in STYLES.values())} (default: %(default)s)",
    )
    command.add_argument("--model", metavar="ID", help="instead of the live one")
    command.add_argument("--seconds", metavar="N", type=float, help="only the first N seconds of a video")
    command.add_argument("--csv", metavar="FILE", type=Path, help="write the seconds of each emotion to FILE")
    command.add_argument("--overwrite", action="store_true", help="replace OUT, and the FILE of --csv, if they exist")
    command.add_argument("--estimate", action="store_true", help="say how long it would take and how large it would be")
    command.add_argument("--report", metavar="FILE", type=Path, help="write progress and outcome to FILE, as JSON")
    command.set_defaults(run=_render)


def _render(options: argparse.Namespace) -> int:
    if options.seconds is not None and not options.seconds > 0:
        raise EmojifyError(f"--seconds must be more than 0, not {options.seconds:g}.")
    _check_files_beside(options)
    report = _Report(options.report)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        outcome = _work(options, report)
    except KeyboardInterrupt:
        report.write(state="stopped")
        print(f"\nemojify: Stopped. {options.target} is not written.", file=sys.stderr)
        return STOPPED
    except EmojifyError as error:
        report.write(state="failed", problem=str(error))
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    if outcome is not None:
        report.write(state="done", outcome=asdict(outcome))
        _say(options.target, outcome)
    return 0


def _work(options: argparse.Namespace, report: _Report) -> RenderResult | None:
    check_target(options.source, options.target, options.overwrite)
    picture = is_image(options.source)
    for flag in ("seconds", "csv", "estimate"):
        if picture and getattr(options, flag):
            raise EmojifyError(f"{options.source.name} is a picture, and --{flag} is for videos. Leave it out.")
    settings = Settings.from_environment()
    pack = list_packs(settings.emojis).get(options.pack)
    style = RenderStyle(_classifier(settings, options.model), STYLES[options.style].create(pack.emoji))
    if not picture:
        guess = _look_ahead(options, style)
        if options.estimate and guess is not None:
            report.write(state="estimated", estimate=asdict(guess))
    if options.estimate:
        return None
    outcome = render(
        options.source,
        options.target,
        style,
        overwrite=options.overwrite,
        on_progress=report.progress,
        until_s=options.seconds,
    )
    report.end_bar()
    if options.csv and outcome.timeline:
        try:
            write_atomically(options.csv, seconds_csv(outcome.timeline["seconds"]).encode())
        except OSError as error:
            raise EmojifyError(f"{options.csv} cannot be written: {error.strerror}.") from error
    return outcome


def _check_files_beside(options: argparse.Namespace) -> None:
    """Refuse a file for the seconds or the report before any work is done, the more so if it is the video itself."""
    for flag, path in (("--csv", options.csv), ("--report", options.report)):
        if path is None:
            continue
        if not path.parent.is_dir():
            raise EmojifyError(f"The folder {path.parent} is not there.")
        if path.exists() and not path.is_file():
            raise EmojifyError(f"{path} is not a file that could be replaced.")
        for other in (options.source, options.target):
            if path.resolve() == other.resolve() or (path.exists() and other.exists() and path.samefile(other)):
                raise EmojifyError(f"{flag} would replace {other}. Name another file.")
    if options.csv is not None and options.csv.exists() and not options.overwrite:
        raise EmojifyError(f"{options.csv} exists already. Name another file, or add --overwrite.")


def _classifier(settings: Settings, model_id: str | None) -> Classifier:
    store = ModelStore(settings.models)
    if model_id:  # asked for by name: no other one may answer in its place
        return store.get(model_id).open()
    opened = store.open()
    for problem in opened.problems:
        print(f"emojify: {problem} Using {opened.model.id} instead.", file=sys.stderr)
    return opened.classifier


def _look_ahead(options: argparse.Namespace, style: RenderStyle) -> Estimate | None:
    """Say what a long video will take, before it takes it; None for a short one, and where it cannot be told."""
    with VideoSource(options.source) as video:
        total_s = min(video.info.duration_s or 0.0, options.seconds or float("inf"))
    if total_s < LONG_S and not options.estimate:
        return None
    guess = estimate(options.source, options.target.suffix.lower(), style, options.seconds)
    if guess is None:
        print("The file does not say how long it is, so neither can the time be told.", file=sys.stderr)
        return None
    share = total_s / guess.duration_s
    guess = Estimate(total_s, guess.seconds * share, round(guess.size_bytes * share))
    print(
        f"{duration(guess.duration_s)} of video: about {duration(guess.seconds)} of work, "
        f"and a file of about {guess.size_bytes / 1e6:.1f} MB.",
        file=sys.stderr,
    )
    free = shutil.disk_usage(options.target.parent).free
    if guess.size_bytes > free:
        raise EmojifyError(
            f"{options.target.parent} has room for {free / 1e6:.0f} MB only. Make room, or write elsewhere."
        )
    return guess


def duration(seconds: float) -> str:
    """A time as people say it: ``"1 h 5 min"``, ``"3 min 20 s"``, ``"4 s"``."""
    whole = max(1, round(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _stop(number: int, at: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(target: Path, outcome: RenderResult) -> None:
    for note in outcome.notes:
        print(f"emojify: {note}", file=sys.stderr)
    what = "picture"
    if outcome.timeline is not None:
        what = f"{outcome.duration_s:.1f} s, {outcome.pictures} picture{'' if outcome.pictures == 1 else 's'}"
    print(f"{target} is written: {what}, {outcome.size_bytes / 1e6:.1f} MB, in {duration(outcome.elapsed_s)}.")


class _Report:
    """Progress for people, on a terminal as a bar, elsewhere a line every ten percent; and for a page, as a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._bar = sys.stderr.isatty()
        self._tenth = 0
        self._written_s = 0.0

    def progress(self, progress: Progress) -> None:
        self._show(progress)
        now_s = time.monotonic()
        if now_s - self._written_s >= 0.5:
            self._written_s = now_s
            self.write(state="running", share=progress.share, left_s=progress.left_s, done_s=progress.done_s)

    def write(self, **content: Any) -> None:
        if self._path is not None:
            try:
                write_atomically(self._path, json.dumps(content).encode())
            except OSError as error:
                raise EmojifyError(f"{self._path} cannot be written: {error.strerror}.") from error

    def end_bar(self) -> None:
        if self._bar:
            print(file=sys.stderr)

    def _show(self, progress: Progress) -> None:
        share = progress.share
        left = "" if progress.left_s is None else f", {duration(progress.left_s)} left"
        if share is None:
            text = f"{duration(progress.done_s)} done"
        elif self._bar:
            full = round(share * BAR)
            text = f"[{'#' * full}{'.' * (BAR - full)}] {share:4.0%}{left}"
        else:
            text = f"{share:4.0%}{left}"
        if self._bar:
            print(f"\r{text:<{BAR + 30}}", end="", file=sys.stderr, flush=True)
        elif share is not None and int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            print(text, file=sys.stderr, flush=True)


assert set(OUTPUT_FORMATS) == {".mp4", ".webm", ".gif", ".webp"}  # as the help says
