"""The command line: the parser of all commands, and the commands ``predict`` and ``models``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emojify.bench.cli import add_commands as add_bench_command
from emojify.deploy.cli import add_commands as add_deploy_command
from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.models import ModelStore
from emojify.packs.cli import add_commands as add_pack_commands
from emojify.phone import add_commands as add_phone_command
from emojify.pictures import read_photo_file
from emojify.runs.golive import judge_model
from emojify.settings import Settings
from emojify.sweeps.cli import add_commands as add_sweep_command
from emojify.tables import print_table
from emojify.teaching.cli import add_commands as add_teaching_commands
from emojify.training.cli import add_commands as add_training_commands
from emojify.training.evaluate_cli import add_figures_command
from emojify.video.cli import add_commands as add_video_commands
from emojify.video.cli import add_detector_option
from emojify.vision.analyzer import analyze_photo
from emojify.vision.detectors.haar import DetectorSettings, Method
from emojify.vision.readings import Reading

BAD_INPUT = 2


def run(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments and run one command.

    Returns:
        The exit status: 0, or 2 after one sentence on stderr for bad input.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except EmojifyError as error:
        print(f"emojify: {error}", file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emojify" if Path(sys.argv[0]).stem == "emojify" else "python -m emojify",
        description="Turn faces into emoji. Each command explains itself with --help. "
        "Errors are one sentence on stderr, with exit status 2 for bad input.",
        epilog="The app itself starts with: streamlit run streamlit_app.py",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_predict(commands)
    add_video_commands(commands)
    _add_models(commands)
    add_pack_commands(commands)
    add_training_commands(commands)
    add_sweep_command(commands)
    add_teaching_commands(commands)
    add_bench_command(commands)
    add_phone_command(commands)
    add_deploy_command(commands)
    return parser


def _add_predict(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    predict = commands.add_parser(
        "predict",
        help="print the emotions of the faces in pictures",
        description="Read the faces in PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP or TIFF pictures. Prints for each face "
        "its box in pixels, its emotion and the probabilities of all seven. A picture that can't be read is named on "
        "stderr, or as an error in the JSON; the others are printed, and the exit status is 2.",
        epilog="example: %(prog)s --json holiday.jpg",
    )
    predict.add_argument("images", metavar="IMAGE", nargs="+", type=Path, help="a picture")
    predict.add_argument("--model", metavar="ID", help="model that reads the faces (default: the live model)")
    add_detector_option(predict)
    predict.add_argument("--json", action="store_true", help="print one JSON array with an object for each picture")
    predict.set_defaults(run=_predict)


def _add_models(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    models = commands.add_parser(
        "models",
        help="list the models, and choose the live one",
        description="List the models; * marks the live one, which the app uses. Each line has the id, the name and the "
        "accuracy on FER-2013's private test split, as labeled and without mislabeled pictures.",
        epilog="example: %(prog)s promote my-model",
    )
    models.set_defaults(run=_list_models)
    actions = models.add_subparsers(metavar="list|promote|rollback|figures")
    actions.add_parser("list", help="list the models (as without an action)").set_defaults(run=_list_models)
    promote = actions.add_parser("promote", help="make a model the live one; running sessions switch to it")
    promote.add_argument("model", metavar="ID", help="as listed")
    promote.set_defaults(run=_promote)
    rollback = actions.add_parser("rollback", help="make the model live again that was live before")
    rollback.set_defaults(run=_rollback)
    add_figures_command(actions)


def _predict(options: argparse.Namespace) -> int:
    store = ModelStore(Settings.from_environment().models)
    classifier = store.open_classifier(options.model, on_problem=_warn)
    detection = DetectorSettings(method=Method(options.detector))
    status, entries = 0, list[dict[str, Any]]()
    for path in options.images:
        try:
            readings = analyze_photo(read_photo_file(path), classifier, detection)
        except EmojifyError as error:
            status = BAD_INPUT
            _warn(str(error))
            entries.append({"file": str(path), "error": str(error)})
            continue
        entries.append({"file": str(path), "faces": [_to_json(reading) for reading in readings]})
        if not options.json:
            _print_readings(path, readings)
    if options.json:
        print(json.dumps(entries, ensure_ascii=False))
    return status


def _print_readings(path: Path, faces: list[Reading]) -> None:
    print(f"{path}: {len(faces)} {'face' if len(faces) == 1 else 'faces'}" if faces else f"{path}: no face found")
    for reading in faces:
        x, y, width, height = reading.box
        ranked = sorted(Emotion, key=lambda emotion: -reading.probabilities[emotion])
        shares = ", ".join(f"{emotion.label} {reading.probabilities[emotion]:.0%}" for emotion in ranked)
        print(f"  at {x},{y} {width}x{height}: {reading.caption} ({shares})")


def _to_json(reading: Reading) -> dict[str, Any]:
    return {
        "box": list(reading.box),
        "roll": round(reading.face.roll, 1),
        "emotion": Emotion(int(reading.probabilities.argmax())).label,
        "sure": reading.sure,
        "probabilities": {emotion.label: round(float(reading.probabilities[emotion]), 4) for emotion in Emotion},
    }


def _list_models(options: argparse.Namespace) -> None:
    store = ModelStore(Settings.from_environment().models)
    rows = []
    for model in store.models():
        mark = "*" if model.id == store.live_id else " "
        try:
            judged = judge_model(model)
            rows.append((f"{mark} {model.id}", model.name, judged.headline if judged else "no figures"))
        except EmojifyError as error:
            rows.append((f"{mark} {model.id}", "", str(error)))
    print_table(rows)


def _promote(options: argparse.Namespace) -> None:
    ModelStore(Settings.from_environment().models).promote(options.model)
    print(f"{options.model} is live.")


def _rollback(options: argparse.Namespace) -> None:
    model_id = ModelStore(Settings.from_environment().models).rollback()
    print(f"{model_id} is live again.")


def _warn(sentence: str) -> None:
    print(f"emojify: {sentence}", file=sys.stderr)
