"""Files that version 0.1.0 wrote still open: packs, models, runs, recordings, drafts and videos.

The files are in ``tests/data/old_formats``; its README says what they are and how they were made.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.models import ModelStore
from emojify.packs.store import list_packs
from emojify.runs.progress import read_progress
from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.settings import Settings
from emojify.teaching import drafts
from emojify.teaching.rehearsal import read_bank
from emojify.video.jobs import JobStore


@pytest.fixture
def settings(tmp_path: Path, data_folder: Path) -> Settings:
    """A copy of the old files, so that a test may change them."""
    root = Path(shutil.copytree(data_folder / "old_formats", tmp_path / "old"))
    return Settings(root / "models", root / "emojis", root / "data", root / "runs")


def test_old_packs_load(settings: Settings) -> None:
    found = list_packs(settings.emojis)
    assert found.problems == ()
    assert [pack.name for pack in found.packs] == ["cats", "Robin"]
    robin = found.get("robin")
    assert (robin.author, robin.license) == ("Ada", "MIT")
    assert (robin.head.x, robin.head.y, robin.head.width) == (0.5, 0.47, 0.64)
    assert found.get("cats").avatar is None
    assert len(found.get("cats").pictures) == len(Emotion)


def test_old_models_open(settings: Settings) -> None:
    store = ModelStore(settings.models)
    opened = store.open()
    assert opened.problems == ()
    assert opened.model.id == store.live_id == "me-20261101-120000"
    assert opened.classifier.classify(np.full((48, 48), 128, np.uint8)).shape == (len(Emotion),)
    assert store.get("seed").accuracy("private") is not None
    assert len(read_bank(store.get("seed")).labels) > 100
    assert store.rollback() == "seed"


def test_old_personal_model_is_recognized(settings: Settings) -> None:
    store = ModelStore(settings.models)
    assert [model.id for model in drafts.personal_models(store)] == ["me-20261101-120000"]
    assert drafts.base_model(store).id == "seed"


def test_old_recordings_are_read(settings: Settings) -> None:
    store = drafts.sample_store(settings)
    assert store.problems() == []
    assert [sample.emotion for sample in store.samples()] == [Emotion.ANGRY] * 8 + [Emotion.HAPPY] * 8
    assert store.samples()[0].cutout().crop(0.0).shape == (48, 48)


def test_old_draft_can_be_promoted(settings: Settings) -> None:
    draft = drafts.find_latest(settings)
    assert draft is not None
    assert (draft.running, draft.progress, draft.step, draft.error) == (False, 1.0, "Done", None)
    assert draft.result is not None
    assert draft.result["learned"]
    assert drafts.promote(settings, draft).id == ModelStore(settings.models).live_id == "me-20261102-120000"


STATES = {
    "20261101-120000-finished": State.FINISHED,
    "20261102-120000-stopped": State.STOPPED,
    "20261103-120000-killed": State.KILLED,
    "20261104-120000-failed": State.FAILED,
    "20261105-120000-seed": State.QUEUED,
}


def test_old_runs_keep_their_states(settings: Settings) -> None:
    store = RunStore(settings.runs)
    assert {run.id: run.state for run in store.runs()} == STATES
    assert store.queue() == ["20261105-120000-seed"]
    assert "The memory ran out" in store.get("20261104-120000-failed").reason


@pytest.mark.parametrize("run_id", STATES)
def test_old_settings_are_read(settings: Settings, run_id: str) -> None:
    config = RunStore(settings.runs).get(run_id).config
    assert config is not None
    assert (config.data, config.ferplus_weight) == ("faces", 0.1)
    assert config.ferplus_head == 0.5  # version 0.1.0 wrote it as "crowd_head"


def test_old_results_are_read(settings: Settings) -> None:
    run = RunStore(settings.runs).get("20261101-120000-finished")
    assert (run.epochs_done, run.best_epoch, run.data_name) == (2, 1, "FER-2013")
    assert run.best_accuracy == pytest.approx(6 / 35)
    assert run.best["figures"]["accuracy"] == run.best_recall == 0.1714  # best.json is rounded
    assert len(run.best["wrong"]) == 2
    assert run.model_id == "20261101-120000-finished-e1"
    progress = read_progress(run.folder)
    assert ([epoch.number for epoch in progress.epochs], progress.unreadable) == ([1, 2], 0)
    assert progress.best is not None
    assert progress.best.val_accuracy == pytest.approx(run.best_accuracy)
    stopped = RunStore(settings.runs).get("20261102-120000-stopped")
    assert (stopped.can_resume, stopped.has_weights) == (True, True)
    assert "public accuracy 0.1714" in stopped.log_tail()


def test_old_video_waits(settings: Settings) -> None:
    store = JobStore(settings.data / "videos")
    (token,) = [path.name for path in store.folder.iterdir()]
    job = store.get(token)
    assert job is not None
    assert (job.source.name, job.target.name, job.report()["state"]) == ("in.mp4", "out.mp4", "lost")
