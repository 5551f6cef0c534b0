"""A run's folder: what it tells about the fit, apart from the weights.

config.json       what was asked for
environment.json  what it ran on
progress.jsonl    a line every few batches and one an epoch; an epoch's has "epochs" and public figures. A batch's
                  line counts epochs from 0 (the one under way), an epoch's from 1 (those done). Before the first
                  batch, lines with a "phase"
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

from emojify.files import write_atomically
from emojify.runs.machine import cpu_info, cpu_name

LINES_AN_EPOCH = 50
SECONDS_BETWEEN_LINES = 0.5
_BAR_WIDTH = 30


class Journal:
    """Writes a run's progress to everyone who watches: files, TensorBoard, and the terminal if there is one.

    Use it in a ``with``.
    """

    def __init__(self, run: Path, epochs_done: int) -> None:
        self._run = run
        _forget_unfinished(run / "progress.jsonl", epochs_done)
        self._lines = (run / "progress.jsonl").open("a", encoding="utf-8")
        self._events = tf.summary.create_file_writer(str(run))
        self._log = logging.getLogger(f"emojify.run.{run.name}")
        self._log.setLevel(logging.INFO)
        self._log.propagate = False
        self._handlers: list[logging.Handler] = [logging.FileHandler(run / "run.log", encoding="utf-8")]
        self._handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self._handlers.append(logging.StreamHandler(sys.stdout))
        for handler in self._handlers:
            self._log.addHandler(handler)
        self._bar = sys.stderr.isatty()
        self._last_line_s = 0.0

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.say("stopped")
        elif error is not None:
            self._log.error("failed", exc_info=error)
        self._lines.close()
        self._events.close()
        for handler in self._handlers:
            self._log.removeHandler(handler)
            handler.close()

    def say(self, sentence: str) -> None:
        """A line for people."""
        self._clear_bar()
        self._log.info(sentence)

    def batch(self, epoch: int, batch: int, batches: int, figures: dict[str, float]) -> None:
        """``batch`` of ``batches`` is done, in the epoch after ``epoch`` whole ones."""
        now_s = time.monotonic()
        every = max(1, batches // LINES_AN_EPOCH)
        if batch == 1 or (batch % every == 0 and now_s - self._last_line_s >= SECONDS_BETWEEN_LINES):
            self._last_line_s = now_s
            rounded = {key: round(float(value), 5) for key, value in figures.items()}
            self._line({"epoch": epoch, "batch": batch, "batches": batches, **rounded})
        if self._bar:
            full = _BAR_WIDTH * batch // batches
            words = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
            bar = "#" * full + "." * (_BAR_WIDTH - full)
            print(f"\repoch {epoch + 1} [{bar}] {batch}/{batches}  {words}", end="\x1b[K", file=sys.stderr, flush=True)

    def epoch(self, done: int, epochs: int, figures: dict[str, float]) -> None:
        """``done`` of ``epochs`` are done."""
        self._line({"epoch": done, "epochs": epochs, **figures})
        # tf.summary.scalar would need TensorBoard installed to write what it needs installed only to be read.
        summary = tf.compat.v1.Summary
        values = [summary.Value(tag=key.replace("val_", "public/"), simple_value=figures[key]) for key in figures]
        with self._events.as_default():
            tf.summary.experimental.write_raw_pb(summary(value=values).SerializeToString(), step=done)
        self._events.flush()
        words = ", ".join(f"{key.replace('val_', 'public ')} {value:.4g}" for key, value in figures.items())
        self.say(f"epoch {done}/{epochs}: {words}")

    def _line(self, content: dict[str, Any]) -> None:
        self._lines.write(json.dumps({"time": round(time.time(), 2), **content}) + "\n")
        self._lines.flush()

    def _clear_bar(self) -> None:
        if self._bar:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write beside ``path``, then rename into place."""
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def environment(precision: str) -> dict[str, Any]:
    """What a fit ran on: enough to tell why two fits differ."""
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
    """Whether this machine multiplies bfloat16 in hardware; where it does not, it is slower than float32."""
    if _gpus():
        return True
    return bool({"avx512_bf16", "amx_bf16"} & set(cpu_info("flags").split()))


def _gpus() -> list[Any]:
    return list(tf.config.list_physical_devices("GPU"))


def _forget_unfinished(progress: Path, epochs_done: int) -> None:
    """Drop what a killed fit had said about an epoch that is now fitted again, and a line torn in the middle."""
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
            continue  # torn, of the time before the first batch, or no line of ours
    write_atomically(progress, "".join(kept).encode())
