"""The command line: ``python -m emojify COMMAND``. ``--help`` lists the commands."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

if __name__ == "__main__":  # before the imports below, which take half a second

    def _end_quietly(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Ctrl-C is no error: whoever pressed it needs no traceback. Python then ends as the signal asks."""
        if not issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = _end_quietly

from emojify.bench.cli import add_commands as add_bench_command
from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.models import ModelStore
from emojify.packs.cli import add_commands as add_pack_commands
from emojify.phone import add_commands as add_phone_command
from emojify.pictures import read_photo_file
from emojify.settings import Settings
from emojify.teaching.cli import add_commands as add_teaching_commands
from emojify.training.cli import add_commands as add_training_commands
from emojify.training.evaluate_cli import add_figures_command
from emojify.video.cli import add_commands as add_video_commands
from emojify.vision.analyzer import analyze_photo
from emojify.vision.readings import Reading

BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, or 2 with one sentence on stderr for bad input."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except EmojifyError as error:
        print(f"emojify: {error}", file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emojify", description="Turns faces into emoji.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    predict = commands.add_parser("predict", help="read the faces in pictures")
    predict.add_argument("images", metavar="IMAGE", nargs="+", type=Path)
    predict.add_argument("--model", metavar="ID", help="instead of the live one")
    predict.add_argument("--json", action="store_true", help="print a JSON array, one object a picture")
    predict.set_defaults(run=_predict)

    models = commands.add_parser("models", help="list models, put one live, go back")
    models.set_defaults(run=_list_models)
    actions = models.add_subparsers(metavar="list|promote|rollback|figures")
    actions.add_parser("list", help="all models; * marks the live one").set_defaults(run=_list_models)
    promote = actions.add_parser("promote", help="put a model live")
    promote.add_argument("model", metavar="ID")
    promote.set_defaults(run=_promote)
    actions.add_parser("rollback", help="put the one before live again").set_defaults(run=_rollback)
    add_figures_command(actions)

    add_video_commands(commands)
    add_pack_commands(commands)
    add_training_commands(commands)
    add_bench_command(commands)
    add_teaching_commands(commands)
    add_phone_command(commands)
    return parser


def _predict(options: argparse.Namespace) -> None:
    store = ModelStore(Settings.from_environment().models)
    if options.model:  # asked for by name: no other one may answer in its place
        classifier = store.get(options.model).open()
    else:
        opened = store.open()
        classifier = opened.classifier
        for problem in opened.problems:
            print(f"emojify: {problem} Using {opened.model.id} instead.", file=sys.stderr)
    # All pictures are read before anything is printed: a bad one leaves no half answer.
    results = [(path, analyze_photo(read_photo_file(path), classifier)) for path in options.images]
    if options.json:
        answer = [{"file": str(path), "faces": [_as_json(reading) for reading in faces]} for path, faces in results]
        print(json.dumps(answer, ensure_ascii=False))
        return
    for path, faces in results:
        print(f"{path}: {len(faces)} {'face' if len(faces) == 1 else 'faces'}" if faces else f"{path}: no face found")
        for reading in faces:
            x, y, width, height = reading.box
            ranked = sorted(Emotion, key=lambda emotion: -reading.probabilities[emotion])
            shares = ", ".join(f"{emotion.label} {reading.probabilities[emotion]:.0%}" for emotion in ranked)
            print(f"  at {x},{y} {width}x{height}: {reading.caption} ({shares})")


def _as_json(reading: Reading) -> dict[str, Any]:
    return {
        "box": list(reading.box),
        "emotion": Emotion(int(reading.probabilities.argmax())).label,
        "sure": reading.sure,
        "probabilities": {emotion.label: round(float(reading.probabilities[emotion]), 4) for emotion in Emotion},
    }


def _list_models(options: argparse.Namespace) -> None:
    store = ModelStore(Settings.from_environment().models)
    for model in store.models():
        mark = "*" if model.id == store.live_id else " "
        try:
            figures = [model.accuracy(split) for split in ("private", "private_clean")]
            shown = " ".join("     -" if figure is None else f"{figure:6.1%}" for figure in figures)
            print(f"{mark} {model.id:20} {model.name:24} private, clean: {shown}")
        except EmojifyError as error:
            print(f"{mark} {model.id:20} {error}")


def _promote(options: argparse.Namespace) -> None:
    ModelStore(Settings.from_environment().models).promote(options.model)
    print(f"{options.model} is live.")


def _rollback(options: argparse.Namespace) -> None:
    model_id = ModelStore(Settings.from_environment().models).rollback()
    print(f"{model_id} is live again.")


if __name__ == "__main__":
    sys.exit(main())
