"""``python -m emojify train | evaluate | export | data``: arguments in, plain words or JSON out.

Nothing heavy is imported before a command runs: the other commands share this parser.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.runs.config import FLAGS, RECIPES, FitConfig
from emojify.runs.control import Process
from emojify.training.evaluate_cli import add_evaluate_command

STOPPED = 130
"""Exit status of a fit that was interrupted: what a shell calls an interrupted command."""

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(FitConfig) if field.name != "data"}
_BY_SET = [name for name in _DEFAULTS if name not in (*FLAGS, "network", "added_data", "begin_with")]
_DATA = "FER-2013 as Kaggle's folder, a zip of it or the csv; or a folder of your own pictures by emotion"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the training wing's commands to a parser's.

    Each sets ``run``, a function of the parsed arguments that returns the exit status or None and may raise
    EmojifyError.
    """
    train = commands.add_parser("train", help="fit a network to a data set")
    begin = train.add_mutually_exclusive_group(required=True)
    begin.add_argument(
        "--data",
        type=Path,
        action="append",
        metavar="DIR|ZIP|CSV",
        help=f"{_DATA}; given twice, the second one is joined to the first",
    )
    begin.add_argument("--resume", type=Path, metavar="RUN", help="go on with a run that was stopped or killed")
    train.add_argument("--run", type=Path, dest="folder", metavar="RUN", help="default: runs/<time>-<network>")
    train.add_argument(
        "--from", dest="begin_with", metavar="MODEL|RUN", help="begin with the weights of a model or an earlier run"
    )
    train.add_argument("--network", choices=sorted(RECIPES), help="default: seed, or that of --from")
    for name in FLAGS:
        flag = f"--{name.replace('_', '-')}"
        train.add_argument(flag, type=type(_DEFAULTS[name]), help="default: the network's recipe")
    others = ", ".join(_BY_SET)
    train.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=f"any other setting: {others}")
    train.set_defaults(run=_train)

    add_evaluate_command(commands)

    export = commands.add_parser("export", help="make a model for the app from a training run")
    export.add_argument("folder", type=Path, metavar="RUN")
    export.add_argument("--id", required=True, dest="model_id", help="the model's folder under models/")
    export.add_argument("--name", help="what people see; default: the id")
    export.add_argument("--data", type=Path, metavar="DIR|ZIP|CSV", help="default: what the run was trained on")
    export.add_argument("--crop-margin", type=float, default=0.0, help="share of the face's box to add on each side")
    export.add_argument(
        "--logit-bias", action="append", default=[], metavar="EMOTION=VALUE",
        help="add VALUE to the logit of an emotion that is too seldom the likeliest; choose it on public",
    )  # fmt: skip
    export.add_argument("--promote", action="store_true", help="put the model live at once")
    export.set_defaults(run=_export)

    data = commands.add_parser("data", help="check or get training data")
    actions = data.add_subparsers(metavar="check|download", required=True)
    check = actions.add_parser("check", help="counts, unreadable and blank pictures, copies, leaks from test to train")
    check.add_argument("data", type=Path, metavar="DIR|ZIP|CSV")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument("--report", type=Path, metavar="FILE", help="write what was found there, with some of the faces")
    check.set_defaults(run=_check)
    actions.add_parser("download", help="get FER-2013 from Kaggle").set_defaults(run=_download)


def _train(options: argparse.Namespace) -> int:
    if options.resume:
        if options.set or any(
            getattr(options, name) is not None for name in ("folder", "network", "begin_with", *FLAGS)
        ):
            raise EmojifyError("A resumed run keeps its own settings: give --resume alone.")
        config, folder = FitConfig.read(options.resume), options.resume
    else:
        from emojify.settings import Settings

        config = _config(options)
        runs = Settings.from_environment().runs
        folder = options.folder or runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{config.network}"
    _quiet()
    try:
        with Process() as process:
            if options.resume:
                process.begin(folder)
                process.phase("loading TensorFlow")
            from emojify.training import fit

            fit.resume(folder, process) if options.resume else fit.start(config, folder, process)
    except KeyboardInterrupt:  # whoever stops a fit politely by SIGTERM gets the same words as Ctrl+C
        print(f"Stopped. Go on with: python -m emojify train --resume {folder}", file=sys.stderr)
        return STOPPED
    finally:
        _start_next(folder)
    print(f"The run is in {folder}. Make a model of it: python -m emojify export {folder} --id NAME")
    return 0


