"""Run a sweep with Ray Tune: which settings come next, which fits are stopped early, and where fits run."""

from __future__ import annotations

import os
import secrets
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emojify.cluster.connection import require_packages
from emojify.errors import EmojifyError
from emojify.runs.placement import Placement
from emojify.runs.progress import read_progress
from emojify.runs.run import Run, State, read_run
from emojify.sweeps.plan import FOLDER, SweepPlan
from emojify.sweeps.space import Choice, Domain

MAX_FAILURES = 3
"""How often a trial is tried again after its fit or its machine has failed."""

GRACE_SHARE, REDUCTION = 0.1, 3
"""A fit is first judged after this share of its epochs. One of so many goes on, see Li et al. 2020 (ASHA)."""


@dataclass(frozen=True)
class Outcome:
    """What a sweep has reached.

    Attributes:
        best: the run with the best score; None if no run finished an epoch.
        score: of that run.
        failures: a sentence for each trial that was given up.
        is_complete: False if the sweep was interrupted; it can be continued.
    """

    best: Run | None
    score: float
    failures: tuple[str, ...]
    is_complete: bool


def require_ray() -> None:
    """Refuse to begin a sweep without the packages that it needs.

    Raises:
        EmojifyError: if Ray or Optuna is not installed.
    """
    require_packages("Sweeps need", "ray", "optuna")


def run_sweep(
    plan: SweepPlan,
    runs: Path,
    *,
    concurrent: int = 1,
    placement: Placement | None = None,
    say: Callable[[str], None] = print,
) -> Outcome:
    """Run the trials of a sweep that are not finished yet.

    The trials belong to a Ray of this process. Their fits run as its children, or on a cluster.

    Args:
        plan: of a sweep whose folder exists, see :meth:`SweepPlan.save`.
        runs: folder of the runs; each trial becomes a run ``<sweep>-<number>`` in it.
        concurrent: the number of fits at the same time.
        placement: the cluster for the fits, and what each asks for; None: they run on this machine.
        say: gets a line for each epoch.

    Raises:
        EmojifyError: if Ray is not installed or does not start.
    """
    require_ray()
    # The fits must not use the settings of the Ray of this process, but the user's, such as a cluster's token.
    ray_settings = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    with _local_ray(concurrent):
        from ray.tune import ResultGrid

        from emojify.sweeps.trial import FitTrial

        values = {"plan": plan, "runs": runs.resolve(), "placement": placement, "ray_settings": ray_settings}
        trainable = type("FitTrial", (FitTrial,), values)
        results: ResultGrid = _tuner(plan, trainable, concurrent, say).fit()
    return _outcome(results, plan, runs)


@contextmanager
def _local_ray(concurrent: int) -> Iterator[None]:
    """Run a Ray of this process's own until the block ends. Nothing but this machine can reach it."""
    # Set before Ray is imported. Without a token, Ray would take orders from any program here (CVE-2023-48022).
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    # Ray 2.60 replaces 127.0.0.1 by the machine's address, and then listens to the network, unless it believes to run
    # where it has no clusters. There is no other setting.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # no tables: _reporter says what happens
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL", "include_dashboard": False}
    try:
        ray.init("local", num_cpus=concurrent, _node_ip_address="127.0.0.1", **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise EmojifyError(f"Ray does not start: {str(error).strip().splitlines()[0]}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _tuner(plan: SweepPlan, trainable: Any, concurrent: int, say: Callable[[str], None]) -> Any:
    """Return the Ray Tuner of a sweep: a new one, or the interrupted one with its results so far."""
    import optuna
    from ray import tune

    from emojify.sweeps.trial import METRIC, TIME_ATTRIBUTE

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # A continued sweep reports the epochs of its runs again, and Optuna says so each time.
    warnings.filterwarnings("ignore", message="The reported value is ignored", module="optuna")
    folder = trainable.runs / FOLDER / plan.name
    if tune.Tuner.can_restore(str(folder / "tune")):
        return tune.Tuner.restore(
            str(folder / "tune"),
            trainable,
            resume_unfinished=True,
            restart_errored=True,
            param_space=_search_space(plan),
        )
    return tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space=_search_space(plan),
        tune_config=tune.TuneConfig(
            metric=METRIC,
            mode="max",
            num_samples=1 if plan.seeds else plan.trials,
            search_alg=None if plan.seeds else _search_algorithm(),
            scheduler=None if plan.seeds else _scheduler(plan, TIME_ATTRIBUTE),
            max_concurrent_trials=concurrent,
            trial_name_creator=_trial_name(plan),
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(folder),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=MAX_FAILURES),
            callbacks=[_reporter(say)],
        ),
    )


def _search_space(plan: SweepPlan) -> dict[str, Any]:
    from ray import tune

    space = {name: _to_tune(domain) for name, domain in plan.space.items()}
    return space | {"seed": tune.grid_search(list(range(1, plan.seeds + 1)))} if plan.seeds else space


def _to_tune(domain: Domain) -> Any:
    from ray import tune

    if isinstance(domain, Choice):
        return tune.choice(list(domain.values))
    if domain.is_whole:
        kind = tune.lograndint if domain.is_logarithmic else tune.randint
        return kind(int(domain.low), int(domain.high) + 1)  # without the upper end
    return (tune.loguniform if domain.is_logarithmic else tune.uniform)(domain.low, domain.high)


def _search_algorithm() -> Any:
    from ray.tune.search.optuna import OptunaSearch

    return OptunaSearch(seed=1)


def _scheduler(plan: SweepPlan, time_attribute: str) -> Any:
    from ray.tune.schedulers import ASHAScheduler

    grace = max(1, round(GRACE_SHARE * plan.epochs))
    # One more than there are: at max_t, Tune would stop a fit that is about to end by itself.
    return ASHAScheduler(
        time_attr=time_attribute, max_t=plan.epochs + 1, grace_period=grace, reduction_factor=REDUCTION
    )


def _trial_name(plan: SweepPlan) -> Callable[[Any], str]:
    def name(trial: Any) -> str:
        number = trial.config["seed"] if plan.seeds else int(str(trial.experiment_tag).partition("_")[0])
        return f"{plan.name}-{number:02d}"

    return name


def _reporter(say: Callable[[str], None]) -> Any:
    from ray import tune

    class Reporter(tune.Callback):
        def on_trial_result(
            self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any
        ) -> None:
            say(f"{trial}: epoch {result['epoch']}, score {result['score']:.3f}")

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
            say(f"{trial}: ended")

        def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
            say(f"{trial}: failed, goes on after its last finished epoch")

        def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
            say(f"{trial}: given up after {MAX_FAILURES + 1} failures")

    return Reporter()


def _outcome(results: Any, plan: SweepPlan, runs: Path) -> Outcome:
    free = shutil.disk_usage(runs).free
    found = [read_run(folder, disk_free_bytes=free) for folder in plan.run_folders(runs)]
    scores = {
        run.id: max((epoch.val_score for epoch in read_progress(run.folder).epochs), default=0.0) for run in found
    }
    best = max((run for run in found if run.best_epoch), key=lambda run: scores[run.id], default=None)
    return Outcome(
        best,
        scores[best.id] if best else 0.0,
        tuple(f"{run.id}: {run.reason}" for run in found if run.state in (State.FAILED, State.KILLED)),
        is_complete=results.num_terminated + results.num_errors == plan.trials,
    )
