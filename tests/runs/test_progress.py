"""``progress.jsonl`` while it grows, and after a kill, a restart or an edit."""

import json
from pathlib import Path

import pytest

from emojify.runs.progress import Batch, read_progress

EPOCH = {"epochs": 3, "loss": 1.5, "accuracy": 0.4, "val_loss": 1.4, "val_accuracy": 0.5, "seconds": 10.0}
BATCH = {"batches": 4, "loss": 2.0, "accuracy": 0.2}


def log(run: Path, *lines: object, incomplete: str = "") -> None:
    with (run / "progress.jsonl").open("a") as file:
        file.writelines(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        file.write(incomplete)


def batch(epoch: int, number: int, time: float) -> dict[str, object]:
    return {"time": time, "epoch": epoch, "batch": number, **BATCH}


def test_progress_without_file_is_empty(tmp_path: Path) -> None:
    assert read_progress(tmp_path).epochs == ()
    assert read_progress(tmp_path).remaining_s(3, 0) is None


def test_progress_is_read_as_it_grows(tmp_path: Path) -> None:
    log(tmp_path, {"time": 1.0, "phase": "loading TensorFlow"})
    assert read_progress(tmp_path).phase == (1.0, "loading TensorFlow")
    log(tmp_path, batch(0, 1, 5.0), incomplete='{"time": 6.0, "epoch": 0, ')
    assert read_progress(tmp_path).batch == Batch(0, 1, 4, 2.0, 0.2, 5.0)
    log(tmp_path, '"batch": 2, "batches": 4}')
    progress = read_progress(tmp_path)
    assert progress.batch is not None
    assert (progress.batch.number, progress.unreadable) == (2, 0)
    log(tmp_path, {"epoch": 1, **EPOCH}, {"epoch": 2, **EPOCH, "val_accuracy": 0.6})
    assert [epoch.number for epoch in read_progress(tmp_path).epochs] == [1, 2]
    best = read_progress(tmp_path).best
    assert best is not None
    assert best.number == 2


def test_progress_restarts_with_shorter_file(tmp_path: Path) -> None:
    log(tmp_path, {"epoch": 1, **EPOCH}, {"epoch": 2, **EPOCH})
    assert len(read_progress(tmp_path).epochs) == 2
    (tmp_path / "shorter").write_text(json.dumps({"epoch": 1, **EPOCH}) + "\n")
    (tmp_path / "shorter").replace(tmp_path / "progress.jsonl")
    assert len(read_progress(tmp_path).epochs) == 1


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "7", '"text"', "{}", '{"epoch": 1, "batch": "x", "batches": 4}', '{"epoch": "x", "epochs": 3}',
     '{"epoch": 0, "batch": 5, "batches": 4}', '{"epoch": 0, "batch": 1, "batches": 0}', '{"phase": "x"}', "\x00"],
)  # fmt: skip
def test_progress_counts_unreadable_lines(tmp_path: Path, line: str) -> None:
    log(tmp_path, {"epoch": 1, **EPOCH}, line, {"epoch": 2, **EPOCH})
    progress = read_progress(tmp_path)
    assert [epoch.number for epoch in progress.epochs] == [1, 2]
    assert progress.unreadable == 1


def test_progress_reads_lines_of_older_versions(tmp_path: Path) -> None:
    log(tmp_path, {"epoch": 1, "epochs": 3, "loss": 1.5, "accuracy": 0.4})
    assert read_progress(tmp_path).epochs[0].val_macro_recall == 0.0


def test_remaining_time_follows_epochs(tmp_path: Path) -> None:
    log(tmp_path, {"epoch": 1, **EPOCH}, batch(1, 1, 100.0))
    assert read_progress(tmp_path).remaining_s(3, now=104.0) == 16.0  # two epochs of 10 s, 4 s into the first
    assert read_progress(tmp_path).remaining_s(3, now=500.0) == 10.0  # the first epoch is overdue


def test_remaining_time_follows_batches_in_first_epoch(tmp_path: Path) -> None:
    log(tmp_path, batch(0, 1, 100.0), batch(0, 3, 104.0))
    assert read_progress(tmp_path).remaining_s(3, now=104.0) == 20.0  # 2 s a batch, 4 of them, 3 times, less 4 s


def test_progress_refuses_infinite_figures(tmp_path: Path) -> None:
    log(tmp_path, '{"epoch": 1, "epochs": 3, "seconds": 1e400}', '{"time": NaN, "epoch": 0, "batch": 1, "batches": 4}')
    progress = read_progress(tmp_path)
    assert (progress.epochs, progress.batch, progress.unreadable) == ((), None, 2)
