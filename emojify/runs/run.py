"""One run's folder as other processes see it: its state, the reason for it, and what can be done next."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Any

from emojify import processes
from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.runs.control import ENDED, FULL_BYTES, STOP_REQUESTED
from emojify.runs.placement import read_placement
from emojify.runs.progress import read_progress
from emojify.runs.reading import read_json_or_empty, read_tail

QUEUED = "queued.json"
RUN_LOG = "run.log"
EXPORT_FOLDER = "export"  # in the run's folder; holds the record of the process that exports a model of the run


class State(Enum):
    """What a run is doing. The values are what users see; they are not written to disk."""

    QUEUED = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    KILLED = "stopped unexpectedly"
    BROKEN = "unreadable"

    @property
    def has_process(self) -> bool:
        return self in (State.STARTING, State.RUNNING, State.STOPPING)


@dataclass(frozen=True)
class Run:
    """What a run's small files say; its progress is read separately, see :func:`~emojify.runs.progress.read_progress`.

    Attributes:
        state: see :class:`State`.
        reason: why the run is in that state, in a sentence; empty where the state says it all.
        next_step: what the user can do now, in a sentence; empty if nothing needs to be done.
        config: None for a broken run.
        epochs_done, best_epoch: numbers of finished epochs; 0 before the first.
        best_accuracy: accuracy on public at the best epoch, 0 to 1; None before the first.
        best_recall: macro recall at the best epoch, 0 to 1; None if it is not known.
        data_name: the data set's own name; empty while it is not known.
        can_resume: whether the run can be resumed.
        has_weights: whether a model can be exported from the run.
    """

    folder: Path
    state: State
    reason: str = ""
    next_step: str = ""
    config: FitConfig | None = None
    epochs_done: int = 0
    best_epoch: int = 0
    best_accuracy: float | None = None
    best_recall: float | None = None
    data_name: str = ""
    can_resume: bool = False
    has_weights: bool = False

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def model_id(self) -> str:
        """The id of a model exported from this run's best epoch. The same run and epoch always give the same id."""
        return f"{_model_prefix(self.id)}-e{self.best_epoch}"

    def is_source_of(self, model_id: str) -> bool:
        """Return True if the model with this id was exported from this run, at any epoch."""
        return re.fullmatch(re.escape(_model_prefix(self.id)) + r"-e\d+", model_id) is not None

    @property
    def best(self) -> dict[str, Any]:
        """``best.json``: epoch, figures and the most confident mistakes at the best epoch; empty if there is none.

        Values that are not valid, because the file was edited, are left out.
        """
        content = read_json_or_empty(self.folder / "best.json")
        figures = content.get("figures")
        return content | {"figures": _valid_figures(figures)} if isinstance(figures, dict) else {}

    def log_tail(self) -> str:
        """Return the end of what the run's processes printed; of ``run.log`` if they printed to a terminal."""
        for name in (processes.LOG, RUN_LOG):
            text = read_tail(self.folder / name)
            if text.strip():
                return text
        return ""


@dataclass(frozen=True)
class _Files:
    """The content of a run's small files.

    Attributes:
        config: None if it can't be read; ``config_error`` then says why.
        checkpoint: empty if there is none or it is damaged.
        checkpoint_damaged: whether there is one that can't be used.
        result, ended: ``result.json`` and ``ended.json``; empty if there is none.
        best: epoch and figures from ``best.json``.
        data_name: the data set's own name.
    """

    config: FitConfig | None
    config_error: str
    checkpoint: dict[str, Any]
    checkpoint_damaged: bool
    result: dict[str, Any]
    ended: dict[str, Any]
    best: dict[str, Any]
    data_name: str


_Fingerprint = tuple[int, ...]
_cache: dict[Path, tuple[_Fingerprint, _Files]] = {}
_lock = threading.Lock()
_NAMES = ("config.json", "checkpoint.json", "result.json", ENDED, "best.json", "environment.json")


def read_run(folder: Path, *, disk_free_bytes: int) -> Run:
    """Return the run in ``folder`` as it is now. Never raises: a broken folder gives a run in the state BROKEN.

    Args:
        folder: the run's folder.
        disk_free_bytes: free space on its disk; a full disk explains a process that left no reason.
    """
    # Ask for the process first: one that ends meanwhile has written ended.json by the time the files are read.
    running = processes.is_running(folder)
    files = _read_files(folder)
    if files.config is None:
        return Run(folder, State.BROKEN, files.config_error, "Correct config.json by hand, or delete this folder.")
    status = _active_status(folder) if running and not files.ended else _idle_status(folder, files, disk_free_bytes)
    best_epoch = int(files.checkpoint.get("best_epoch", 0))
    accuracy = files.checkpoint.get("best_public_accuracy") if best_epoch else None
    recall = files.best["figures"].get("macro_recall") if files.best["epoch"] == best_epoch else None
    active_or_done = status.state.has_process or status.state in (State.QUEUED, State.FINISHED)
    return Run(
        folder,
        status.state,
        status.reason,
        status.next_step,
        files.config,
        epochs_done=int(files.checkpoint.get("epoch", 0)),
        best_epoch=best_epoch,
        best_accuracy=float(accuracy) if accuracy is not None else None,
        best_recall=float(recall) if isinstance(recall, (int, float)) else None,
        data_name=files.data_name,
        can_resume=not active_or_done and not files.checkpoint_damaged,
        has_weights=(folder / "best.weights.h5").is_file() and best_epoch > 0,
    )


@dataclass(frozen=True)
class _Status:
    """A state with its reason and next step, as :class:`Run` has them."""

    state: State
    reason: str = ""
    next_step: str = ""


