"""The state of a run as its files tell it, also when they are damaged or edited."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from emojify.runs.run import Run, State, read_run

ROOMY = 10**12
CHECKPOINT = {"epoch": 2, "best_epoch": 1, "best_public_accuracy": 0.5, "weights": "checkpoint-002.weights.h5"}
DEAD = {"pid": 2**22 + 1, "born": 0.0, "arguments": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of three epochs, two of them finished; no process works on it."""
    write(tmp_path, "config.json", {"data": "faces.zip", "epochs": 3})
    write(tmp_path, "checkpoint.json", CHECKPOINT)
    (tmp_path / "checkpoint-002.weights.h5").touch()
    (tmp_path / "best.weights.h5").touch()
    return tmp_path


def write(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def read(folder: Path, free_bytes: int = ROOMY) -> Run:
    return read_run(folder, disk_free_bytes=free_bytes)


def test_run_without_process_can_resume(folder: Path) -> None:
    run = read(folder)
    assert (run.state, run.epochs_done, run.best_epoch, run.best_accuracy) == (State.STOPPED, 2, 1, 0.5)
    assert run.can_resume
    assert run.has_weights


@pytest.mark.parametrize(
    ("name", "content", "state", "sentence"),
    [
        ("config.json", "", State.BROKEN, "no readable config.json"),
        ("config.json", '{"data": "x", "ep', State.BROKEN, "no readable config.json"),
        ("config.json", "[1, 2]", State.BROKEN, "not valid any more"),
        ("config.json", "7", State.BROKEN, "not valid any more"),
        ("config.json", {"epochs": 3}, State.BROKEN, "not valid any more"),  # no data
        ("config.json", {"data": 5}, State.BROKEN, "not valid any more"),
        ("config.json", {"data": "x", "epochs": "many"}, State.BROKEN, "not valid any more"),
        ("config.json", {"data": "x", "epochs": -1}, State.BROKEN, "epochs is -1"),
        ("config.json", {"data": "x", "warp": 1}, State.BROKEN, "another version of Emojify: it sets warp"),
        ("checkpoint.json", "{", State.FAILED, "checkpoint is damaged or gone"),
        ("checkpoint.json", CHECKPOINT | {"epoch": "two"}, State.FAILED, "checkpoint is damaged or gone"),
        ("checkpoint.json", CHECKPOINT | {"epoch": float("nan")}, State.FAILED, "checkpoint is damaged or gone"),
        ("checkpoint.json", CHECKPOINT | {"weights": "gone.h5"}, State.FAILED, "checkpoint is damaged or gone"),
        ("ended.json", {"how": "failed", "why": "The disk is full."}, State.FAILED, "The disk is full."),
        ("ended.json", {"how": "failed"}, State.FAILED, "gave no reason"),
        ("ended.json", {"how": "stopped"}, State.STOPPED, "It was stopped"),
        ("ended.json", "[]", State.STOPPED, "No process works on it"),
        ("process.json", DEAD, State.KILLED, "Its process is gone"),
        ("process.json", "{", State.STOPPED, "No process works on it"),
        ("result.json", {"epochs": 3}, State.FINISHED, ""),
        ("queued.json", {"since": 1.0}, State.QUEUED, "One fit at a time"),
    ],
)
def test_state_follows_from_files(folder: Path, name: str, content: Any, state: State, sentence: str) -> None:
    write(folder, name, content)
    run = read(folder)
    assert run.state is state
    assert sentence in run.reason
    if state in (State.BROKEN, State.FAILED, State.KILLED):
        assert run.next_step


def test_folder_without_config_is_broken(tmp_path: Path) -> None:
    assert "half written" in read(tmp_path).reason


def test_damaged_checkpoint_prevents_resume_and_export(folder: Path) -> None:
    write(folder, "checkpoint.json", "{")
    run = read(folder)
    assert not run.can_resume
    assert not run.has_weights


def test_full_disk_explains_missing_reason(folder: Path) -> None:
    write(folder, "process.json", DEAD)
    assert "The disk is full" in read(folder, free_bytes=1000).reason


def test_read_run_notices_edits(folder: Path) -> None:
    assert read(folder).state is State.STOPPED
    write(folder, "config.json", "{")
    assert read(folder).state is State.BROKEN
    write(folder, "config.json", {"data": "faces.zip", "epochs": 9})
    config = read(folder).config
    assert config is not None
    assert config.epochs == 9


def test_missing_folder_is_broken(tmp_path: Path) -> None:
    assert read(tmp_path / "gone").state is State.BROKEN


def test_model_id_names_run_and_epoch(folder: Path) -> None:
    run_folder = folder.rename(folder.parent / "My Run (2)")
    run = read(run_folder)
    assert run.model_id == "my-run-2-e1"
    assert run.is_source_of("my-run-2-e1")
    assert run.is_source_of("my-run-2-e17")
    assert not run.is_source_of("my-run-2-extra-e1")
    assert not run.is_source_of("seed")


def test_best_is_empty_if_damaged(folder: Path) -> None:
    assert read(folder).best == {}
    write(folder, "best.json", {"epoch": 1, "figures": {"macro_recall": 0.4}, "wrong": []})
    assert read(folder).best["figures"]["macro_recall"] == 0.4
    assert read(folder).best_recall == 0.4
    write(folder, "best.json", '{"figures": 3}')
    assert read(folder).best == {}
    assert read(folder).best_recall is None


def test_log_tail_returns_last_lines(folder: Path) -> None:
    assert read(folder).log_tail() == ""
    (folder / "run.log").write_text("printed to a terminal\n")
    assert read(folder).log_tail() == "printed to a terminal\n"
    (folder / "process.log").write_text("a line\n" * 100_000 + "the last")
    text = read(folder).log_tail()
    assert text.endswith("the last")
    assert text.startswith("a line")
    assert len(text) < 20_000


def test_read_run_caches_unchanged_files(folder: Path) -> None:
    read(folder)
    size = (folder / "config.json").stat().st_size
    before = (folder / "config.json").stat()
    (folder / "config.json").write_text(" " * size)
    os.utime(folder / "config.json", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read(folder).state is State.STOPPED  # time and size are the same, so the file is not read


@pytest.mark.parametrize("name", ["w" * 300, "a\0b", 7])
def test_invalid_weights_name_damages_checkpoint(folder: Path, name: object) -> None:
    checkpoint = {"epoch": 1, "best_epoch": 1, "best_public_accuracy": 0.5, "weights": name}
    write(folder, "checkpoint.json", checkpoint)
    assert "checkpoint is damaged" in read(folder).reason
