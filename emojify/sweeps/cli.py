"""The command ``python -m emojify sweep``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from emojify.cluster.connection import require_cluster
from emojify.errors import EmojifyError
from emojify.runs.networks import NETWORKS
from emojify.runs.placement import read_placement
from emojify.settings import ROOT, Settings
from emojify.sweeps.driver import Outcome, require_ray, run_sweep
from emojify.sweeps.plan import SweepPlan
from emojify.training.fit_cli import DATA_HELP, STOPPED, add_placement, parse_placement


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``sweep`` to a parser's commands."""
    sweep = commands.add_parser(
        "sweep",
        help="fit many times with different settings, and make a model of the best",
        description="Fit a network many times with different settings, and export the run that its choosing figure on "
        "public ranks first; nothing is put live. Each fit is a run of the training page. Fits that are worse than the "
        "others at the same epoch are stopped early. A sweep that was stopped or killed is continued by --resume. It "
        "needs Ray: pip install -r requirements-cluster.txt",
        epilog="example: %(prog)s --data fer2013.zip --set learning_rate=0.01..0.1 --set ferplus_weight=0.5,0.7,1 "
        "--set epochs=20 --trials 12",
    )
    begin = sweep.add_mutually_exclusive_group(required=True)
    begin.add_argument(
        "--data", type=Path, action="append", metavar="DIR|ZIP|CSV",
        help=f"{DATA_HELP}; given twice, the second one is joined to the first",
    )  # fmt: skip
    begin.add_argument("--resume", metavar="NAME", help="continue the sweep with this name")
    sweep.add_argument("--name", help="the sweep's name; its runs are called NAME-01, NAME-02, ...; default: the time")
    sweep.add_argument("--network", choices=sorted(NETWORKS), help="default: seed")
    sweep.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUES",
        help="values of a setting of train: LOW..HIGH for a range, A,B,C for a choice, or one value",
    )  # fmt: skip
    sweep.add_argument("--trials", type=int, help="the number of fits; default: 20")
    sweep.add_argument("--same-recipe", action="store_true", help="do not vary settings but the seed, see --seeds")
    sweep.add_argument(
        "--seeds", type=int, metavar="N", help="with --same-recipe: fit N times, as members of an ensemble for distill"
    )
    sweep.add_argument("--concurrent", type=int, default=1, metavar="N", help="fits at the same time; default: 1")
    add_placement(sweep, cpus=1)
    sweep.set_defaults(run=_sweep)


def _sweep(options: argparse.Namespace) -> int:
    from emojify.training.dataset import load_joined

    runs = Settings.from_environment().runs
    placement = parse_placement(options)
    if options.concurrent < 1:
        raise EmojifyError("--concurrent must be at least 1.")
    if options.resume:
        given = (options.name, options.network, options.set, options.trials, options.same_recipe, options.seeds)
        if any(given):
            raise EmojifyError("A continued sweep keeps its own settings. Give --resume alone.")
        plan = SweepPlan.read(runs, options.resume)
        require_ray()
        if not options.address:  # where its fits were before
            placement = next(map(read_placement, plan.run_folders(runs)), None)
    else:
        plan = _plan(options)
        require_ray()
        print("Reading the pictures", flush=True)
        load_joined(Path(plan.data), Path(plan.added_data) if plan.added_data else None)  # refuses what no fit can read
        plan.save(runs)
        print(f"The sweep is {plan.name}. Continue it, if it is interrupted: emojify sweep --resume {plan.name}")
    if placement:
        require_cluster(placement.address)
    outcome = run_sweep(plan, runs, concurrent=options.concurrent, placement=placement)
    return _report(outcome, plan, runs)


def _plan(options: argparse.Namespace) -> SweepPlan:
    if options.same_recipe != bool(options.seeds):
        raise EmojifyError("--same-recipe and --seeds belong together.")
    if options.seeds and options.trials is not None:
        raise EmojifyError("--trials and --seeds exclude each other: there is one fit for each seed.")
    if len(options.data) > 2:
        raise EmojifyError("--data can be given twice at most: a data set, and a second one to join to it.")
    for path in options.data:
        if not path.exists():
            raise EmojifyError(f"There is no {path}.")
    data = [str(path.absolute()) for path in options.data]
    return SweepPlan(
        options.name or time.strftime("%Y%m%d-%H%M%S"),
        data[0],
        options.network or "seed",
        tuple(options.set),
        options.seeds or (20 if options.trials is None else options.trials),
        options.seeds or 0,
        data[1] if len(data) > 1 else "",
    )


def _report(outcome: Outcome, plan: SweepPlan, runs: Path) -> int:
    if not outcome.is_complete:
        print(f"Stopped. Continue with: emojify sweep --resume {plan.name}", file=sys.stderr)
        return STOPPED
    for failure in outcome.failures:
        print(f"emojify: {failure}", file=sys.stderr)
    if outcome.best is None:
        raise EmojifyError(f"No fit of the sweep {plan.name} has finished an epoch.")
    print(f"The best is {outcome.best.folder}: score {outcome.score:.3f} at epoch {outcome.best.best_epoch}.")
    if plan.seeds:
        teachers = " ".join(str(runs / f"{plan.name}-{seed:02d}") for seed in range(1, plan.seeds + 1))
        print(f"Distill them into one network: emojify distill --data {plan.data} --teachers {teachers}")
        return 0
    return _export(outcome.best.folder, outcome.best.model_id)


def _export(run: Path, model_id: str) -> int:
    """Make a model of a run in a process of its own: this one has loaded Ray, and must not load TensorFlow."""
    if (Settings.from_environment().models / model_id).exists():
        print(f"Its model is {model_id}, made by an earlier call.")
        return 0
    arguments = ["-m", "emojify", "export", str(run), "--id", model_id]
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode
