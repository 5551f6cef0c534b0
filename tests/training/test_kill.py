"""A fit that is killed while it writes a checkpoint resumes to the same numbers, whichever step it had reached."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import numpy as np

from emojify.files import fingerprint
from emojify.runs.config import FitConfig
from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.training.fit import resume, start
from emojify.training.weights import load_network
from tests.helpers.failing_disk import FailingDisk, failing


class RecordingDisk(FailingDisk):
    """Copies the run before every change to it: what a kill at that moment would leave. Nothing fails."""

    def __init__(self, run: Path, kept: Path) -> None:
        super().__init__(run, errno.EROFS, allowed=0)
        self.run, self.kept, self.copies, self._last = run, kept, 0, ""

    def fail(self, path: object) -> None:
        seen = fingerprint(self.run)
        if seen != self._last:
            self._last = seen
            shutil.copytree(self.run, self.kept / f"{self.copies:03d}")
            self.copies += 1


def epochs(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "progress.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in line if key not in ("time", "seconds")} for line in lines if "epochs" in line]


def test_fit_killed_within_checkpoint_resumes_exactly(faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="tiny", epochs=2, batch_size=8, learning_rate=3e-3, average=0.9)
    whole, kept = tmp_path / "whole", tmp_path / "kept"
    with failing(RecordingDisk(whole, kept)) as disk:
        start(config, whole)
    assert isinstance(disk, RecordingDisk)
    runs = [run for run in RunStore(kept).runs() if run.epochs_done == 1]
    assert json.loads((whole / "best.json").read_text())["epoch"] == 2, "the second epoch is to be the best one"
    assert len(runs) > 5
    for run in runs:
        assert run.state is State.STOPPED
        assert run.can_resume
        for unfinished in run.folder.glob(".*"):  # temporary files, cut in half
            unfinished.write_bytes(unfinished.read_bytes()[: unfinished.stat().st_size // 2])
        resume(run.folder)
        assert epochs(run.folder) == epochs(whole)
        for name in ("best.weights.h5", "checkpoint-002.weights.h5"):
            one, other = (load_network("tiny", folder / name).get_weights() for folder in (whole, run.folder))
            for ours, theirs in zip(one, other, strict=True):
                np.testing.assert_array_equal(ours, theirs)
        assert {path.name for path in run.folder.glob("checkpoint*")} == {
            "checkpoint.json", "checkpoint-002.weights.h5", "checkpoint-002.average.npz"
        }  # fmt: skip
