"""What the views share: where things lie, and what a button does."""

from __future__ import annotations

from emojify.models import ModelStore
from emojify.runs.datasets import DatasetStore
from emojify.runs.run import Run, State
from emojify.runs.store import RunStore
from emojify.settings import Settings

COLORS = {
    State.QUEUED: "gray",
    State.STARTING: "blue",
    State.RUNNING: "blue",
    State.STOPPING: "orange",
    State.FINISHED: "green",
    State.STOPPED: "gray",
    State.FAILED: "red",
    State.KILLED: "red",
    State.BROKEN: "red",
}


def run_store() -> RunStore:
    return RunStore(Settings.from_environment().runs)


def data_store() -> DatasetStore:
    return DatasetStore(Settings.from_environment().data)


def model_store() -> ModelStore:
    return ModelStore(Settings.from_environment().models)


def described(run: Run) -> str:
    """A run in a line of plain text."""
    if run.config is None or run.state.has_process:  # how far it is shows below, and changes
        return f"{run.id} · {run.state.value}"
    accuracy = f" · {run.best_accuracy:.1%}" if run.best_accuracy is not None else ""
    return f"{run.id} · {run.state.value} · {run.epochs_done} of {run.config.epochs} epochs{accuracy}"
