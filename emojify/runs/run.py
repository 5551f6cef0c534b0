"""One run's folder, looked at from outside: which state it is in, why, and what can be done next."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Any

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import parse_json
from emojify.runs.config import FitConfig
from emojify.runs.control import ENDED, FULL_BYTES, STOP_REQUESTED
from emojify.runs.progress import read_progress

QUEUED = "queued.json"
EXPORT_FOLDER = "export"  # folder inside the run's, where the process that makes a model of it is recorded
TAIL_BYTES = 12_000


class State(Enum):
    """What a run is doing. The value is the word that people see."""

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
    """What is known of a run without reading all that it said.

    Attributes:
        state: see :class:`State`.
        reason: why it is in that state, in a sentence; empty if that goes without saying.
        next_step: what to do now, in a sentence; empty if nothing needs to be done.
        config: None for a broken run.
        epochs_done, best_epoch: whole epochs; 0 before the first.
        best_accuracy: on public, 0 to 1, at the best epoch; None before the first.
        best_recall: macro recall there; None if the run did not say.
        data_name: what the data set calls itself; empty while not known.
        can_resume: whether it can go on.
        has_weights: whether a model can be made of it.
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
        """What a model made of this run's best epoch is called; the same run and epoch always give the same id."""
        return f"{_model_prefix(self.id)}-e{self.best_epoch}"

    def is_source_of(self, model_id: str) -> bool:
        """Whether a model with this id was made of this run, of whichever epoch."""
        return re.fullmatch(re.escape(_model_prefix(self.id)) + r"-e\d+", model_id) is not None

    @property
    def best(self) -> dict[str, Any]:
        """``best.json``: epoch, figures and most wrong faces at the best epoch; empty if there are none.

        Figures that make no sense, because somebody edited them, are left out.
        """
        content = read_json_or_empty(self.folder / "best.json")
        figures = content.get("figures")
        return content | {"figures": _sensible(figures)} if isinstance(figures, dict) else {}

    def log_tail(self) -> str:
        """The end of what its processes printed, for people; of ``run.log`` if a terminal got that instead."""
        for name in (processes.LOG, "run.log"):
            text = read_tail(self.folder / name)
            if text.strip():
                return text
        return ""


@dataclass(frozen=True)
class _Record:
    """What a run's small files say."""

    config: FitConfig | None
    problem: str
    checkpoint: dict[str, Any]
    checkpoint_whole: bool
    result: dict[str, Any]
    ended: dict[str, Any]
    best: dict[str, Any]
    data_name: str


_records: dict[Path, tuple[tuple[int, ...], _Record]] = {}
_lock = threading.Lock()
_FILES = ("config.json", "checkpoint.json", "result.json", ENDED, "best.json", "environment.json")


def read_run(folder: Path, *, disk_free_bytes: int) -> Run:
    """The run in ``folder``, as it stands at this moment. Never raises: what is broken is said to be."""
    # Asked first: a process that ends in between has left its last word by the time the files are read.
    running = processes.is_running(folder)
    record = _record(folder)
    if record.config is None:
        return Run(
            folder,
            State.BROKEN,
            record.problem,
            "Put config.json right by hand, or delete this folder.",
        )
    state, reason, next_step = _state(folder, record, running, disk_free_bytes)
    weights = (folder / "best.weights.h5").is_file()
    epochs_done = int(record.checkpoint.get("epoch", 0))
    best_epoch = int(record.checkpoint.get("best_epoch", 0))
    accuracy = record.checkpoint.get("best_public_accuracy") if best_epoch else None
    recall = record.best.get("figures", {}).get("macro_recall") if record.best.get("epoch") == best_epoch else None
    busy_or_done = state.has_process or state in (State.QUEUED, State.FINISHED)
    damaged = (folder / "checkpoint.json").exists() and not record.checkpoint_whole
    return Run(
        folder,
        state,
        reason,
        next_step,
        record.config,
        epochs_done,
        best_epoch,
        float(accuracy) if accuracy is not None else None,
        float(recall) if isinstance(recall, (int, float)) else None,
        record.data_name,
        can_resume=not busy_or_done and not damaged,
        has_weights=weights and best_epoch > 0,
    )


