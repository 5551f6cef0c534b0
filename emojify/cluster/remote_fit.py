"""Fit a run on a Ray cluster, as ``emojify train --address`` does.

The process that calls :func:`fit_on_cluster` is the run's process: stopping it stops the fit, and the run folder here
is up to date while it works. If the machine of the fit is lost, another one goes on after the last whole epoch.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from emojify.cluster.connection import connect, most_cpus
from emojify.cluster.inputs import CHUNK_BYTES, Input, config_inputs, packed
from emojify.cluster.mirror import Mirror
from emojify.cluster.worker import Changes, FitWorker, check_version
from emojify.errors import EmojifyError
from emojify.models import ModelStore
from emojify.os_errors import os_error_reason
from emojify.runs.config import FitConfig
from emojify.runs.control import Control
from emojify.runs.figures import LIVE_FIGURES
from emojify.runs.placement import Placement
from emojify.runs.reading import read_json_or_empty
from emojify.settings import Settings

POLL_INTERVAL_S = 0.5
CALL_TIMEOUT_S = 120.0  # for one answer of a machine
STOP_TIMEOUT_S = 120.0  # a fit ends after its batch
MAX_LOSSES = 3
"""After so many lost machines without a whole epoch in between, the fit is given up."""


class _WorkerLostError(Exception):
    """The machine of the fit, or the fit's process there, is gone."""


def fit_on_cluster(run: Path, placement: Placement, control: Control) -> None:
    """Fit a run on a cluster until it has ended. A run with a checkpoint is continued.

    Args:
        run: the run's folder, with its ``config.json``.
        placement: the cluster, and what to ask a machine of it for.
        control: told about phases; it stops the fit.

    Raises:
        EmojifyError: if the cluster can't be used, the fit failed, or its machines were lost too often.
        KeyboardInterrupt: if the fit was stopped; its last whole epoch is here.
    """
    config = FitConfig.read(run)
    inputs = config_inputs(config)
    control.report_phase("looking for the cluster")
    with connect(placement.address):
        losses = 0
        while True:
            epoch = _epochs_done(run)
            try:
                _RemoteFit(run, config, inputs, placement, control).follow()
                return
            except _WorkerLostError as loss:
                losses = 1 if _epochs_done(run) > epoch else losses + 1
                if losses == MAX_LOSSES:
                    raise EmojifyError(
                        f"The fit was lost {losses} times on the cluster, last: {loss}. If the memory ran out there, "
                        "choose a smaller batch."
                    ) from loss
                print(f"Lost: {loss}. Going on after epoch {_epochs_done(run)} on another machine.", flush=True)


