"""How far a fit has come: ``progress.jsonl``, read as it grows."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any

from emojify.files import parse_json
from emojify.runs.control import PROGRESS


@dataclass(frozen=True)
class Epoch:
    """What a whole epoch came to. Rates are 0 to 1; ``number`` counts from 1."""

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    val_macro_recall: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class Batch:
    """Where a fit is inside of an epoch; ``epoch`` are done, ``number`` of ``batches`` in the one under way."""

    epoch: int
    number: int
    batches: int
    loss: float
    accuracy: float
    time: float


@dataclass(frozen=True)
class Progress:
    """All that a run has said so far.

    Attributes:
        epochs: each once, in order; what was said again after a restart counts.
        batch: the newest batch, None before the first.
        epoch_started_at: when the epoch under way had its first batch.
        phase: what was done last before the first batch: ``(time, words)``.
        unreadable: lines that are no progress: torn by a kill, or edited by hand.
    """

    epochs: tuple[Epoch, ...] = ()
    batch: Batch | None = None
    epoch_started_at: float | None = None
    phase: tuple[float, str] | None = None
    unreadable: int = 0

    @property
    def best(self) -> Epoch | None:
        """The epoch with the highest accuracy on public."""
        return max(self.epochs, key=lambda epoch: epoch.val_accuracy, default=None)

    def remaining_s(self, epochs: int, now: float) -> float | None:
        """About how many seconds ``epochs`` in all still take, at the pace of late; None while nobody can tell."""
        recent = [epoch.seconds for epoch in self.epochs[-5:] if epoch.seconds > 0]
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
    """Remembers how far a file was read, so that only what is new is parsed."""

    inode: int = -1
    offset: int = 0
    progress: Progress = field(default_factory=Progress)

    def read(self, path: Path) -> Progress:
        status = path.stat()
        if status.st_ino != self.inode or status.st_size < self.offset:  # another file: a resumed fit cuts the old one
            self.inode, self.offset, self.progress = status.st_ino, 0, Progress()
        if status.st_size > self.offset:
            with path.open("rb") as file:
                file.seek(self.offset)
                content = file.read(status.st_size - self.offset)
            whole = content[: content.rfind(b"\n") + 1]  # the last line may still be being written
            self.offset += len(whole)
            self.progress = _extend(self.progress, whole.decode("utf-8", "replace").splitlines())
        return self.progress


_readers: dict[Path, _Reader] = {}
_lock = threading.Lock()
_MAX_READERS = 64


def read_progress(run: Path) -> Progress:
    """What ``run`` has said so far; nothing if it said nothing yet or can't be read."""
    path = run / PROGRESS
    with _lock:
        reader = _readers.pop(path, None) or _Reader()
        try:
            progress = reader.read(path)
        except OSError:
            return Progress()
        _readers[path] = reader  # the newest last
        while len(_readers) > _MAX_READERS:
            del _readers[next(iter(_readers))]
        return progress


def _extend(progress: Progress, lines: list[str]) -> Progress:
    epochs = {epoch.number: epoch for epoch in progress.epochs}
    batch, began, phase = progress.batch, progress.epoch_started_at, progress.phase
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
                began = batch.time if batch.number == 1 else began
        except (ValueError, KeyError, TypeError, OverflowError):
            unreadable += 1
    ordered = tuple(epochs[number] for number in sorted(epochs))
    return Progress(ordered, batch, began, phase, unreadable)


def _epoch(content: dict[str, Any]) -> Epoch:
    # What a run of an older version did not say yet is taken as 0.
    rest = ("loss", "accuracy", "val_loss", "val_accuracy", "val_macro_recall", "learning_rate", "seconds")
    figures = {name: float(content.get(name, 0.0)) for name in rest}
    if not all(map(isfinite, figures.values())):  # a fit that blows up ends before it says so
        raise ValueError("no figures")
    return Epoch(int(content["epoch"]), **figures)


def _batch(content: dict[str, Any]) -> Batch:
    epoch, number, batches = (int(content[key]) for key in ("epoch", "batch", "batches"))
    loss, accuracy, time = (float(content.get(key, 0.0)) for key in ("loss", "accuracy", "time"))
    if not 0 < number <= batches or not isfinite(time):
        raise ValueError("no such batch")
    return Batch(epoch, number, batches, loss, accuracy, time)
