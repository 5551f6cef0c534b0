"""One trial of a sweep: a run folder like any other, whose fit is a process of its own.

The trial watches the folder. If the trial's process ends, the run stays. The next attempt watches the fit if it still
works, and otherwise resumes it. Ray's processes never import TensorFlow.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from ray import tune

from emojify import processes
from emojify.cluster.connection import require_cluster
from emojify.errors import EmojifyError
from emojify.files import new_folder, write_json
from emojify.runs.control import ENDED, STOP_REQUESTED
from emojify.runs.placement import Placement, write_placement
from emojify.runs.progress import Epoch, read_progress
from emojify.runs.run import Run, State, read_run
from emojify.sweeps.plan import SweepPlan

POLL_INTERVAL_S = 0.3
STOP_TIMEOUT_S = 120.0  # a fit ends after its batch; the largest networks need seconds for one
TIME_ATTRIBUTE, METRIC = "epoch", "score"


class FitTrial(tune.Trainable):
    """A fit that Ray Tune starts, watches and stops. One step is one epoch.

    :func:`~emojify.sweeps.driver.run_sweep` sets the class attributes.
    """

    plan: ClassVar[SweepPlan]
    runs: ClassVar[Path]
    placement: ClassVar[Placement | None]
    ray_settings: ClassVar[dict[str, str]]

    def setup(self, config: dict[str, Any]) -> None:
        """Create the run, or go on with the one of an earlier attempt."""
        self._folder = self.runs / self.trial_name
        self._reported = 0
        if not self._folder.exists():
            with new_folder(self._folder) as folder:
                write_json(folder / "config.json", asdict(self.plan.config(config)))
        state = self._read().state
        if not state.has_process and state is not State.FINISHED:
            for name in (ENDED, STOP_REQUESTED):
                (self._folder / name).unlink(missing_ok=True)
            write_placement(self._folder, self.placement)
            self._use_ray_settings_of_user()
            processes.start(["train", "--resume", str(self._folder)], self._folder)

    def _use_ray_settings_of_user(self) -> None:
        """Give child processes the user's Ray settings. The Ray of the sweep has read its own already."""
        for name in [name for name in os.environ if name.startswith("RAY_")]:
            del os.environ[name]
        os.environ.update(self.ray_settings)

    def step(self) -> dict[str, Any]:
        """Wait for the next epoch; return its number and score."""
        while True:
            run = self._read()  # before the epochs: a fit that ends meanwhile has written all of them
            epochs = read_progress(self._folder).epochs
            if len(epochs) > self._reported and not (run.state.has_process and _is_last(epochs[self._reported], run)):
                epoch = epochs[self._reported]
                self._reported += 1
                is_done = self._reported == len(epochs) and run.state is State.FINISHED
                return {TIME_ATTRIBUTE: epoch.number, METRIC: epoch.val_score, "done": is_done}
            if run.state is State.KILLED:
                raise EmojifyError(f"{run.id}: {run.reason}")  # Tune tries again, then gives the trial up
            if run.state is State.FAILED and self.placement:
                require_cluster(self.placement.address)  # without a cluster, the trial has not ended but must wait
            if not run.state.has_process:  # the fit failed, or a user stopped or deleted the run
                return {TIME_ATTRIBUTE: self._reported, METRIC: epochs[-1].val_score if epochs else 0.0, "done": True}
            time.sleep(POLL_INTERVAL_S)

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:
        """Return nothing to keep: the run's folder has the weights and all results."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Go on after an interruption: :meth:`setup` has found the run."""

    def cleanup(self) -> None:
        """Stop the fit, because Tune has stopped the trial early or the sweep was interrupted."""
        processes.stop(self._folder)
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        while processes.is_running(self._folder) and time.monotonic() < deadline_s:
            time.sleep(POLL_INTERVAL_S)

    def _read(self) -> Run:
        return read_run(self._folder, disk_free_bytes=shutil.disk_usage(self.runs).free)


def _is_last(epoch: Epoch, run: Run) -> bool:
    """Return True for the epoch after which a fit ends by itself. It is reported then: Tune stops what has no more."""
    return run.config is not None and epoch.number >= run.config.epochs
