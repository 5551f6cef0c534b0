"""Put a run's best epoch live, and compare it with the live model.

The export runs in a process of its own, since the app's process never imports TensorFlow.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emojify import processes
from emojify.errors import EmojifyError
from emojify.models import Model, ModelStore
from emojify.os_errors import readable_os_errors
from emojify.public import admin_only
from emojify.runs.figures import LIVE_FIGURES, Judged, judge
from emojify.runs.reading import read_json_or_empty, read_tail
from emojify.runs.run import EXPORT_FOLDER, Run

NOT_COMPARABLE = "It was measured on other pictures than the live model: their figures can't be compared."


@dataclass(frozen=True)
class Export:
    """An export that is running or has failed.

    Attributes:
        model_id: the id of the model that it makes.
        running: True while its process runs.
        age_s: seconds since it started.
        step: the last step that it printed, while it runs.
        error: why there is no model; empty while it runs.
    """

    model_id: str
    running: bool
    age_s: float
    step: str = ""
    error: str = ""


@admin_only
def go_live(run: Run, name: str, models: ModelStore) -> str:
    """Put a run's best epoch live. Start an export in the background if there is no model of it yet.

    Args:
        run: the run.
        name: the name that the app shows for the model; empty for its id.
        models: the models.

    Returns:
        A sentence about what was done or started.

    Raises:
        EmojifyError: if the run has no weights, an export of it is running, or the export can't be started.
    """
    if not run.has_weights:
        raise EmojifyError(f"{run.id} has no whole epoch yet. Let it finish one first.")
    if any(model.id == run.model_id for model in models.models()):
        models.promote(run.model_id)
        return f"{run.model_id} is live."
    folder = run.folder / EXPORT_FOLDER
    if processes.is_running(folder):
        raise EmojifyError(f"A model of {run.id} is being made already. Wait until it is done.")
    shutil.rmtree(folder, ignore_errors=True)
    with readable_os_errors("The model can't be made"):
        folder.mkdir()
        title = name.strip() or run.model_id
        command = ["export", str(run.folder), "--id", run.model_id, f"--name={title}", "--promote"]
        processes.start(command, folder, interactive=True)
    return f"{run.model_id} is being made."


def export_status(run: Run, models: ModelStore) -> Export | None:
    """Return the last export of a run if it is running or failed; None if there was none or it succeeded."""
    folder = run.folder / EXPORT_FOLDER
    started_at = processes.started_at(folder)
    if started_at is None:
        return None
    model_id = _requested_id(folder) or run.model_id
    running = processes.is_running(folder)
    lines = [line for line in read_tail(folder / processes.LOG).splitlines() if line.strip()]
    age_s = time.time() - started_at
    if running:
        # The log also holds TensorFlow's own lines; those of the export command begin with these words.
        steps = [line for line in lines if line.startswith(("Loading", "Reading"))]
        return Export(model_id, True, age_s, steps[-1] if steps else "")
    errors = [line.removeprefix("emojify: ") for line in lines if line.startswith("emojify: ")]
    if errors:
        return Export(model_id, False, age_s, error=errors[-1])
    if any(model.id == model_id for model in models.models()):
        return None
    last_line = f" Its last line was: {lines[-1][:300]}" if lines else ""
    return Export(model_id, False, age_s, error=f"It stopped unexpectedly.{last_line}")


def compare_run(run: Run, live: Model) -> str:
    """Return a warning to show before a run replaces the live model; empty if it is at least as good on public."""
    figures = run.best.get("figures", {})
    on_same_pictures = read_json_or_empty(run.folder / LIVE_FIGURES)
    if on_same_pictures.get("model") == live.id and isinstance(on_same_pictures.get("figures"), dict):
        return _compare(figures, on_same_pictures["figures"], "public")
    if (run.data_name, figures.get("n")) != _measured_on(live, "public"):
        return NOT_COMPARABLE
    return _compare({"accuracy": run.best_accuracy, **figures}, _card_figures(live, "public"), "public")


def compare_models(model: Model, live: Model) -> str:
    """Return a warning to show before a model replaces the live one; empty if it is at least as good on private."""
    if _measured_on(model, "private") != _measured_on(live, "private"):
        return NOT_COMPARABLE
    return _compare(_card_figures(model, "private"), _card_figures(live, "private"), "private")


def judge_model(model: Model) -> Judged | None:
    """Return the figures on private of a model's card, or on public if there are none; None if it has neither."""
    return judge(_card_figures(model, "private")) or judge(_card_figures(model, "public"))


def _compare(ours: dict[str, Any], theirs: dict[str, Any], split: str) -> str:
    our_figures, their_figures = judge(ours), judge(theirs)
    if our_figures and their_figures and our_figures.by_people and their_figures.by_people:
        our_rate, their_rate = our_figures.accuracy, their_figures.accuracy
        pictures = f"{split} pictures on which people agree"
    else:
        try:
            our_rate, their_rate = float(ours["accuracy"]), float(theirs["accuracy"])
        except (KeyError, TypeError, ValueError):
            return NOT_COMPARABLE
        pictures = f"{split} pictures"
    if our_rate < their_rate:
        return f"It reads worse than the live model: {our_rate:.1%} of the {pictures}, against {their_rate:.1%}."
    return ""


def _card_figures(model: Model, split: str) -> dict[str, Any]:
    try:
        figures = model.card["figures"][split]
    except (KeyError, TypeError, EmojifyError):
        return {}
    return figures if isinstance(figures, dict) else {}


def _measured_on(model: Model, split: str) -> tuple[str, int | None]:
    """Return the data set's name and its number of pictures in ``split``, by the card."""
    try:
        return str(model.card["data"]["name"]), int(model.card["figures"][split]["n"])
    except (KeyError, TypeError, ValueError):
        return "", None


def _requested_id(folder: Path) -> str:
    arguments: Any = read_json_or_empty(folder / processes.PROCESS).get("arguments")
    if isinstance(arguments, list) and "--id" in arguments[:-1]:
        return str(arguments[arguments.index("--id") + 1])
    return ""
