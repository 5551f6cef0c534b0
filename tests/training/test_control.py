"""A fit in a process of its own: stopping it, killing it, and what it records about its end."""

import base64
import errno
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import psutil
import pytest

from emojify import processes
from emojify.errors import EmojifyError
from emojify.runs import control
from emojify.runs.config import FitConfig
from emojify.runs.control import ProcessControl, explain
from emojify.runs.progress import read_progress
from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.training.fit import start
from tests.helpers.fake_training import kill_all, process_of
from tests.helpers.programs import wait_until


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    monkeypatch.setenv("EMOJIFY_RUNS", str(tmp_path / "runs"))
    yield RunStore(tmp_path / "runs")
    kill_all(tmp_path / "runs")


def test_killed_fit_resumes_and_queue_continues(store: RunStore, faces: Path) -> None:
    run = store.launch(FitConfig(str(faces), epochs=2, batch_size=4))
    wait_until(lambda: store.get(run.id).epochs_done == 1, limit_s=90)
    os.kill(process_of(run.folder).pid, signal.SIGKILL)
    wait_until(lambda: store.get(run.id).state is State.KILLED)
    store.resume(run.id)
    queued = store.launch(FitConfig(str(faces), pictures=7, epochs=1))
    assert queued.state is State.QUEUED
    wait_until(lambda: store.get(run.id).state is State.FINISHED, limit_s=90)
    assert [epoch.number for epoch in read_progress(run.folder).epochs] == [1, 2]
    # The fit starts the next one itself; no page is open.
    wait_until(lambda: (queued.folder / processes.PROCESS).exists())
    wait_until(lambda: store.get(queued.id).state is State.FINISHED, limit_s=90)
    best = store.get(queued.id).best
    assert best["figures"]["n"] == 42
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(best["wrong"][0]["png"]), np.uint8), 0)
    assert picture is not None
    assert picture.shape == (48, 48)


def test_second_sigterm_does_not_wait_for_batch(tmp_path: Path) -> None:
    with ProcessControl() as process:
        process.start_run(tmp_path)
        process.after_batch()
        signal.raise_signal(signal.SIGTERM)  # in the middle of the next batch
        with pytest.raises(KeyboardInterrupt):
            process.after_batch()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_sigterm_before_first_batch_stops_at_once(tmp_path: Path) -> None:
    def fit_that_loads() -> None:
        with ProcessControl() as process:
            process.start_run(tmp_path)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        fit_that_loads()
    assert json.loads((tmp_path / "ended.json").read_text())["how"] == "stopped"


def test_stopped_fit_keeps_whole_epochs(faces: Path, tmp_path: Path) -> None:
    class StopInSecondEpoch(ProcessControl):
        batches = 0

        def after_batch(self) -> None:
            self.batches += 1
            super().after_batch()
            if self.batches == 12:
                signal.raise_signal(signal.SIGTERM)

    config = FitConfig(str(faces), network="tiny", epochs=3, batch_size=16)
    process = StopInSecondEpoch()
    with pytest.raises(KeyboardInterrupt), process:
        start(config, tmp_path / "run", process)
    assert process.batches == 13  # the current batch was finished
    run = RunStore(tmp_path).get("run")
    assert run.epochs_done == 1
    assert json.loads((run.folder / "ended.json").read_text())["how"] == "stopped"


def test_failed_fit_records_reason(faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="tiny", epochs=3, optimizer="sgd", learning_rate=100.0, weight_decay=10.0)
    with pytest.raises(EmojifyError), ProcessControl() as process:
        start(config, tmp_path / "run", process)
    ended = json.loads((tmp_path / "run" / "ended.json").read_text())
    assert ended["how"] == "failed"
    assert "learning rate is too high" in ended["why"]


def test_start_run_refuses_run_of_another_process(tmp_path: Path) -> None:
    sleeper = psutil.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    record = {"pid": sleeper.pid, "birth": processes._start_mark(sleeper), "arguments": []}
    (tmp_path / processes.PROCESS).write_text(json.dumps(record))
    with pytest.raises(EmojifyError, match=r"works on .* already"), ProcessControl() as process:
        process.start_run(tmp_path)
    assert json.loads((tmp_path / processes.PROCESS).read_text()) == record
    assert not (tmp_path / "ended.json").exists()
    sleeper.kill()
    sleeper.wait()


class ResourceExhaustedError(Exception):
    """Has the name of TensorFlow's error."""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (EmojifyError("There is no data."), "There is no data."),
        (MemoryError(), "The memory ran out"),
        (ResourceExhaustedError("OOM when allocating tensor"), "The memory ran out"),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (ValueError("odd\nand long"), "ValueError: odd. The log says more."),
        (ValueError(), "ValueError: no reason given. The log says more."),
    ],
)
def test_explain_gives_reason_and_remedy(error: Exception, sentence: str, tmp_path: Path) -> None:
    assert sentence in explain(error, tmp_path)


def test_explain_blames_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control.shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    assert "The disk is full" in explain(RuntimeError("Can't write"), tmp_path)


def test_first_batch_is_recorded_at_once(faces: Path, tmp_path: Path) -> None:
    started = time.time()
    start(FitConfig(str(faces), network="tiny", epochs=1, batch_size=16), tmp_path / "run")
    batch = json.loads((tmp_path / "run" / "progress.jsonl").read_text().splitlines()[0])
    assert batch["batch"] == 1
    assert batch["time"] >= started
