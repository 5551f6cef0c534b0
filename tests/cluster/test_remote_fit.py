"""What a fit on a cluster says when a machine refuses it or is lost."""

from __future__ import annotations

import errno
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from emojify.cluster import remote_fit
from emojify.cluster.remote_fit import MAX_LOSSES, fit_on_cluster
from emojify.errors import EmojifyError
from emojify.files import write_json
from emojify.runs.control import Control
from emojify.runs.placement import Placement

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: requirements-cluster.txt")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose cluster is there, but not connected."""
    run = tmp_path / "one"
    run.mkdir()
    (tmp_path / "faces.zip").touch()
    write_json(run / "config.json", {"data": str(tmp_path / "faces.zip")})
    monkeypatch.setattr(remote_fit, "connect", lambda address: nullcontext())
    return run


def write_epoch(run: Path, epoch: int) -> None:
    write_json(run / "checkpoint.json", {"epoch": epoch})


def lose(run: Path, monkeypatch: pytest.MonkeyPatch, *, epochs: list[int]) -> list[int]:
    """Let each attempt reach the next of these epochs and then be lost; return the epochs that were reached."""
    reached: list[int] = []

    def follow(self: Any) -> None:
        if len(reached) == len(epochs):
            return
        reached.append(epochs[len(reached)])
        write_epoch(run, reached[-1])
        raise remote_fit._WorkerLostError("node7 is gone")

    monkeypatch.setattr(remote_fit._RemoteFit, "follow", follow)
    return reached


def test_lost_machines_are_replaced_while_epochs_are_finished(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = lose(run, monkeypatch, epochs=[1, 2, 3, 4, 5])
    fit_on_cluster(run, Placement("auto"), Control())
    assert reached == [1, 2, 3, 4, 5]


def test_fit_is_given_up_when_no_epoch_is_finished(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = lose(run, monkeypatch, epochs=[2] * 10)
    with pytest.raises(EmojifyError, match=rf"lost {MAX_LOSSES} times on the cluster, last: node7 is gone"):
        fit_on_cluster(run, Placement("auto"), Control())
    assert len(reached) == MAX_LOSSES


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "node7 can't take the fit: the disk is full"),
        (EmojifyError("The data was damaged on its way. Try again."), "node7: The data was damaged on its way"),
    ],
)
def test_machine_that_refuses_is_named(
    cause: Exception, sentence: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.exceptions import RayTaskError

    def fail(*_: object, **__: object) -> None:
        raise RayTaskError("receive", "a traceback", cause)

    monkeypatch.setattr("ray.get", fail)
    with pytest.raises(EmojifyError, match=sentence):
        attempt(run)._call(None)


@pytest.mark.parametrize(
    ("error", "arguments"), [("ActorDiedError", []), ("GetTimeoutError", ["late"]), ("NodeDiedError", ["gone"])]
)
def test_gone_machine_is_a_loss(error: str, arguments: list[str], run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray.exceptions

    def fail(*_: object, **__: object) -> None:
        raise getattr(ray.exceptions, error)(*arguments)

    monkeypatch.setattr("ray.get", fail)
    with pytest.raises(remote_fit._WorkerLostError):
        attempt(run)._call(None)


def test_machine_without_emojify_is_explained(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.exceptions import RaySystemError

    def fail(*_: object, **__: object) -> None:
        raise RaySystemError("ModuleNotFoundError: No module named 'emojify'")

    monkeypatch.setattr("ray.get", fail)
    with pytest.raises(EmojifyError, match="Emojify is not installed on a machine"):
        attempt(run)._call(None)


def attempt(run: Path) -> Any:
    attempt = remote_fit._RemoteFit(run, remote_fit.FitConfig.read(run), {}, Placement("auto"), Control())
    attempt._host = "node7"
    return attempt
