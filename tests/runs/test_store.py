"""Runs with real processes that pretend to train, see ``tests/helpers/fake_training.py``."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from emojify import processes
from emojify.errors import EmojifyError
from emojify.runs.placement import Placement, read_placement
from emojify.runs.run import Run, State
from emojify.runs.store import RunStore
from tests.helpers.fake_training import (
    FAILS,
    FINISHES,
    RUNS,
    SILENT,
    config,
    process_of,
)
from tests.helpers.programs import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def state(store: RunStore, run: Run) -> State:
    return store.get(run.id).state


def wait_for_epoch(store: RunStore, run: Run) -> None:
    """Wait until the run has finished its first epoch and is still running."""
    wait_until(lambda: (run.folder / "checkpoint.json").exists() and state(store, run) is State.RUNNING)


def test_launch_starts_run(store: RunStore, data: Path) -> None:
    run = store.launch(config(data))
    assert run.state is State.STARTING
    assert re.match(r"TensorFlow is starting, \d+ s so far", run.reason)
    wait_for_epoch(store, run)
    assert store.get(run.id).epochs_done == 1
    assert store.get(run.id).best_accuracy == 0.5
    assert run.log_tail() == "" or "arguments" in run.log_tail()


def test_starting_run_names_its_step(store: RunStore, data: Path) -> None:
    run = store.launch(config(data, SILENT))
    wait_until(lambda: "loading TensorFlow" in store.get(run.id).reason)
    assert state(store, run) is State.STARTING


def test_stopped_run_resumes(store: RunStore, data: Path) -> None:
    run = store.launch(config(data))
    wait_for_epoch(store, run)
    store.stop(run.id)
    wait_until(lambda: state(store, run) is State.STOPPED)
    stopped = store.get(run.id)
    assert stopped.can_resume
    assert "Resume goes on after epoch 1." in stopped.next_step
    wait_until(lambda: not processes.is_running(run.folder))
    store.resume(run.id)
    assert state(store, run).has_process
    assert process_of(run.folder).cmdline()[-2:] == ["--resume", str(run.folder)]


def test_run_is_stopping_until_process_ends(store: RunStore, data: Path) -> None:
    run = store.launch(config(data))
    wait_for_epoch(store, run)
    process = process_of(run.folder)
    process.suspend()  # it can't react to the signal
    store.stop(run.id)
    assert state(store, run) is State.STOPPING
    store.kill(run.id)
    assert state(store, run) is State.STOPPED


def test_killed_run_can_resume(store: RunStore, data: Path) -> None:
    run = store.launch(config(data))
    wait_for_epoch(store, run)
    os.kill(process_of(run.folder).pid, signal.SIGKILL)
    wait_until(lambda: state(store, run) is State.KILLED)
    killed = store.get(run.id)
    assert "it was killed, the memory ran out, or the machine was switched off" in killed.reason
    assert killed.next_step.startswith("Resume goes on after epoch 1.")
    assert killed.can_resume
    assert killed.has_weights


def test_failed_run_gives_reason(store: RunStore, data: Path) -> None:
    run = store.launch(config(data, FAILS))
    wait_until(lambda: state(store, run) is State.FAILED)
    assert store.get(run.id).reason == "The memory ran out."
    assert "No epoch is finished" in store.get(run.id).next_step


def test_finished_run_cannot_resume(store: RunStore, data: Path) -> None:
    run = store.launch(config(data, FINISHES))
    wait_until(lambda: state(store, run) is State.FINISHED)
    assert not store.get(run.id).can_resume
    with pytest.raises(EmojifyError, match="can't be resumed: it is finished"):
        store.resume(run.id)


def test_second_run_waits_for_first(store: RunStore, data: Path) -> None:
    first, second, third = (store.launch(config(data)) for _ in range(3))
    assert [second.state, third.state] == [State.QUEUED, State.QUEUED]
    assert store.queue() == [second.id, third.id]
    store.start_next()
    assert state(store, second) is State.QUEUED  # the first one still runs
    store.kill(first.id)
    store.start_next()
    assert state(store, second).has_process
    assert store.queue() == [third.id]


def test_ending_run_starts_next_run(store: RunStore, data: Path) -> None:
    first, second = store.launch(config(data)), store.launch(config(data))
    store.start_next(ended=first.id)  # as its process does before it ends
    assert state(store, second).has_process


def test_concurrent_start_next_starts_one_run(store: RunStore, data: Path) -> None:
    first, *waiting = (store.launch(config(data)) for _ in range(5))
    store.kill(first.id)
    threads = [threading.Thread(target=store.start_next) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(processes.is_running(run.folder) for run in waiting) == 1


def test_stop_takes_waiting_run_from_queue(store: RunStore, data: Path) -> None:
    store.launch(config(data))
    waiting = store.launch(config(data))
    store.stop(waiting.id)
    assert state(store, waiting) is State.STOPPED
    assert store.queue() == []


def test_other_process_finds_and_stops_run(store: RunStore, data: Path) -> None:
    run = store.launch(config(data))
    wait_for_epoch(store, run)
    code = (
        "import sys, pathlib; from emojify.runs.store import RunStore; store = RunStore(pathlib.Path(sys.argv[1]));"
        "print([run.state.name for run in store.runs()]); store.stop(sys.argv[2])"
    )
    command = [sys.executable, "-c", code, str(store.folder), run.id]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert output == "['RUNNING']\n"
    wait_until(lambda: state(store, run) is State.STOPPED)


def test_delete_refuses_running_and_live_runs(store: RunStore, data: Path) -> None:
    run = store.launch(config(data))
    wait_for_epoch(store, run)
    with pytest.raises(EmojifyError, match="is running: stop it first"):
        store.delete(run.id, live_model="seed")
    store.kill(run.id)
    with pytest.raises(EmojifyError, match="put another one live first"):
        store.delete(run.id, live_model=store.get(run.id).model_id)
    assert run.folder.exists()
    store.delete(run.id, live_model="seed")
    assert not run.folder.exists()
    assert store.runs() == []
    assert list(store.folder.iterdir()) == []


@pytest.mark.parametrize("run_id", ["gone", "../runs", ".lock", "", "a/b"])
def test_get_refuses_unknown_ids(store: RunStore, data: Path, run_id: str) -> None:
    store.launch(config(data))
    with pytest.raises(EmojifyError, match="There is no run"):
        store.stop(run_id)


def test_launch_refuses_missing_data_and_full_disk(
    store: RunStore, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EmojifyError, match=r"There is no .*nowhere any more"):
        store.launch(config(data.parent / "nowhere"))
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
        with pytest.raises(EmojifyError, match="The disk has 1 MB left"):
            store.launch(config(data))
    store.folder.write_text("in the way")
    with pytest.raises(EmojifyError, match="can't be written"):
        store.launch(config(data))
    store.folder.unlink()
    assert store.runs() == []


def test_failed_launch_leaves_no_run(store: RunStore, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(EmojifyError, match="can't be started"):
        store.launch(config(data))
    assert store.runs() == []


def test_runs_are_newest_first_with_broken_ones(store: RunStore, data: Path) -> None:
    for name in ("20260101-100000-seed", "20260201-100000-seed"):
        (store.folder / name).mkdir(parents=True)
        (store.folder / name / "config.json").write_text(json.dumps({"data": str(data)}))
    (store.folder / "20260301-notes").mkdir()
    (store.folder / "a-file.txt").touch()
    assert [run.id for run in store.runs()] == ["20260301-notes", "20260201-100000-seed", "20260101-100000-seed"]
    assert [run.state for run in store.runs()] == [State.BROKEN, State.STOPPED, State.STOPPED]


def test_launches_in_one_second_get_different_ids(store: RunStore, data: Path) -> None:
    assert store.launch(config(data, RUNS)).id != store.launch(config(data, RUNS)).id


def test_concurrent_launches_make_one_run_each(store: RunStore, data: Path) -> None:
    barrier, problems = threading.Barrier(8), []

    def launch() -> None:
        barrier.wait()
        try:
            store.launch(config(data))
        except EmojifyError as error:
            problems.append(str(error))

    threads = [threading.Thread(target=launch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(store.ids()) == 8


def test_fit_on_cluster_does_not_wait_for_fit_here(store: RunStore, data: Path) -> None:
    here, waiting = store.launch(config(data)), store.launch(config(data))
    there = store.launch(config(data), Placement("127.0.0.1:1"))
    assert there.state is State.STARTING
    assert there.reason.startswith("On the cluster at 127.0.0.1:1")
    assert state(store, waiting) is State.QUEUED
    wait_for_epoch(store, there)
    store.kill(here.id)
    store.start_next()
    assert state(store, waiting).has_process  # nor does the queue here wait for the fit there


def test_resumed_fit_goes_where_it_was(store: RunStore, data: Path) -> None:
    run = store.launch(config(data, FAILS), Placement("127.0.0.1:1", cpus=2))
    wait_until(lambda: state(store, run) is State.FAILED)
    wait_until(lambda: not processes.is_running(run.folder))
    store.resume(run.id)
    assert read_placement(run.folder) == Placement("127.0.0.1:1", cpus=2)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"address": "a b"}', '{"address": 7}', '{"address": "auto", "cpus": "x"}']
)
def test_edited_placement_means_this_machine(content: str, tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text(content)
    assert read_placement(tmp_path) is None
