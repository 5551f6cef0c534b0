"""What a folder is said to be, whoever wrote or edited it."""

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
    """A run of three epochs, two of them done; nobody works on it."""
    write(tmp_path, "config.json", {"data": "faces.zip", "epochs": 3})
    write(tmp_path, "checkpoint.json", CHECKPOINT)
    (tmp_path / "checkpoint-002.weights.h5").touch()
    (tmp_path / "best.weights.h5").touch()
    return tmp_path


def write(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def seen(folder: Path, free: int = ROOMY) -> Run:
    return read_run(folder, disk_free_bytes=free)


def test_a_run_that_nobody_works_on_can_go_on(folder: Path) -> None:
    run = seen(folder)
    assert (run.state, run.epochs_done, run.best_epoch, run.best_accuracy) == (State.STOPPED, 2, 1, 0.5)
    assert run.can_resume
    assert run.has_weights


@pytest.mark.parametrize(
    ("name", "content", "state", "sentence"),
    [
        ("config.json", "", State.BROKEN, "no readable config.json"),
        ("config.json", '{"data": "x", "ep', State.BROKEN, "no readable config.json"),
        ("config.json", "[1, 2]", State.BROKEN, "make no sense"),
        ("config.json", "7", State.BROKEN, "make no sense"),
        ("config.json", {"epochs": 3}, State.BROKEN, "make no sense"),  # no data
        ("config.json", {"data": 5}, State.BROKEN, "make no sense"),
        ("config.json", {"data": "x", "epochs": "many"}, State.BROKEN, "make no sense"),
        ("config.json", {"data": "x", "epochs": -1}, State.BROKEN, "epochs is -1"),
        ("config.json", {"data": "x", "warp": 1}, State.BROKEN, "another version of Emojify: it sets warp"),
        ("checkpoint.json", "{", State.FAILED, "checkpoint is damaged or gone"),
        ("checkpoint.json", CHECKPOINT | {"epoch": "two"}, State.FAILED, "checkpoint is damaged or gone"),
        ("checkpoint.json", CHECKPOINT | {"epoch": float("nan")}, State.FAILED, "checkpoint is damaged or gone"),
        ("checkpoint.json", CHECKPOINT | {"weights": "gone.h5"}, State.FAILED, "checkpoint is damaged or gone"),
        ("ended.json", {"how": "failed", "why": "The disk is full."}, State.FAILED, "The disk is full."),
        ("ended.json", {"how": "failed"}, State.FAILED, "does not say why"),
        ("ended.json", {"how": "stopped"}, State.STOPPED, "It was stopped"),
        ("ended.json", "[]", State.STOPPED, "Nobody works on it"),
        ("process.json", DEAD, State.KILLED, "Its process is gone"),
        ("process.json", "{", State.STOPPED, "Nobody works on it"),
        ("result.json", {"epochs": 3}, State.FINISHED, ""),
        ("queued.json", {"since": 1.0}, State.QUEUED, "One fit at a time"),
    ],
)
def test_each_folder_is_said_to_be_what_it_is(
    folder: Path, name: str, content: Any, state: State, sentence: str
) -> None:
    write(folder, name, content)
    run = seen(folder)
    assert run.state is state
    assert sentence in run.reason
    if state in (State.BROKEN, State.FAILED, State.KILLED):
        assert run.next_step


def test_a_folder_without_settings_is_half_written(tmp_path: Path) -> None:
    assert "half written" in seen(tmp_path).reason


def test_a_damaged_checkpoint_can_not_go_on_but_its_best_weights_are_not_trusted_either(folder: Path) -> None:
    write(folder, "checkpoint.json", "{")
    run = seen(folder)
    assert not run.can_resume
    assert not run.has_weights


def test_a_full_disk_explains_a_death_without_a_word(folder: Path) -> None:
    write(folder, "process.json", DEAD)
    assert "The disk is full" in seen(folder, free=1000).reason


def test_an_edit_is_noticed(folder: Path) -> None:
    assert seen(folder).state is State.STOPPED
    write(folder, "config.json", "{")
    assert seen(folder).state is State.BROKEN
    write(folder, "config.json", {"data": "faces.zip", "epochs": 9})
    config = seen(folder).config
    assert config is not None
    assert config.epochs == 9


def test_a_folder_that_vanishes_while_it_is_looked_at_is_broken_and_no_more(tmp_path: Path) -> None:
    assert seen(tmp_path / "gone").state is State.BROKEN


def test_the_model_is_named_after_run_and_epoch(folder: Path) -> None:
    run_folder = folder.rename(folder.parent / "My Run (2)")
    run = seen(run_folder)
    assert run.model_id == "my-run-2-e1"
    assert run.is_source_of("my-run-2-e1")
    assert run.is_source_of("my-run-2-e17")
    assert not run.is_source_of("my-run-2-extra-e1")
    assert not run.is_source_of("seed")


def test_what_it_read_at_its_best_is_handed_on_if_it_is_whole(folder: Path) -> None:
    assert seen(folder).best == {}
    write(folder, "best.json", {"epoch": 1, "figures": {"macro_recall": 0.4}, "wrong": []})
    assert seen(folder).best["figures"]["macro_recall"] == 0.4
    assert seen(folder).best_recall == 0.4
    write(folder, "best.json", '{"figures": 3}')
    assert seen(folder).best == {}
    assert seen(folder).best_recall is None


def test_the_log_is_read_from_its_end(folder: Path) -> None:
    assert seen(folder).log_tail() == ""
    (folder / "run.log").write_text("said in a terminal\n")
    assert seen(folder).log_tail() == "said in a terminal\n"
    (folder / "process.log").write_text("a line\n" * 100_000 + "the last")
    tail = seen(folder).log_tail()
    assert tail.endswith("the last")
    assert tail.startswith("a line")
    assert len(tail) < 20_000


def test_looking_again_reads_nothing_that_did_not_change(folder: Path) -> None:
    seen(folder)
    size = (folder / "config.json").stat().st_size
    before = (folder / "config.json").stat()
    (folder / "config.json").write_text(" " * size)
    os.utime(folder / "config.json", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert seen(folder).state is State.STOPPED  # to the clock and the size, it is the file from before


@pytest.mark.parametrize("name", ["w" * 300, "a\0b", 7])
def test_weights_whose_name_is_none_are_a_damaged_checkpoint(folder: Path, name: object) -> None:
    checkpoint = {"epoch": 1, "best_epoch": 1, "best_public_accuracy": 0.5, "weights": name}
    write(folder, "checkpoint.json", checkpoint)
    assert "checkpoint is damaged" in seen(folder).reason
