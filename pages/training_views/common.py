"""What the views of the training page share: the stores, and the colors of the states."""

from __future__ import annotations

from emojify.models import ModelStore
from emojify.runs.datasets import DatasetStore
from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.settings import Settings

STATE_COLORS = {
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
