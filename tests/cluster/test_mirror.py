"""Both ends of a fit on a cluster, called directly: what one writes appears at the other, and is a whole run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emojify.cluster.inputs import Input, packed
from emojify.cluster.mirror import Mirror
from emojify.cluster.worker import FitWorker
from emojify.errors import EmojifyError
from emojify.files import write_atomically, write_json
from emojify.runs.config import FitConfig
from emojify.runs.run import State, read_run


class Ends:
    """A worker whose fit is a process that sleeps, and a mirror; tests write the files of the fit."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "runs" / "one"
        self.run.mkdir(parents=True)
        write_json(self.run / "config.json", {"data": "faces.zip"})
        self.worker, self.mirror = FitWorker("one", 1), Mirror(self.run)
        self.there = self.worker._run
        self.there.mkdir()
        self.worker._fit = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

    def copy(self) -> list[str]:
        changes = self.worker.changes(self.mirror.known)
        self.mirror.apply(changes)
        return [change.name for change in changes.files]

    def end_fit(self) -> None:
        assert self.worker._fit is not None
        self.worker._fit.kill()
        self.worker._fit.wait()

    def write_checkpoint(self, epoch: int) -> None:
        (self.there / f"checkpoint-{epoch:03d}.weights.h5").write_text(f"weights {epoch}")
        content = {"epoch": epoch, "best_epoch": epoch, "best_public_accuracy": 0.5}
        write_json(self.there / "checkpoint.json", {**content, "weights": f"checkpoint-{epoch:03d}.weights.h5"})


@pytest.fixture
def ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ends = Ends(tmp_path)
    yield ends
    ends.end_fit()


def test_what_a_fit_writes_appears_once(ends: Ends) -> None:
    (ends.there / "best.json").write_text("{}")
    (ends.there / ".best.json").write_text("unfinished")
    assert ends.copy() == ["best.json"]
    assert ends.copy() == []
    assert (ends.run / "best.json").read_text() == "{}"


def test_logs_grow_by_their_new_lines(ends: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("first\n", "second\n"):
        with (ends.there / "run.log").open("a") as log:
            log.write(line)
        ends.copy()
    assert (ends.run / "run.log").read_text() == "first\nsecond\n"
    assert capsys.readouterr().out == "first\nsecond\n"


def test_rewritten_progress_replaces_the_old_one(ends: Ends) -> None:
    progress = ends.there / "progress.jsonl"
    progress.write_text('{"epoch": 1}\n{"epoch": 1, "batch": 7}\n')
    ends.copy()
    write_atomically(progress, b'{"epoch": 1}\n{"epoch": 2, "epochs": 3, "a": 1}\n{"epoch": 3}\n')  # longer than before
    ends.copy()
    assert (ends.run / "progress.jsonl").read_text() == progress.read_text()


def test_append_that_was_interrupted_is_repeated(ends: Ends) -> None:
    progress = ends.there / "progress.jsonl"
    progress.write_text("1\n")
    ends.copy()
    with progress.open("a") as file:
        file.write("2\n3\n")
    with (ends.run / "progress.jsonl").open("a") as file:
        file.write("2\n")  # as far as the interrupted copy came
    ends.copy()
    assert (ends.run / "progress.jsonl").read_text() == "1\n2\n3\n"


def test_checkpoint_is_copied_with_its_weights_and_replaces_the_older_one(ends: Ends) -> None:
    ends.write_checkpoint(1)
    assert ends.copy() == ["checkpoint-001.weights.h5", "checkpoint.json"]
    ends.write_checkpoint(2)
    (ends.there / "checkpoint-001.weights.h5").unlink()
    ends.copy()
    assert {path.name for path in ends.run.glob("checkpoint*")} == {"checkpoint.json", "checkpoint-002.weights.h5"}
    assert read_run(ends.run, disk_free_bytes=10**12).epochs_done == 2


def test_checkpoint_whose_weights_are_gone_already_is_not_copied(ends: Ends) -> None:
    ends.write_checkpoint(1)
    ends.copy()
    ends.write_checkpoint(2)
    for path in ends.there.glob("*.h5"):
        path.unlink()  # as the fit does when it has written the third
    ends.copy()
    assert read_run(ends.run, disk_free_bytes=10**12).epochs_done == 1


def test_run_is_finished_when_its_fit_has_ended(ends: Ends) -> None:
    ends.write_checkpoint(1)
    write_json(ends.there / "result.json", {"epochs": 1})
    assert "result.json" not in ends.copy()
    ends.end_fit()
    write_json(ends.there / "ended.json", {"how": "finished", "why": ""})
    assert ends.copy() == ["result.json"]
    assert ends.worker.changes(ends.mirror.known).ended["how"] == "finished"
    assert not (ends.run / "ended.json").exists()  # the process here writes its own
    assert read_run(ends.run, disk_free_bytes=10**12).state is State.FINISHED


def test_killed_fit_shows_what_it_printed(ends: Ends, capsys: pytest.CaptureFixture[str]) -> None:
    (ends.there / "process.log").write_text("Out of memory")
    ends.end_fit()
    ends.copy()
    assert capsys.readouterr().out == "Out of memory\n"


def test_only_files_of_the_fit_travel(ends: Ends) -> None:
    for name in ("config.json", "process.json", "cluster.json", "stopping.json", "progress.jsonl"):
        (ends.run / name).write_text(json.dumps({}))
    (ends.run / "export").mkdir()
    assert ends.mirror.files() == {"progress.jsonl": b"{}"}


def test_closed_worker_leaves_nothing_of_the_fit(ends: Ends) -> None:
    folder = ends.there.parent.parent
    ends.worker.close()
    assert not list(folder.iterdir())


def test_input_is_sent_to_a_machine_once(ends: Ends, tmp_path: Path) -> None:
    (tmp_path / "faces.zip").write_bytes(os.urandom(1000))
    first, second = ends.worker, FitWorker("two", 1)
    with packed(Input("faces.zip", {"faces.zip": tmp_path / "faces.zip"})) as (digest, archive):
        assert first.claim(digest) == "send"
        assert second.claim(digest) == "wait"
        first.receive(archive.read(4096))
        first.receive(archive.read())
        folder = Path(first.unpack(digest))
        assert second.claim(digest) == "present"
        assert second.unpack(digest) == str(folder)
        assert FitWorker("three", 1).claim(digest) == "present"
    assert (folder / "faces.zip").read_bytes() == (tmp_path / "faces.zip").read_bytes()


def test_damaged_archive_is_no_input(ends: Ends) -> None:
    assert ends.worker.claim("0" * 64) == "send"
    ends.worker.receive(b"no archive")
    with pytest.raises(EmojifyError, match="damaged on its way"):
        ends.worker.unpack("0" * 64)
    assert FitWorker("two", 1).claim("0" * 64) == "send"


def test_fit_gets_the_paths_of_its_machine(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    worker = FitWorker("two", 1)
    worker.start(FitConfig("/here/faces.zip"), {"/here/faces.zip": "/there/faces.zip"}, {"progress.jsonl": b"1\n"}, "")
    folder = Path(started[0][-1])
    assert started[0][1:-1] == ["-m", "emojify", "train", "--resume"]
    assert FitConfig.read(folder).data == "/there/faces.zip"
    assert (folder / "progress.jsonl").read_bytes() == b"1\n"
