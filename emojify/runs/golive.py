"""From a run to the live model: exported by a process of its own, then put live; and how two of them compare."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emojify import processes
from emojify.errors import EmojifyError
from emojify.models import Model, ModelStore
from emojify.public import admin_only
from emojify.runs.reading import read_json_or_empty, read_tail
from emojify.runs.run import EXPORT_FOLDER, Run


@dataclass(frozen=True)
class Export:
    """A model being made of a run, or how that ended.

    Attributes:
        model_id: what it will be called.
        running: whether it is still being made.
        age_s: since it began.
        doing: what it said last, while it runs.
        error: why there is no model; empty if there is one or will be.
    """

    model_id: str
    running: bool
    age_s: float
    doing: str = ""
    error: str = ""


@admin_only
def go_live(run: Run, name: str, models: ModelStore) -> str:
    """Put a run's best epoch live. Returns a sentence about it; a model that has yet to be made takes a while.

    Raises:
        EmojifyError: if the run has no weights, or one of the steps fails at once.
    """
    if not run.has_weights:
        raise EmojifyError(f"{run.id} has no whole epoch yet. Let it finish one first.")
    if any(model.id == run.model_id for model in models.models()):
        models.promote(run.model_id)
        return f"{run.model_id} is live."
    place = run.folder / EXPORT_FOLDER
    if processes.is_running(place):
        raise EmojifyError(f"A model of {run.id} is being made already.")
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir()
        title = name.strip() or run.model_id
        command = ["export", str(run.folder), "--id", run.model_id, f"--name={title}", "--promote"]
        processes.start(command, place, interactive=True)
    except OSError as error:
        raise EmojifyError(f"The model can't be made: {error.strerror or error}.") from error
    return f"{run.model_id} is being made."


def export_status(run: Run, models: ModelStore) -> Export | None:
    """How the last export of a run stands; None if there never was one, or it went well."""
    place = run.folder / EXPORT_FOLDER
    born = processes.started_at(place)
    if born is None:
        return None
    model_id = _asked_id(place) or run.model_id
    running = processes.is_running(place)
    said = [line for line in read_tail(place / processes.LOG).splitlines() if line.strip()]
    if running:
        # TensorFlow's own lines begin with a letter and a date, or tell what they are about.
        steps = [line for line in said if line.startswith(("Loading", "Reading"))]
        return Export(model_id, True, time.time() - born, steps[-1] if steps else "")
    sentences = [line.removeprefix("emojify: ") for line in said if line.startswith("emojify: ")]
    if sentences:
        return Export(model_id, False, time.time() - born, error=sentences[-1])
    if any(model.id == model_id for model in models.models()):
        return None
    why = f" It said last: {said[-1][:300]}" if said else ""
    return Export(model_id, False, time.time() - born, error=f"It stopped unexpectedly.{why}")


def compare_run(run: Run, live: Model) -> str:
    """What a person should know before this run replaces the live model; empty if there is nothing to say."""
    theirs, ours = live.accuracy("public"), run.best_accuracy
    n = run.best.get("figures", {}).get("n")
    if theirs is None or ours is None or (run.data_name, n) != _measured_on(live, "public"):
        return "It was measured on other pictures than the live model: their figures can't be compared."
    if ours < theirs:
        return f"It reads worse than the live model: {ours:.1%} of the public pictures, against {theirs:.1%}."
    return ""


def compare_models(model: Model, live: Model) -> str:
    """The same for two models, on the private pictures."""
    ours, theirs = model.accuracy("private"), live.accuracy("private")
    if ours is None or theirs is None or _measured_on(model, "private") != _measured_on(live, "private"):
        return "It was measured on other pictures than the live model: their figures can't be compared."
    if ours < theirs:
        return f"It reads worse than the live model: {ours:.1%} of the private pictures, against {theirs:.1%}."
    return ""


def _measured_on(model: Model, split: str) -> tuple[str, int | None]:
    """The data set's name and how many of its pictures, as the card has it."""
    try:
        return str(model.card["data"]["name"]), int(model.card["figures"][split]["n"])
    except (KeyError, TypeError, ValueError):
        return "", None


def _asked_id(place: Path) -> str:
    arguments: Any = read_json_or_empty(place / processes.PROCESS).get("arguments")
    if isinstance(arguments, list) and "--id" in arguments[:-1]:
        return str(arguments[arguments.index("--id") + 1])
    return ""
