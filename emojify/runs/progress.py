"""How far a fit has come: ``progress.jsonl``, read while it grows."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any

from emojify.files import parse_json
from emojify.runs.control import PROGRESS

_EPOCHS_FOR_PACE = 5  # the remaining time follows the pace of the last few epochs


@dataclass(frozen=True)
class Epoch:
    """Figures of a finished epoch. Rates are from 0 to 1; ``number`` counts from 1.

    ``val_score`` is the figure by which the run chooses its best epoch, see ``choose_by`` of its settings.
    """

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    val_macro_recall: float
    learning_rate: float
    seconds: float
    val_score: float = 0.0


@dataclass(frozen=True)
class Batch:
    """Figures of a batch.

    Attributes:
        epoch: number of finished epochs, so 0 during the first one.
        number: position in the current epoch, from 1 to ``batches``.
        batches: batches in an epoch.
        loss, accuracy: running means over the current epoch.
        time: when the batch ended, in seconds since 1970.
    """

    epoch: int
    number: int
    batches: int
    loss: float
    accuracy: float
    time: float


@dataclass(frozen=True)
class Progress:
    """Everything that a run has reported so far.

    Attributes:
        epochs: the finished epochs, each once, in order. An epoch that was repeated after a restart replaces the
            former one.
        batch: the newest batch, or None before the first.
        epoch_started_at: time of the current epoch's first batch, in seconds since 1970; None before it.
        phase: the last step before the first batch, as ``(time, description)``, or None.
        unreadable: number of lines that could not be parsed, because a kill cut them off or the file was edited.
    """

    epochs: tuple[Epoch, ...] = ()
    batch: Batch | None = None
    epoch_started_at: float | None = None
    phase: tuple[float, str] | None = None
    unreadable: int = 0

    @property
    def best(self) -> Epoch | None:
        """The epoch with the highest accuracy on public, or None before the first."""
        return max(self.epochs, key=lambda epoch: epoch.val_accuracy, default=None)

    def remaining_s(self, epochs: int, now: float) -> float | None:
        """Estimate the seconds until ``epochs`` epochs are finished; None while there is nothing to estimate from.

        Args:
            epochs: the number of epochs that the fit has in all.
            now: seconds since 1970.
        """
        recent = [epoch.seconds for epoch in self.epochs[-_EPOCHS_FOR_PACE:] if epoch.seconds > 0]
        epoch_s, elapsed_s = (median(recent) if recent else None), 0.0
        batch = self.batch
        if batch is not None and self.epoch_started_at is not None and batch.epoch >= len(self.epochs):
            elapsed_s = now - self.epoch_started_at
            if epoch_s is None and batch.number > 1:
                epoch_s = (batch.time - self.epoch_started_at) / (batch.number - 1) * batch.batches
        if epoch_s is None:
            return None
        return max((epochs - len(self.epochs)) * epoch_s - min(elapsed_s, epoch_s), 0.0)


@dataclass
class _Reader:
    """Reads a growing file. Remembers the position in the file, so that only new lines are parsed."""

    inode: int = -1
    offset: int = 0
    progress: Progress = field(default_factory=Progress)

    def read(self, path: Path) -> Progress:
        status = path.stat()
        # A resumed fit replaces the file by a shorter one.
        if status.st_ino != self.inode or status.st_size < self.offset:
            self.inode, self.offset, self.progress = status.st_ino, 0, Progress()
        if status.st_size > self.offset:
            with path.open("rb") as file:
                file.seek(self.offset)
                content = file.read(status.st_size - self.offset)
            whole = content[: content.rfind(b"\n") + 1]  # the last line may be incomplete
            self.offset += len(whole)
            self.progress = _extend(self.progress, whole.decode("utf-8", "replace").splitlines())
        return self.progress


_readers: dict[Path, _Reader] = {}
_lock = threading.Lock()
_MAX_READERS = 64


def read_progress(run: Path) -> Progress:
    """Return the progress of the run in folder ``run``; an empty one if there is none or it can't be read.

    Only what was added since the last call is parsed. May be called from any thread.
    """
    path = run / PROGRESS
    with _lock:
        reader = _readers.pop(path, None) or _Reader()
        try:
            progress = reader.read(path)
        except OSError:
            return Progress()
        _readers[path] = reader  # the most recently used is last
        while len(_readers) > _MAX_READERS:
            del _readers[next(iter(_readers))]
        return progress


def _extend(progress: Progress, lines: list[str]) -> Progress:
    epochs = {epoch.number: epoch for epoch in progress.epochs}
    batch, epoch_started_at, phase = progress.batch, progress.epoch_started_at, progress.phase
    unreadable = progress.unreadable
    for line in lines:
        try:
            content = parse_json(line)
            if "phase" in content:
                phase = (float(content["time"]), str(content["phase"]))
            elif "epochs" in content:
                epoch = _epoch(content)
                epochs[epoch.number] = epoch
            else:
                batch = _batch(content)
                epoch_started_at = batch.time if batch.number == 1 else epoch_started_at
        except (ValueError, KeyError, TypeError, OverflowError):
            unreadable += 1
    ordered = tuple(epochs[number] for number in sorted(epochs))
    return Progress(ordered, batch, epoch_started_at, phase, unreadable)


def _epoch(content: dict[str, Any]) -> Epoch:
    # Runs of older versions lack some of the figures; 0 stands for those.
    names = (
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "val_macro_recall",
        "learning_rate",
        "seconds",
        "val_score",
    )
    figures = {name: float(content.get(name, 0.0)) for name in names}
    if not all(map(isfinite, figures.values())):  # a fit that diverges ends before it writes such a line
        raise ValueError("a figure is infinite or not a number")
    return Epoch(int(content["epoch"]), **figures)


def _batch(content: dict[str, Any]) -> Batch:
    epoch, number, batches = (int(content[key]) for key in ("epoch", "batch", "batches"))
    loss, accuracy, time = (float(content.get(key, 0.0)) for key in ("loss", "accuracy", "time"))
    if not 0 < number <= batches or not isfinite(time):
        raise ValueError("the batch's number or time is out of range")
    return Batch(epoch, number, batches, loss, accuracy, time)
