"""A program in place of ``python -m emojify train --resume RUN`` that writes a fit's files without TensorFlow.

The ``seed`` in the run's settings says how it behaves: it goes on running after its first epoch (``RUNS``), finishes
after it (``FINISHES``), fails (``FAILS``), or starts and then does nothing (``SILENT``).
"""

from __future__ import annotations

import json
from pathlib import Path

import psutil

from emojify.processes import PROCESS
from emojify.runs.config import FitConfig

RUNS, FINISHES, FAILS, SILENT = 1, 2, 3, 4

SCRIPT = """
import json, signal, sys, time
from pathlib import Path

run = Path(sys.argv[-1])
print("arguments", *sys.argv[1:], flush=True)


def end(how, why=""):
    (run / "ended.json").write_text(json.dumps({"how": how, "why": why}))
    sys.exit()


def report(**content):
    with (run / "progress.jsonl").open("a") as file:
        file.write(json.dumps({"time": time.time(), **content}) + "\\n")


signal.signal(signal.SIGTERM, lambda *_: end("stopped"))
behavior = json.loads((run / "config.json").read_text())["seed"]
report(phase="loading TensorFlow")
if behavior == 4:
    time.sleep(60)
report(epoch=0, batch=1, batches=4, loss=2.0, accuracy=0.2)
if behavior == 3:
    end("failed", "The memory ran out.")
(run / "checkpoint-001.weights.h5").write_bytes(b"weights")
(run / "best.weights.h5").write_bytes(b"weights")
report(epoch=1, epochs=3, loss=1.5, accuracy=0.4, val_loss=1.4, val_accuracy=0.5, val_macro_recall=0.4, seconds=2.0)
checkpoint = {"epoch": 1, "best_epoch": 1, "best_public_accuracy": 0.5, "weights": "checkpoint-001.weights.h5"}
(run / "checkpoint.json").write_text(json.dumps(checkpoint))
if behavior == 2:
    (run / "result.json").write_text(json.dumps({"best_epoch": 1, "epochs": 1}))
    end("finished")
time.sleep(60)
"""


def install(root: Path) -> None:
    """Make ``root`` a project whose command line is the program. Set ``processes.ROOT`` to it."""
    package = root / "emojify"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SCRIPT)


def config(data: Path, behavior: int = RUNS, **settings: object) -> FitConfig:
    """Return settings with which the program behaves as asked."""
    return FitConfig(str(data), epochs=3, seed=behavior, **settings)  # type: ignore[arg-type]


def process_of(folder: Path) -> psutil.Process:
    """Return the process recorded in a folder."""
    return psutil.Process(json.loads((folder / PROCESS).read_text())["pid"])


def kill_all(runs: Path) -> None:
    """Kill every process recorded below a folder."""
    for record in runs.glob(f"**/{PROCESS}"):
        try:
            process = process_of(record.parent)
            if abs(process.create_time() - json.loads(record.read_text())["born"]) < 1:
                process.kill()
        except (psutil.Error, ValueError, KeyError):
            continue