def _active_status(folder: Path) -> _Status:
    """Return the status of a run whose process works."""
    if (folder / STOP_REQUESTED).exists():
        return _Status(State.STOPPING, "It finishes the current batch, then stops.")
    progress, started_at = read_progress(folder), processes.started_at(folder) or 0.0
    if progress.batch is not None and progress.batch.time >= started_at:
        return _Status(State.RUNNING)
    phase = f": {progress.phase[1]}" if progress.phase and progress.phase[0] >= started_at else ""
    waited = f", {time.time() - started_at:.0f} s so far" if started_at else ""
    if placement := read_placement(folder):
        return _Status(State.STARTING, f"On the cluster at {placement.address}{waited}{phase}.")
    return _Status(State.STARTING, f"TensorFlow is starting{waited}{phase}. A busy machine needs a minute or more.")


def _idle_status(folder: Path, files: _Files, disk_free_bytes: int) -> _Status:
    """Return the status of a run that has no process, or whose process is about to end."""
    if (folder / QUEUED).exists():
        return _Status(State.QUEUED, "One fit at a time: it begins when those before it are done.")
    if files.checkpoint_damaged:
        return _Status(
            State.FAILED,
            "Its checkpoint is damaged or gone, so it can't be resumed.",
            "Start a new fit with the same settings, then delete this one.",
        )
    how, why = files.ended.get("how"), files.ended.get("why")
    if files.result and how != "failed":
        return _Status(State.FINISHED)
    resume = "No epoch is finished: resume starts from the beginning."
    if epoch := int(files.checkpoint.get("epoch", 0)):
        resume = f"Resume goes on after epoch {epoch}."
    if how == "stopped" or (not how and (folder / STOP_REQUESTED).exists()):
        return _Status(State.STOPPED, "It was stopped.", resume)
    if how == "failed":
        return _Status(State.FAILED, str(why or "It gave no reason."), resume)
    if disk_free_bytes < FULL_BYTES:
        reason = "The disk is full, so it could not write down why it ended."
        return _Status(State.KILLED, reason, f"Make room. {resume}")
    if processes.started_at(folder) is None:
        return _Status(State.STOPPED, "No process works on it.", resume)
    return _Status(
        State.KILLED,
        "Its process is gone: it was killed, the memory ran out, or the machine was switched off.",
        f"{resume} If it happens again, choose a smaller batch.",
    )


def _read_files(folder: Path) -> _Files:
    """Return the content of a run's small files; only what changed since the last call is read from disk."""
    fingerprint = _fingerprint(folder)
    with _lock:
        cached = _cache.get(folder)
    if cached is not None and cached[0] == fingerprint:
        return cached[1]
    config, config_error = _read_config(folder)
    checkpoint = read_json_or_empty(folder / "checkpoint.json")
    intact = _is_intact(checkpoint, folder)
    best = read_json_or_empty(folder / "best.json")
    figures = best.get("figures")
    pictures = read_json_or_empty(folder / "environment.json").get("pictures")
    files = _Files(
        config,
        config_error,
        checkpoint if intact else {},
        not intact and (folder / "checkpoint.json").exists(),
        read_json_or_empty(folder / "result.json"),
        read_json_or_empty(folder / ENDED),
        {"epoch": best.get("epoch"), "figures": figures if isinstance(figures, dict) else {}},
        str(pictures.get("data", "")) if isinstance(pictures, dict) else "",
    )
    with _lock:
        _cache[folder] = (fingerprint, files)
    return files


def _read_config(folder: Path) -> tuple[FitConfig | None, str]:
    if not (folder / "config.json").exists():
        return None, "The folder has no config.json: the run is half written, or the folder is not a run."
    try:
        return FitConfig.read(folder), ""
    except EmojifyError as error:
        return None, str(error)


def _is_intact(checkpoint: dict[str, Any], folder: Path) -> bool:
    numbers = [checkpoint.get(key) for key in ("epoch", "best_epoch", "best_public_accuracy")]
    if not all(isinstance(number, (int, float)) and 0 <= number < 1e9 for number in numbers):
        return False
    weights = checkpoint.get("weights")
    return isinstance(weights, str) and _is_file(folder / weights)


def _fingerprint(folder: Path) -> _Fingerprint:
    """Return numbers that change when one of the small files changes, or a file is added, renamed or removed."""
    numbers: list[int] = []
    for name in _NAMES:
        try:
            status = (folder / name).stat()
            numbers += [status.st_mtime_ns, status.st_size, status.st_ino]
        except OSError:
            numbers += [0, 0, 0]
    try:
        numbers.append(folder.stat().st_mtime_ns)
    except OSError:
        numbers.append(0)
    return tuple(numbers)


def _valid_figures(figures: dict[str, Any]) -> dict[str, Any]:
    """Return figures as :mod:`emojify.training.figures` defines them, without the values that are not numbers."""
    valid = dict(figures)
    if not _is_number(figures.get("n")):
        valid["n"] = 0
    for name in ("recall", "precision"):
        rates = figures.get(name)
        valid[name] = {key: rate for key, rate in rates.items() if _is_number(rate)} if isinstance(rates, dict) else {}
    rows = figures.get("confusion")
    square = isinstance(rows, list) and all(isinstance(row, list) and len(row) == len(rows) for row in rows)
    if not square or not all(_is_number(count) for row in figures["confusion"] for count in row):
        valid["confusion"] = []
    return valid


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long for a file name
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and isfinite(value)


def _model_prefix(run_id: str) -> str:
    name = re.sub(r"[^a-z0-9.-]+", "-", run_id.lower()).strip("-.")[:50]
    return name or "run"
