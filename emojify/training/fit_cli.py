"""The commands that fit a network: ``python -m emojify train | distill``.

Nothing heavy is imported before a command runs: all commands share one parser.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.files import new_folder, write_json
from emojify.os_errors import readable_os_errors
from emojify.runs.config import FLAGS, INPUTS, FitConfig, default_config
from emojify.runs.control import ProcessControl
from emojify.runs.networks import NETWORKS
from emojify.runs.placement import LOCAL, Placement, read_placement, write_placement
from emojify.training.trained import find_trained
from emojify.vision.quiet import without_start_up_lines

STOPPED = 130
"""Exit status of a fit that was interrupted, as shells use it for an interrupted command."""

DATA_HELP = "FER-2013 as Kaggle's folder, a zip of it or the csv; or a folder of your own pictures by emotion"

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(FitConfig) if field.name not in INPUTS}
_SET_NAMES = [name for name in _DEFAULTS if name not in (*FLAGS, "teacher_weight")]
_NETWORKS_HELP = " ".join(f"{name}: {network.description}" for name, network in NETWORKS.items())


def add_fit_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``train`` and ``distill`` to a parser's commands.

    Each sets ``run``, a function of the parsed arguments that returns the exit status and may raise EmojifyError.
    """
    _add_train(commands)
    _add_distill(commands)


def _add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = commands.add_parser(
        "train",
        help="fit a network to a data set",
        description="Fit a network to a data set, or continue a run. Prints the figures of each epoch and writes "
        "everything to the folder of the run. Ctrl-C stops after the batch; a stopped run can be continued.",
        epilog="example: %(prog)s --data fer2013.zip --network seed --epochs 30",
    )
    begin = train.add_mutually_exclusive_group(required=True)
    begin.add_argument(
        "--data",
        type=Path,
        action="append",
        metavar="DIR|ZIP|CSV",
        help=f"{DATA_HELP}; given twice, the second one is joined to the first",
    )
    begin.add_argument("--resume", type=Path, metavar="RUN", help="continue a run that was stopped or killed")
    train.add_argument(
        "--from", dest="begin_with", metavar="MODEL|RUN", help="begin with the weights of a model or an earlier run"
    )
    _add_settings(train, default_network="seed, or that of --from")
    add_placement(train)
    train.set_defaults(run=_train)


def _add_distill(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    distill = commands.add_parser(
        "distill",
        help="fit a network to what other networks answer",
        description="Fit a network to the mean answer of several trained ones (teachers) on the same augmented "
        "pictures, mixed with labels and FER+ votes. An epoch takes as long as one of train, and the time that the "
        "teachers need to read its pictures. Continue the run with: train --resume RUN",
        epilog="example: %(prog)s --data fer2013.zip --teachers runs/first runs/second --network residual",
    )
    distill.add_argument(
        "--data",
        type=Path,
        action="append",
        required=True,
        metavar="DIR|ZIP|CSV",
        help=f"{DATA_HELP}; given twice, the second one is joined to the first",
    )
    distill.add_argument(
        "--teachers", nargs="+", required=True, metavar="MODEL|RUN", help="runs or models to average and imitate"
    )
    distill.add_argument(
        "--teacher-weight", type=float, default=0.7, metavar="SHARE",
        help="share of the teachers' answer in the target; the rest is the label, or the FER+ votes by their share "
        "(--set ferplus_weight=1: votes alone); default: 0.7",
    )  # fmt: skip
    _add_settings(distill, default_network="seed")
    add_placement(distill)
    distill.set_defaults(run=_distill)


def add_placement(command: argparse.ArgumentParser, *, cpus: float = 4) -> None:
    """Add the options that send a fit to a cluster; it asks for ``cpus`` processors by default."""
    command.add_argument(
        "--address", metavar="CLUSTER",
        help="fit on a Ray cluster: ray://HOST:10001, or HOST:6379 or auto on a machine of it; see docs/cluster.md. "
        f"{LOCAL}: fit on this machine. Default: this machine; for a resumed run, where it was fitted before",
    )  # fmt: skip
    command.add_argument(
        "--cpus", type=float, default=cpus, help="processors to ask the cluster for; default: %(default)s"
    )
    command.add_argument("--gpus", type=float, default=0, help="GPUs, or a share of one, to ask it for; default: 0")


def parse_placement(options: argparse.Namespace) -> Placement | None:
    """Return the cluster that the command line names; None for this machine.

    Raises:
        EmojifyError: if its address, or what is asked for, can't be meant.
    """
    if options.address in (None, LOCAL):
        return None
    return Placement(options.address, options.cpus, options.gpus)


def _add_settings(command: argparse.ArgumentParser, *, default_network: str) -> None:
    command.add_argument("--run", type=Path, dest="folder", metavar="RUN", help="default: runs/<time>-<network>")
    command.add_argument("--network", choices=sorted(NETWORKS), help=f"{_NETWORKS_HELP} Default: {default_network}")
    for name in FLAGS:
        flag = f"--{name.replace('_', '-')}"
        command.add_argument(flag, type=type(_DEFAULTS[name]), help="default: the network's recipe")
    others = ", ".join(_SET_NAMES)
    command.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help=f"any other setting: {others}"
    )


