"""The commands ``train``, ``distill``, ``evaluate``, ``export`` and ``data``.

A command imports TensorFlow, OpenCV and NumPy when it runs, because the other commands share the parser.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.training.evaluate_cli import add_evaluate_command
from emojify.training.fit_cli import DATA_HELP, add_fit_commands, load_tensorflow
from emojify.training.refit_cli import add_refit_command


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to a parser.

    Each one sets ``run``: a function of the parsed arguments that returns the exit status or None and may raise
    EmojifyError.
    """
    add_fit_commands(commands)
    add_refit_command(commands)
    add_evaluate_command(commands)
    _add_export_command(commands)
    _add_data_command(commands)


def _add_export_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = commands.add_parser(
        "export",
        help="make a model for the app from a training run",
        description="Make models/ID from the best epoch of a run: the LiteRT file (int8, or float32 if int8 reads "
        "public worse by the FER+ majority), its weights, and a card with its figures. Takes about a minute.",
        epilog="example: %(prog)s runs/20260131-120000-seed --id my-model --promote",
    )
    export.add_argument("folder", type=Path, metavar="RUN", help="folder of a training run")
    export.add_argument("--id", required=True, dest="model_id", help="the model's folder under models/")
    export.add_argument("--name", help="the name that the app shows; default: the id")
    export.add_argument(
        "--data", type=Path, metavar="DIR|ZIP|CSV", help="data set to measure on (default: the run's own)"
    )
    export.add_argument("--crop-margin", type=float, default=0.0, help="share of the face's box to add on each side")
    export.add_argument(
        "--logit-bias",
        action="append",
        default=[],
        metavar="EMOTION=VALUE",
        help="add VALUE to the logit of an emotion that is too rarely the most probable one; choose it on public",
    )
    export.add_argument("--promote", action="store_true", help="put the model live at once")
    export.set_defaults(run=_export)


def _add_data_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = commands.add_parser(
        "data",
        help="check or download training data",
        description="Check a data set before training on it, or download FER-2013.",
        epilog="example: %(prog)s check fer2013.zip",
    )
    actions = data.add_subparsers(metavar="check|download", required=True)
    check = actions.add_parser(
        "check",
        help="count pictures; find unreadable and blank ones, copies and leaks",
        description="Read a whole data set. Prints how many pictures each split and emotion has, and which are "
        "unreadable, blank, copies of others, or in the training and a test split at the same time.",
        epilog="example: %(prog)s fer2013.zip",
    )
    check.add_argument("data", type=Path, metavar="DIR|ZIP|CSV", help=DATA_HELP)
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument(
        "--report", type=Path, metavar="FILE", help="write the findings and some of the faces there, as JSON"
    )
    check.set_defaults(run=_check)
    download = actions.add_parser(
        "download",
        help="download FER-2013 from Kaggle",
        description="Download FER-2013 from Kaggle with the package kagglehub. Prints the folder of the data set.",
    )
    download.set_defaults(run=_download)


def _export(options: argparse.Namespace) -> None:
    logit_bias = {}
    for setting in options.logit_bias:
        label, _, value = setting.partition("=")
        try:
            logit_bias[label] = float(value)
        except ValueError as error:
            raise EmojifyError(f"--logit-bias must be EMOTION=VALUE, such as fearful=0.3, not {setting!r}.") from error
    from emojify.models import new_model_folder
    from emojify.settings import ROOT, Settings

    models = Settings.from_environment().models
    new_model_folder(models, options.model_id)  # refuses a bad id before TensorFlow is loaded
    print("Loading TensorFlow", flush=True)
    load_tensorflow()
    from emojify.training.export import ExportOptions, export_run

    print("Reading the pictures, converting the network and measuring it", flush=True)
    target = export_run(
        options.folder,
        options.data,
        models,
        options.model_id,
        ExportOptions(options.name or "", options.crop_margin, logit_bias),
    )
    promote = ["-m", "emojify", "models", "promote", options.model_id]
    if not options.promote:
        print(f"{target} is ready. Put it live: python {' '.join(promote)}")
        return
    # In a new process: LiteRT sometimes crashes in a process in which TensorFlow's converter has worked.
    done = subprocess.run([sys.executable, *promote], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EmojifyError(f"{target} is ready, but it can't be put live. {done.stderr.strip()}")
    print(done.stdout.strip())


def _check(options: argparse.Namespace) -> None:
    if options.report:
        from emojify.training.report import write_report

        write_report(options.data, options.report)
        return
    from emojify.training.check import check, load_to_check

    data, only_to_add = load_to_check(options.data)
    report = check(data)
    if options.json:
        print(json.dumps(report.as_dict() | {"only_to_add": only_to_add}))
        return
    print(report)
    if only_to_add:
        print(f"{only_to_add} It can be added to another data set: train --data FER-2013 --data {options.data}")


def _download(options: argparse.Namespace) -> None:
    from emojify.training.download import download

    print(download())
