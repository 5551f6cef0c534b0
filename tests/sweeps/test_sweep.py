"""Sweeps on a local Ray: each test runs the command in a process of its own, as a user does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.settings import ROOT
from tests.helpers.browser import PRIORITY_HOOK
from tests.helpers.drawn_faces import write_faces

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: requirements-cluster.txt"),
]
WAIT_S = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_faces(tmp_path / "faces")
    return tmp_path


def sweep(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command ``sweep`` with its runs and models in ``folder``."""
    environment = {
        **os.environ, "EMOJIFY_RUNS": str(folder / "runs"), "EMOJIFY_MODELS": str(folder / "models"),
        "PYTHONPATH": f"{PRIORITY_HOOK}{os.pathsep}{ROOT}",
    }  # fmt: skip
    command = [sys.executable, "-m", "emojify", "sweep", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def fits(folder: Path) -> list[psutil.Process]:
    """Return the processes that fit a run of ``folder``."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder / "runs") in " ".join(process.info["cmdline"] or []) and "train" in process.info["cmdline"]
    ]


def listening_addresses(pid: int) -> set[str]:
    """Return the addresses at which a process and its children wait for connections."""
    addresses = set()
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            connections = process.net_connections("tcp")
            addresses |= {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
    return addresses


def test_killed_sweep_goes_on_and_makes_a_model_of_the_best(folder: Path) -> None:
    settings = ["--set", "learning_rate=0.0001..0.01", "--set", "epochs=2", "--trials", "2", "--concurrent", "2"]
    driver = sweep(folder, "--data", str(folder / "faces"), "--name", "first", *settings)
    wait_until(lambda: len(fits(folder)) == 2)
    listening = listening_addresses(driver.pid)
    assert listening
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    fits(folder)[0].kill()  # the trial starts it again
    wait_until(lambda: len(list((folder / "runs").glob("first-0?/best.json"))) == 2)
    driver.kill()
    driver.communicate()
    again = sweep(folder, "--resume", "first", "--concurrent", "2")
    output, _ = again.communicate(timeout=WAIT_S)
    assert again.returncode == 0, output
    runs = RunStore(folder / "runs").runs()
    assert {run.id for run in runs} == {"first-01", "first-02"}
    assert {run.epochs_done for run in runs if run.state is State.FINISHED} == {2}
    (model,) = (folder / "models").iterdir()
    assert model.name in {run.model_id for run in runs}
    assert model.name in output
    assert not (folder / "models" / "live.json").exists()


def test_interrupted_ensemble_goes_on(folder: Path) -> None:
    recipe = ["--same-recipe", "--seeds", "2", "--set", "epochs=1"]
    driver = sweep(folder, "--data", str(folder / "faces"), "--name", "members", *recipe)
    wait_until(lambda: bool(fits(folder)))
    driver.send_signal(signal.SIGINT)
    output, _ = driver.communicate(timeout=WAIT_S)
    assert driver.returncode == 130, output
    assert "sweep --resume members" in output
    wait_until(lambda: not fits(folder))
    again = sweep(folder, "--resume", "members")
    output, _ = again.communicate(timeout=WAIT_S)
    assert again.returncode == 0, output
    members = [folder / "runs" / name for name in ("members-01", "members-02")]
    assert [json.loads((member / "config.json").read_text())["seed"] for member in members] == [1, 2]
    assert f"--teachers {members[0]} {members[1]}" in output
