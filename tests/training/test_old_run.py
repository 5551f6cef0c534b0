"""A run that version 0.1.0 began can be finished by the current code."""

import json
import shutil
from pathlib import Path

import pytest

from emojify.runs.run import State, read_run
from emojify.training.fit import resume


def test_old_run_resumes(data_folder: Path, voted_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Path(shutil.copytree(data_folder / "old_formats" / "runs" / "20261102-120000-stopped", tmp_path / "run"))
    (tmp_path / "faces").symlink_to(voted_faces)
    monkeypatch.chdir(tmp_path)  # the run's data set is the relative path "faces"
    result = resume(run)
    assert result["epochs"] == 3
    assert [json.loads(line).get("epoch") for line in (run / "progress.jsonl").read_text().splitlines()][-1] == 3
    assert read_run(run, disk_free_bytes=10**12).state is State.FINISHED
