"""A file that grows, is torn, cut and edited."""

import json
from pathlib import Path

import pytest

from emojify.runs.progress import Batch, read_progress

EPOCH = {"epochs": 3, "loss": 1.5, "accuracy": 0.4, "val_loss": 1.4, "val_accuracy": 0.5, "seconds": 10.0}
BATCH = {"batches": 4, "loss": 2.0, "accuracy": 0.2}


def say(run: Path, *lines: object, torn: str = "") -> None:
    with (run / "progress.jsonl").open("a") as file:
        file.writelines(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        file.write(torn)


def batch(epoch: int, number: int, time: float) -> dict[str, object]:
    return {"time": time, "epoch": epoch, "batch": number, **BATCH}


def test_nothing_said_is_nothing_read(tmp_path: Path) -> None:
    assert read_progress(tmp_path).epochs == ()
    assert read_progress(tmp_path).remaining_s(3, 0) is None


def test_it_is_read_as_it_grows(tmp_path: Path) -> None:
    say(tmp_path, {"time": 1.0, "phase": "loading TensorFlow"})
    assert read_progress(tmp_path).phase == (1.0, "loading TensorFlow")
    say(tmp_path, batch(0, 1, 5.0), torn='{"time": 6.0, "epoch": 0, ')
    assert read_progress(tmp_path).batch == Batch(0, 1, 4, 2.0, 0.2, 5.0)
    say(tmp_path, '"batch": 2, "batches": 4}')
    progress = read_progress(tmp_path)
    assert progress.batch is not None
    assert (progress.batch.number, progress.unreadable) == (2, 0)
    say(tmp_path, {"epoch": 1, **EPOCH}, {"epoch": 2, **EPOCH, "val_accuracy": 0.6})
    assert [epoch.number for epoch in read_progress(tmp_path).epochs] == [1, 2]
    best = read_progress(tmp_path).best
    assert best is not None
    assert best.number == 2


def test_a_resumed_fit_that_cut_the_file_is_read_anew(tmp_path: Path) -> None:
    say(tmp_path, {"epoch": 1, **EPOCH}, {"epoch": 2, **EPOCH})
    assert len(read_progress(tmp_path).epochs) == 2
    (tmp_path / "shorter").write_text(json.dumps({"epoch": 1, **EPOCH}) + "\n")
    (tmp_path / "shorter").replace(tmp_path / "progress.jsonl")
    assert len(read_progress(tmp_path).epochs) == 1


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "7", '"text"', "{}", '{"epoch": 1, "batch": "x", "batches": 4}', '{"epoch": "x", "epochs": 3}',
     '{"epoch": 0, "batch": 5, "batches": 4}', '{"epoch": 0, "batch": 1, "batches": 0}', '{"phase": "x"}', "\x00"],
)  # fmt: skip
def test_a_line_that_is_none_is_counted_and_left_out(tmp_path: Path, line: str) -> None:
    say(tmp_path, {"epoch": 1, **EPOCH}, line, {"epoch": 2, **EPOCH})
    progress = read_progress(tmp_path)
    assert [epoch.number for epoch in progress.epochs] == [1, 2]
    assert progress.unreadable == 1


def test_a_fit_of_an_older_version_that_said_less_is_read(tmp_path: Path) -> None:
    say(tmp_path, {"epoch": 1, "epochs": 3, "loss": 1.5, "accuracy": 0.4})
    assert read_progress(tmp_path).epochs[0].val_macro_recall == 0.0


def test_the_time_left_follows_the_pace_of_the_epochs(tmp_path: Path) -> None:
    say(tmp_path, {"epoch": 1, **EPOCH}, batch(1, 1, 100.0))
    assert read_progress(tmp_path).remaining_s(3, now=104.0) == 16.0  # two epochs of 10 s, 4 s into the first
    assert read_progress(tmp_path).remaining_s(3, now=500.0) == 10.0  # a late one does not count backwards


def test_in_the_first_epoch_it_follows_the_batches(tmp_path: Path) -> None:
    say(tmp_path, batch(0, 1, 100.0), batch(0, 3, 104.0))
    assert read_progress(tmp_path).remaining_s(3, now=104.0) == 20.0  # 2 s a batch, 4 of them, 3 times, less 4 s


def test_figures_without_end_are_no_figures(tmp_path: Path) -> None:
    say(tmp_path, '{"epoch": 1, "epochs": 3, "seconds": 1e400}', '{"time": NaN, "epoch": 0, "batch": 1, "batches": 4}')
    progress = read_progress(tmp_path)
    assert (progress.epochs, progress.batch, progress.unreadable) == ((), None, 2)
