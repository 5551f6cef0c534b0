"""Where the training commands fit: on this machine or on a cluster."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from emojify.cluster import remote_fit
from emojify.errors import EmojifyError
from emojify.runs.placement import Placement, read_placement
from emojify.runs.run import State, read_run
from emojify.training.fit_cli import add_fit_commands

CLUSTER = "10.0.0.1:6379"


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Placement]]:
    """The runs that were sent to a cluster, by name and place."""
    fitted: list[tuple[str, Placement]] = []
    monkeypatch.setattr(
        remote_fit, "fit_on_cluster", lambda run, placement, control: fitted.append((run.name, placement))
    )
    return fitted


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "faces.zip"
    data.touch()
    return data


def call(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_fit_commands(parser.add_subparsers())
    options = parser.parse_args([str(argument) for argument in arguments])
    status: int = options.run(options)
    return status


def test_new_run_is_sent(data: Path, fitted: list[tuple[str, Placement]], tmp_path: Path) -> None:
    run = tmp_path / "runs" / "one"
    assert call("train", "--data", data, "--address", CLUSTER, "--cpus", 2, "--run", run) == 0
    assert fitted == [("one", Placement(CLUSTER, cpus=2))]
    assert read_run(run, disk_free_bytes=10**12).config is not None
    with pytest.raises(EmojifyError, match=r"There is a run in .* already"):
        call("train", "--data", data, "--address", CLUSTER, "--run", run)


def test_resumed_run_stays_where_it_was_or_moves(
    data: Path, fitted: list[tuple[str, Placement]], tmp_path: Path
) -> None:
    run = tmp_path / "one"
    call("train", "--data", data, "--address", CLUSTER, "--run", run)
    call("train", "--resume", run)
    call("train", "--resume", run, "--address", "auto", "--gpus", 0.5)
    assert [place.address for _, place in fitted] == [CLUSTER, CLUSTER, "auto"]
    assert read_placement(run) == Placement("auto", gpus=0.5)


def test_missing_data_makes_no_run(fitted: list[tuple[str, Placement]], tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="There is no "):
        call("train", "--data", tmp_path / "gone", "--address", CLUSTER, "--run", tmp_path / "one")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [("--address", "head", "no address of a Ray cluster"), ("--cpus", "0", "up to 4096"), ("--gpus", "-1", "64 GPUs")],
)
def test_impossible_places_are_refused(option: str, value: str, sentence: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        call("train", "--data", data, "--run", tmp_path / "one", "--address", CLUSTER, option, value)
    assert not (tmp_path / "one").exists()


def test_lost_cluster_fails_the_run_with_a_sentence(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise EmojifyError("The connection to the cluster is lost.")

    monkeypatch.setattr(remote_fit, "fit_on_cluster", fail)
    run = tmp_path / "one"
    with pytest.raises(EmojifyError, match="is lost"):
        call("train", "--data", data, "--address", CLUSTER, "--run", run)
    monkeypatch.setattr("emojify.processes.is_running", lambda folder: False)
    state = read_run(run, disk_free_bytes=10**12)
    assert (state.state, state.reason, state.can_resume) == (
        State.FAILED, "The connection to the cluster is lost.", True
    )  # fmt: skip