class _RemoteFit:
    """One attempt: a fit on one machine of the cluster."""

    def __init__(
        self, run: Path, config: FitConfig, inputs: dict[str, Input], placement: Placement, control: Control
    ) -> None:
        self._run, self._config, self._inputs = run, config, inputs
        self._placement, self._control = placement, control
        self._mirror = Mirror(run)
        self._host = ""

    def follow(self) -> None:
        """Start the fit and copy what it does until it ends.

        Raises:
            _WorkerLostError: if the machine is gone, or the fit was killed there.
            EmojifyError: if the fit failed.
            KeyboardInterrupt: if it was stopped.
        """
        import ray

        cpus = min(self._placement.cpus, most_cpus() or self._placement.cpus)
        actor: Any = ray.remote(FitWorker)
        options = {"num_cpus": cpus, "num_gpus": self._placement.gpus, "max_restarts": 0}
        self._worker = actor.options(**options).remote(self._run.name, cpus)
        try:
            self._wait_for_machine()
            self._start()
            try:
                changes = self._copy_until_end()
            except KeyboardInterrupt:
                self._stop()
                raise
            self._call(self._worker.close.remote())
        finally:
            with suppress(Exception):  # whatever it is, the actor is gone then
                ray.kill(self._worker)
        how = changes.ended.get("how")
        if how == "failed":
            raise EmojifyError(f"{self._host}: {changes.ended.get('why')}")
        if how == "stopped":
            raise KeyboardInterrupt
        if how != "finished":
            raise _WorkerLostError(f"the fit was killed on {self._host}")

    def _wait_for_machine(self) -> None:
        import ray

        self._control.report_phase("waiting for a free machine of the cluster")
        described = self._worker.describe.remote()
        while not ray.wait([described], timeout=POLL_INTERVAL_S)[0]:
            self._poll_control()
        self._host, version = self._call(described)
        check_version(self._host, version)

    def _start(self) -> None:
        self._control.report_phase(f"sending the data to {self._host}")
        paths = {path: f"{self._send(item)}/{item.name}" for path, item in self._inputs.items()}
        models = ""
        if self._config.added_data and not (self._run / LIVE_FIGURES).exists():
            with suppress(EmojifyError):  # no model can be opened, and the fit does not depend on it
                models = self._send(_live_model())
        self._control.report_phase(f"TensorFlow is starting on {self._host}")
        self._call(self._worker.start.remote(self._config, paths, self._mirror.files(), models))

    def _send(self, item: Input) -> str:
        """Bring an input to the machine unless it is there; return its folder there."""
        with packed(item) as (digest, archive):
            while (answer := self._call(self._worker.claim.remote(digest))) == "wait":
                self._poll_control()
                time.sleep(POLL_INTERVAL_S)
            if answer == "send":
                while chunk := archive.read(CHUNK_BYTES):
                    self._call(self._worker.receive.remote(chunk))
                    self._poll_control()
            return str(self._call(self._worker.unpack.remote(digest)))

    def _copy_until_end(self) -> Changes:
        while (changes := self._copy()).is_running:
            self._poll_control()
            time.sleep(POLL_INTERVAL_S)
        return changes

    def _copy(self) -> Changes:
        changes: Changes = self._call(self._worker.changes.remote(self._mirror.known))
        self._mirror.apply(changes)
        return changes

    def _stop(self) -> None:
        with suppress(_WorkerLostError):
            self._call(self._worker.stop.remote())
            deadline_s = time.monotonic() + STOP_TIMEOUT_S
            while self._copy().is_running and time.monotonic() < deadline_s:
                time.sleep(POLL_INTERVAL_S)
            self._call(self._worker.close.remote())

    def _poll_control(self) -> None:
        self._control.after_batch()

    def _call(self, reference: Any) -> Any:
        """Return an actor's answer.

        Raises:
            _WorkerLostError: if the actor is gone.
            EmojifyError: if it can't do what it was asked for.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            return ray.get(reference, timeout=CALL_TIMEOUT_S)
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, EmojifyError):
                raise EmojifyError(f"{self._host}: {cause}") from None
            if isinstance(cause, OSError):
                raise EmojifyError(f"{self._host} can't take the fit: {os_error_reason(cause)}.") from error
            raise
        except RayError as error:
            if "No module named" in str(error):
                raise EmojifyError(
                    "Emojify is not installed on a machine of the cluster, or not where its Ray runs. "
                    "See docs/cluster.md."
                ) from error
            raise _WorkerLostError(f"the machine {self._host or 'of the fit'} does not answer any more") from error
        except ConnectionError as error:
            raise EmojifyError("The connection to the cluster is lost. Resume when it is there again.") from error


def _live_model() -> Input:
    """Return the live model of this machine as a folder of models."""
    store = ModelStore(Settings.from_environment().models)
    folder = store.get(store.live_id).folder
    files = {f"{folder.name}/{path.name}": path for path in folder.iterdir() if path.is_file()}
    live = folder.parent / "live.json"
    return Input("models", files | ({live.name: live} if live.is_file() else {}))


def _epochs_done(run: Path) -> int:
    epoch = read_json_or_empty(run / "checkpoint.json").get("epoch", 0)
    return epoch if isinstance(epoch, int) else 0