def _train(options: argparse.Namespace) -> int:
    if not options.resume:
        return _start_fit(_train_config(options), options)
    if options.set or any(getattr(options, name) is not None for name in ("folder", "network", "begin_with", *FLAGS)):
        raise EmojifyError("A resumed run keeps its own settings. Give --resume alone.")
    FitConfig.read(options.resume)  # so that a folder that is no run is refused before TensorFlow loads
    placement = parse_placement(options) if options.address else read_placement(options.resume)
    if options.address:
        with readable_os_errors(f"{options.resume} can't be written"):
            write_placement(options.resume, placement)
    return _run_fit(options.resume, None, placement)


def _distill(options: argparse.Namespace) -> int:
    return _start_fit(_distill_config(options), options)


def _start_fit(config: FitConfig, options: argparse.Namespace) -> int:
    from emojify.settings import Settings

    runs = Settings.from_environment().runs
    folder = options.folder or runs / f"{time.strftime('%Y%m%d-%H%M%S')}-{config.network}"
    placement = parse_placement(options)
    if placement is None:
        return _run_fit(folder, config, None)
    _write_remote_run(folder, config, placement)
    return _run_fit(folder, None, placement)


def _write_remote_run(folder: Path, config: FitConfig, placement: Placement) -> None:
    from emojify.cluster.inputs import config_inputs

    config_inputs(config)  # refuses missing files before there is a run
    if folder.exists():
        raise EmojifyError(f"There is a run in {folder} already. Continue it with --resume, or choose another name.")
    with readable_os_errors(f"The run can't be written to {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(folder) as new:
            write_json(new / "config.json", asdict(config))
            write_placement(new, placement)


def _run_fit(folder: Path, config: FitConfig | None, placement: Placement | None) -> int:
    """Start a fit with ``config``, or continue the run in ``folder`` if it is None."""
    try:
        with ProcessControl() as control:
            if config is None:
                control.start_run(folder)
            if placement is not None:
                from emojify.cluster.remote_fit import fit_on_cluster

                fit_on_cluster(folder, placement, control)
            elif config is None:
                control.report_phase("loading TensorFlow")
                load_tensorflow()
                from emojify.training import fit

                fit.resume(folder, control)
            else:
                load_tensorflow()
                from emojify.training import fit

                fit.start(config, folder, control)
    except KeyboardInterrupt:  # SIGTERM gives the same message as Ctrl+C
        print(f"Stopped. Continue with: python -m emojify train --resume {folder}", file=sys.stderr)
        return STOPPED
    finally:
        _start_next(folder)
    print(f"The run is in {folder}. Make a model of it: python -m emojify export {folder} --id NAME")
    return 0


def _train_config(options: argparse.Namespace) -> FitConfig:
    settings = _settings(options)
    network = options.network or "seed"
    if options.begin_with:
        trained = find_trained(options.begin_with)
        if (options.network or trained.network) != trained.network:
            raise EmojifyError(f"{options.begin_with} is a network {trained.network!r}, not {options.network!r}.")
        network, settings["begin_with"] = trained.network, str(trained.weights)
    return default_config(str(options.data[0].absolute()), network, **settings)


def _distill_config(options: argparse.Namespace) -> FitConfig:
    teachers = tuple(str(find_trained(teacher).folder) for teacher in options.teachers)
    return default_config(
        str(options.data[0].absolute()),
        options.network or "seed",
        **_settings(options),
        teachers=teachers,
        teacher_weight=options.teacher_weight,
    )


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gives, by their flag or by ``--set``.

    Raises:
        EmojifyError: if a setting is unknown or has an invalid value.
    """
    if len(options.data) > 2:
        raise EmojifyError("--data can be given twice at most: a data set, and a second one to join to it.")
    settings = {name: getattr(options, name) for name in FLAGS if getattr(options, name) is not None}
    for setting in options.set:
        name, _, value = setting.partition("=")
        if name not in _SET_NAMES:
            raise EmojifyError(f"There is no setting {name!r} for --set. There are: {', '.join(_SET_NAMES)}.")
        settings[name] = parse_setting(name, value)
    if len(options.data) > 1:
        settings["added_data"] = str(options.data[1].absolute())
    return settings


def parse_setting(name: str, value: str) -> bool | int | float | str:
    """Return the value of a setting that is written as ``NAME=VALUE``.

    Raises:
        EmojifyError: if there is no such setting, or it can't have this value.
    """
    if name not in _DEFAULTS:
        raise EmojifyError(f"There is no setting {name!r}. There are: {', '.join(_DEFAULTS)}.")
    default = _DEFAULTS[name]
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[value.lower()]
        return type(default)(value)
    except (KeyError, ValueError) as error:
        kind = {bool: "true or false", int: "a whole number"}.get(type(default), "a number")
        raise EmojifyError(f"{name} must be {kind}, not {value!r}.") from error


def _start_next(folder: Path) -> None:
    """Start the next run of the queue, since one fit runs at a time and this one is over."""
    from emojify.runs.store import RunStore
    from emojify.settings import Settings

    store = RunStore(Settings.from_environment().runs)
    if folder.resolve().parent == store.folder.resolve():
        store.start_next(ended=folder.name)


def load_tensorflow() -> None:
    """Import TensorFlow without its start-up messages. Later imports of it are free."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with without_start_up_lines():
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")  # says that there is none when it first looks for one
