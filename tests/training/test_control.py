"""A fit in a process of its own: how it stops, what it leaves, and a kill -9."""

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
from emojify.training.dataset import load
from emojify.training.fit import start
from emojify.training.selection import at_most
from tests.helpers.fake_training import kill_all, process_of
from tests.helpers.programs import wait_until


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    monkeypatch.setenv("EMOJIFY_RUNS", str(tmp_path / "runs"))
    yield RunStore(tmp_path / "runs")
    kill_all(tmp_path / "runs")


def test_a_real_fit_survives_kill_9_and_the_next_one_begins_by_itself(store: RunStore, faces: Path) -> None:
    run = store.launch(FitConfig(str(faces), epochs=2, batch_size=4))
    wait_until(lambda: store.get(run.id).epochs_done == 1, limit_s=90)
    os.kill(process_of(run.folder).pid, signal.SIGKILL)
    wait_until(lambda: store.get(run.id).state is State.KILLED)
    store.resume(run.id)
    queued = store.launch(FitConfig(str(faces), pictures=7, epochs=1))
    assert queued.state is State.QUEUED
    wait_until(lambda: store.get(run.id).state is State.FINISHED, limit_s=90)
    assert [epoch.number for epoch in read_progress(run.folder).epochs] == [1, 2]
    # Nobody looks, and yet:
    wait_until(lambda: (queued.folder / processes.PROCESS).exists())
    wait_until(lambda: store.get(queued.id).state is State.FINISHED, limit_s=90)
    best = store.get(queued.id).best
    assert best["figures"]["n"] == 42
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(best["wrong"][0]["png"]), np.uint8), 0)
    assert picture is not None
    assert picture.shape == (48, 48)


def test_the_first_sigterm_waits_for_the_batch_and_the_second_does_not(tmp_path: Path) -> None:
    with ProcessControl() as process:
        process.start_run(tmp_path)
        process.after_batch()
        signal.raise_signal(signal.SIGTERM)  # in the middle of the next batch
        with pytest.raises(KeyboardInterrupt):
            process.after_batch()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_before_the_first_batch_sigterm_stops_at_once(tmp_path: Path) -> None:
    def fit_that_loads_for_long() -> None:
        with ProcessControl() as process:
            process.start_run(tmp_path)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        fit_that_loads_for_long()
    assert json.loads((tmp_path / "ended.json").read_text())["how"] == "stopped"


def test_a_stopped_fit_keeps_its_whole_epochs(faces: Path, tmp_path: Path) -> None:
    class StopsInTheSecondEpoch(ProcessControl):
        batches = 0

        def after_batch(self) -> None:
            self.batches += 1
            super().after_batch()
            if self.batches == 12:
                signal.raise_signal(signal.SIGTERM)

    config = FitConfig(str(faces), network="tiny", epochs=3, batch_size=16)
    process = StopsInTheSecondEpoch()
    with pytest.raises(KeyboardInterrupt), process:
        start(config, tmp_path / "run", process)
    assert process.batches == 13  # the one that was under way was finished
    run = RunStore(tmp_path).get("run")
    assert run.epochs_done == 1
    assert json.loads((run.folder / "ended.json").read_text())["how"] == "stopped"


def test_a_fit_leaves_word_of_why_it_failed(faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="tiny", epochs=3, optimizer="sgd", learning_rate=100.0, weight_decay=10.0)
    with pytest.raises(EmojifyError), ProcessControl() as process:
        start(config, tmp_path / "run", process)
    ended = json.loads((tmp_path / "run" / "ended.json").read_text())
    assert ended["how"] == "failed"
    assert "learning rate is too high" in ended["why"]


def test_a_run_that_another_process_works_on_is_left_alone(tmp_path: Path) -> None:
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
    """Called like TensorFlow's."""


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
def test_each_end_is_explained_in_a_sentence(error: Exception, sentence: str, tmp_path: Path) -> None:
    assert sentence in explain(error, tmp_path)


def test_a_failed_write_on_a_full_disk_is_put_down_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control.shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    assert "The disk is full" in explain(RuntimeError("Can't write"), tmp_path)


def test_a_taste_has_some_of_every_emotion(faces: Path) -> None:
    train = load(faces).split("train")
    few = at_most(14, train, seed=1)
    assert set(few.labels) == set(range(7))
    assert 14 <= len(few) <= 21
    assert len(at_most(0, train, seed=1)) == len(at_most(10**6, train, seed=1)) == len(train)
    assert (at_most(50, train, 1).files == at_most(50, train, 1).files).all()


def test_the_time_of_a_first_batch_is_said_as_it_happens(faces: Path, tmp_path: Path) -> None:
    began = time.time()
    start(FitConfig(str(faces), network="tiny", epochs=1, batch_size=16), tmp_path / "run")
    batch = json.loads((tmp_path / "run" / "progress.jsonl").read_text().splitlines()[0])
    assert batch["batch"] == 1
    assert batch["time"] >= began
