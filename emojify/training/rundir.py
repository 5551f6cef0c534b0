"""The files of a run that describe the fit, apart from the weights.

config.json       the settings
environment.json  the machine and the versions
progress.jsonl    a line every few batches and one an epoch. An epoch's line has "epochs" and figures on public. A
                  batch's line counts epochs from 0 (the current one), an epoch's from 1 (finished ones). Lines before
                  the first batch have a "phase"
run.log           the same for people, with warnings and the reason of a crash
events.*          for TensorBoard
"""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tensorflow as tf
from tqdm import tqdm

from emojify.files import write_atomically
from emojify.printable import printable, unfiltered
from emojify.runs.control import PROGRESS
from emojify.runs.machine import cpu_info, cpu_name
from emojify.runs.run import RUN_LOG

LINES_AN_EPOCH = 50
SECONDS_BETWEEN_LINES = 0.5


class Journal:
    """Writes a run's progress to its files, to TensorBoard, and to the terminal if there is one. ::

        with Journal(run, epochs_done=0) as journal:
            journal.say("starting")

    Args:
        run: the run's folder.
        epochs_done: whole epochs; what a killed fit wrote about the next one is removed from ``progress.jsonl``.
    """

    def __init__(self, run: Path, epochs_done: int) -> None:
        self._run = run
        _remove_unfinished(run / PROGRESS, epochs_done)
        self._lines = (run / PROGRESS).open("a", encoding="utf-8")
        self._events = tf.summary.create_file_writer(str(run))
        self._log = logging.getLogger(f"emojify.run.{run.name}")
        self._log.setLevel(logging.INFO)
        self._log.propagate = False
        self._handlers: list[logging.Handler] = [logging.FileHandler(run / RUN_LOG, encoding="utf-8")]
        self._handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._handlers.append(logging.StreamHandler(sys.stdout))
        for handler in self._handlers:
            self._log.addHandler(handler)
        self._bar: tqdm | None = None  # of the epoch, in a terminal
        self._last_line_s = 0.0

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.say("stopped")
        elif error is not None:
            self._log.error("failed", exc_info=error)
        self._close_bar()
        self._lines.close()
        self._events.close()
        for handler in self._handlers:
            self._log.removeHandler(handler)
            handler.close()

    def say(self, sentence: str) -> None:
        """Log a line for people."""
        self._close_bar()
        self._log.info(printable(sentence))

    def batch(self, epoch: int, batch: int, batches: int, figures: dict[str, float]) -> None:
        """Record that ``batch`` of ``batches``, counted from 1, is done.

        Args:
            epoch: whole epochs before the current one.
            batch: the number of the batch.
            batches: how many an epoch has.
            figures: the epoch's mean loss and accuracy so far.
        """
        now_s = time.monotonic()
        every = max(1, batches // LINES_AN_EPOCH)
        if batch == 1 or (batch % every == 0 and now_s - self._last_line_s >= SECONDS_BETWEEN_LINES):
            self._last_line_s = now_s
            rounded = {key: round(float(value), 5) for key, value in figures.items()}
            self._write_line({"epoch": epoch, "batch": batch, "batches": batches, **rounded})
        if sys.stderr.isatty():
            if self._bar is None:
                self._bar = tqdm(desc=f"epoch {epoch + 1}", total=batches, leave=False, file=unfiltered(sys.stderr))
            self._bar.set_postfix({key: f"{value:.3f}" for key, value in figures.items()}, refresh=False)
            self._bar.update(batch - self._bar.n)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def epoch(self, done: int, epochs: int, figures: dict[str, float]) -> None:
        """Record that ``done`` of ``epochs`` are done."""
        self._write_line({"epoch": done, "epochs": epochs, **figures})
        # tf.summary.scalar needs TensorBoard to be installed, which only readers of the events need.
        summary = tf.compat.v1.Summary
        values = [summary.Value(tag=key.replace("val_", "public/"), simple_value=figures[key]) for key in figures]
        with self._events.as_default():
            tf.summary.experimental.write_raw_pb(summary(value=values).SerializeToString(), step=done)
        self._events.flush()
        shown = ", ".join(f"{key.replace('val_', 'public ')} {value:.4g}" for key, value in figures.items())
        self.say(f"epoch {done}/{epochs}: {shown}")

    def _write_line(self, content: dict[str, Any]) -> None:
        self._lines.write(json.dumps({"time": round(time.time(), 2), **content}) + "\n")
        self._lines.flush()


def environment(precision: str) -> dict[str, Any]:
    """Return what a fit runs on: enough to explain why two fits differ."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "gpus": [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in _gpus()],
        "precision": precision,
        "versions": {name: version(name) for name in ("tensorflow", "keras", "numpy")},
    }


def has_bfloat16() -> bool:
    """Return True if this machine multiplies bfloat16 in hardware. Without that it is slower than float32."""
    if _gpus():
        return True
    return bool({"avx512_bf16", "amx_bf16"} & set(cpu_info("flags").split()))


def _gpus() -> list[Any]:
    return list(tf.config.list_physical_devices("GPU"))


def _remove_unfinished(progress: Path, epochs_done: int) -> None:
    """Remove a killed fit's lines about an epoch that is now repeated, and its last line if it is incomplete."""
    if not progress.exists():
        return
    kept = []
    for line in progress.read_text(encoding="utf-8").splitlines():
        try:
            content = json.loads(line)
            last = epochs_done if "epochs" in content else epochs_done - 1
            if int(content["epoch"]) <= last:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # incomplete, from before the first batch, or not written by a fit
    write_atomically(progress, "".join(kept).encode())