def _export(options: argparse.Namespace) -> None:
    logit_bias = {}
    for setting in options.logit_bias:
        label, _, value = setting.partition("=")
        try:
            logit_bias[label] = float(value)
        except ValueError as error:
            raise EmojifyError(f"--logit-bias must be EMOTION=VALUE, such as fearful=0.3, not {setting!r}.") from error
    _quiet()
    print("Loading TensorFlow", flush=True)
    from emojify.settings import ROOT, Settings
    from emojify.training.export import ExportOptions, export_run

    print("Reading the pictures, converting the network and measuring what it reads", flush=True)
    target = export_run(
        options.folder,
        options.data,
        Settings.from_environment().models,
        options.model_id,
        ExportOptions(options.name or "", options.crop_margin, logit_bias),
    )
    promote = ["-m", "emojify", "models", "promote", options.model_id]
    if not options.promote:
        print(f"{target} is ready. Put it live: python {' '.join(promote)}")
        return
    # In a process of its own: LiteRT has been seen to crash where TensorFlow's converter had worked.
    done = subprocess.run([sys.executable, *promote], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EmojifyError(f"{target} is ready, but can't be put live. {done.stderr.strip()}")
    print(done.stdout.strip())


def _check(options: argparse.Namespace) -> None:
    if options.report:
        from emojify.training.report import write_report

        write_report(options.data, options.report)
        return
    from emojify.training.check import check
    from emojify.training.dataset import load

    report = check(load(options.data))
    print(json.dumps(report.as_dict()) if options.json else report)


def _download(options: argparse.Namespace) -> None:
    from emojify.training.download import download

    print(download())


def _config(options: argparse.Namespace) -> FitConfig:
    """Return the network's recipe, changed by the options.

    Raises:
        EmojifyError: if a setting is unknown or has an invalid value.
    """
    if len(options.data) > 2:
        raise EmojifyError("--data can be given twice at most: a data set, and a second one to join to it.")
    network, begin_with = options.network or "seed", ""
    if options.begin_with:
        network, begin_with = _find_weights(options.begin_with, options.network)
    asked = {name: getattr(options, name) for name in FLAGS if getattr(options, name) is not None}
    for setting in options.set:
        name, _, value = setting.partition("=")
        if name not in _BY_SET:
            raise EmojifyError(f"There is no setting {name!r} for --set. There are: {', '.join(_BY_SET)}.")
        asked[name] = _parse(name, value)
    return FitConfig(
        **{
            "data": str(options.data[0].absolute()),
            "added_data": str(options.data[1].absolute()) if len(options.data) > 1 else "",
            "network": network,
            "begin_with": begin_with,
            **RECIPES[network],
            **asked,
        }
    )


def _find_weights(begin_with: str, network: str | None) -> tuple[str, str]:
    """The network and the file of weights of a run's folder or else a model's id.

    Raises:
        EmojifyError: if there is neither, or it is not the asked network.
    """
    from emojify.models import ModelStore
    from emojify.settings import Settings

    run = Path(begin_with)
    if (run / "config.json").is_file():
        found, weights = FitConfig.read(run).network, run / "best.weights.h5"
    else:
        model = ModelStore(Settings.from_environment().models).get(begin_with)
        base = model.card.get("based_on")
        if base:
            raise EmojifyError(
                f"{begin_with} was taught one person's face and can't be trained on: begin with {base}, "
                "which it was made from."
            )
        found, weights = str(model.card.get("network")), model.folder / "weights.npz"
    if found not in RECIPES or (network or found) != found:
        raise EmojifyError(f"{begin_with} is a network {found!r}, not {network or 'one that can be trained here'!r}.")
    if not weights.is_file():
        raise EmojifyError(f"{begin_with} has no weights to begin with: {weights} is missing.")
    return found, str(weights.absolute())


def _parse(name: str, value: str) -> bool | int | float | str:
    default = _DEFAULTS[name]
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[value.lower()]
        return type(default)(value)
    except (KeyError, ValueError) as error:
        kind = (
            "true or false"
            if isinstance(default, bool)
            else "a whole number"
            if isinstance(default, int)
            else "a number"
        )
        raise EmojifyError(f"{name} must be {kind}, not {value!r}.") from error


def _start_next(folder: Path) -> None:
    """One fit at a time: the next in the queue begins when this one is over."""
    from emojify.runs.store import RunStore
    from emojify.settings import Settings

    store = RunStore(Settings.from_environment().runs)
    if folder.resolve().parent == store.folder.resolve():
        store.start_next(ended=folder.name)


def _quiet() -> None:
    """TensorFlow greets with a screen of its own matters unless it is told not to before it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