def _state(folder: Path, record: _Record, running: bool, disk_free_bytes: int) -> tuple[State, str, str]:
    epoch = int(record.checkpoint.get("epoch", 0))
    go_on = f"Resume goes on after epoch {epoch}." if epoch else "No epoch was whole yet: resume begins again."
    if running and not record.ended:
        if (folder / STOP_REQUESTED).exists():
            return State.STOPPING, "It finishes the batch, then ends.", ""
        progress, born = read_progress(folder), processes.started_at(folder) or 0.0
        if progress.batch is not None and progress.batch.time >= born:
            return State.RUNNING, "", ""
        doing = f": {progress.phase[1]}" if progress.phase and progress.phase[0] >= born else ""
        return State.STARTING, f"TensorFlow takes 10 to 20 seconds to start, longer beside live video{doing}.", ""
    if (folder / QUEUED).exists():
        return State.QUEUED, "One fit at a time: it begins when those before it are done.", ""
    if (folder / "checkpoint.json").exists() and not record.checkpoint_whole:
        return (
            State.FAILED,
            "Its checkpoint is damaged or gone, so there is nothing to go on from.",
            "Start a new fit with the same settings, then delete this one.",
        )
    if record.result and record.ended.get("how") != "failed":
        return State.FINISHED, "", ""
    how = record.ended.get("how")
    if how == "stopped" or (not how and (folder / STOP_REQUESTED).exists()):
        return State.STOPPED, "It was stopped.", go_on
    if how == "failed":
        return State.FAILED, str(record.ended.get("why") or "It does not say why."), go_on
    if disk_free_bytes < FULL_BYTES:
        return State.KILLED, "The disk is full, so it could not even say why it ended.", f"Make room. {go_on}"
    if processes.started_at(folder) is None:
        return State.STOPPED, "Nobody works on it.", go_on
    return (
        State.KILLED,
        "Its process is gone: it was killed, the memory ran out, or the machine was switched off.",
        f"{go_on} If it happens again, choose a smaller batch.",
    )


def _record(folder: Path) -> _Record:
    stamp = _stamp(folder)
    with _lock:
        cached = _records.get(folder)
    if cached is not None and cached[0] == stamp:
        return cached[1]
    config, problem = _config(folder)
    checkpoint = read_json_or_empty(folder / "checkpoint.json")
    numbers = [checkpoint.get(key) for key in ("epoch", "best_epoch", "best_public_accuracy")]
    whole = all(isinstance(number, (int, float)) and 0 <= number < 1e9 for number in numbers)
    whole = whole and isinstance(checkpoint.get("weights"), str) and _is_file(folder / checkpoint["weights"])
    best = read_json_or_empty(folder / "best.json")
    small = {"epoch": best.get("epoch"), "figures": best["figures"] if isinstance(best.get("figures"), dict) else {}}
    pictures = read_json_or_empty(folder / "environment.json").get("pictures")
    name = pictures.get("data", "") if isinstance(pictures, dict) else ""
    record = _Record(
        config,
        problem,
        checkpoint if whole else {},
        whole,
        read_json_or_empty(folder / "result.json"),
        read_json_or_empty(folder / ENDED),
        small,
        str(name),
    )
    with _lock:
        _records[folder] = (stamp, record)
    return record


def _config(folder: Path) -> tuple[FitConfig | None, str]:
    if not (folder / "config.json").exists():
        return None, "It holds no config.json: half written, or no run at all."
    try:
        return FitConfig.read(folder), ""
    except EmojifyError as error:
        return None, str(error)


def _stamp(folder: Path) -> tuple[int, ...]:
    stamp = []
    for name in _FILES:
        try:
            status = (folder / name).stat()
            stamp += [status.st_mtime_ns, status.st_size, status.st_ino]
        except OSError:
            stamp += [0, 0, 0]
    # Weights come and go by rename, which touches the folder.
    try:
        stamp.append(folder.stat().st_mtime_ns)
    except OSError:
        stamp.append(0)
    return tuple(stamp)


def read_json_or_empty(path: Path) -> dict[str, Any]:
    """A file's table; empty if it is not there or holds none."""
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_tail(path: Path, max_bytes: int = TAIL_BYTES) -> str:
    """The last whole lines of a text file; empty if it can't be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - max_bytes))
            content = file.read(max_bytes)
    except OSError:
        return ""
    text = content.decode("utf-8", "replace")
    return text if size <= max_bytes else text.partition("\n")[2]


def _sensible(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures as :mod:`emojify.training.evaluate` writes them, without those that are none."""
    kept = dict(figures)
    if not _is_number(figures.get("n")):
        kept["n"] = 0
    for name in ("recall", "precision"):
        rates = figures.get(name)
        kept[name] = {key: rate for key, rate in rates.items() if _is_number(rate)} if isinstance(rates, dict) else {}
    rows = figures.get("confusion")
    square = isinstance(rows, list) and all(isinstance(row, list) and len(row) == len(rows) for row in rows)
    if not square or not all(_is_number(count) for row in figures["confusion"] for count in row):
        kept["confusion"] = []
    return kept


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name so long that it is none
        return False


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and isfinite(value)


def _model_prefix(run_id: str) -> str:
    name = re.sub(r"[^a-z0-9.-]+", "-", run_id.lower()).strip("-.")[:50]
    return name or "run"
