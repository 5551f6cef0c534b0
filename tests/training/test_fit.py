"""Fit: what a run folder contains, and that a resumed fit gives the numbers of an uninterrupted one."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.training import rundir
from emojify.training.dataset import load
from emojify.training.figures import class_balanced_cross_entropy
from emojify.training.fit import resume, start
from emojify.training.rundir import Journal
from emojify.training.weights import load_network

PLAIN = {"network": "tiny", "epochs": 2, "batch_size": 16, "learning_rate": 3e-3}
EVERYTHING = PLAIN | {
    "optimizer": "sgd",
    "learning_rate": 0.05,
    "schedule": "cosine",
    "warmup_epochs": 0.5,
    "weight_decay": 1e-3,
    "average": 0.9,
    "label_smoothing": 0.1,
    "class_balance": 0.5,
    "logit_adjustment": 0.5,
    "drop_no_face": True,
    "drop_copies": True,
    "flip": True,
    "shift": 0.1,
    "rotation": 10.0,
    "scale": 0.1,
    "brightness": 0.1,
    "contrast": 0.2,
    "lighting": 0.2,
    "dim": 0.3,
    "gamma": 0.2,
    "blur": 1.0,
    "low_resolution": 0.3,
    "noise": 0.02,
    "jpeg": 0.3,
    "erase": 0.5,
    "mixup": 0.2,
    "cutmix": 0.2,
    "choose_by": "balanced",
}
SMALL = PLAIN | {"network": "pooled", "small_epochs": 1, "average": 0.9}
SECOND_HEAD = EVERYTHING | {"ferplus_head": 0.5, "choose_by": "ferplus"}


def epoch_lines(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "progress.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in line if key not in ("time", "seconds")} for line in lines if "epochs" in line]


def interrupt_in_epoch(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt the next fit in the third batch of an epoch, counted from 0."""

    def batch(self: Journal, epoch: int, batch: int, batches: int, figures: dict[str, float]) -> None:
        if epoch == number and batch == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Journal, "batch", batch)


@pytest.mark.parametrize(
    "settings", [PLAIN, EVERYTHING, SMALL, SECOND_HEAD], ids=["plain", "everything", "small", "second head"]
)
def test_resumed_fit_equals_uninterrupted_one(
    settings: dict[str, object], voted_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = FitConfig(str(voted_faces), **settings)  # type: ignore[arg-type]
    start(config, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt_in_epoch(1, patch)
        with pytest.raises(KeyboardInterrupt):
            start(config, tmp_path / "interrupted")
    result = resume(tmp_path / "interrupted")
    assert result["epochs"] == 2
    assert epoch_lines(tmp_path / "interrupted") == epoch_lines(tmp_path / "whole")
    networks = [load_network(config.network, tmp_path / run / "best.weights.h5") for run in ("whole", "interrupted")]
    for one, other in zip(*(network.get_weights() for network in networks), strict=True):
        np.testing.assert_array_equal(one, other)


def test_run_folder_is_complete(finished_run: Path) -> None:
    names = {path.name for path in finished_run.iterdir()}
    assert {"config.json", "environment.json", "progress.jsonl", "run.log", "result.json", "best.weights.h5"} <= names
    assert any(name.startswith("events.") for name in names)  # for TensorBoard
    assert [name for name in names if name.startswith("checkpoint-")] == ["checkpoint-008.weights.h5"]  # only the last
    lines = epoch_lines(finished_run)
    assert [line["epoch"] for line in lines] == list(range(1, 9))
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "val_macro_recall", "learning_rate"} <= set(lines[0])
    result = json.loads((finished_run / "result.json").read_text())
    assert result["best_public_accuracy"] == max(line["val_accuracy"] for line in lines)
    environment = json.loads((finished_run / "environment.json").read_text())
    assert {"cpu", "cores", "gpus", "precision", "versions"} <= set(environment)
    assert "epoch 8/8" in (finished_run / "run.log").read_text()


def test_choose_by_ferplus_keeps_lowest_cross_entropy(voted_faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(voted_faces), network="tiny", epochs=4, batch_size=8, learning_rate=0.02)
    run = tmp_path / "run"
    result = start(replace(config, choose_by="ferplus"), run)
    entropies = [line["val_ferplus_cross_entropy"] for line in epoch_lines(run)]
    assert result["best_epoch"] == 1 + entropies.index(min(entropies))
    state = json.loads((run / "checkpoint.json").read_text())
    assert state["best_score"] == pytest.approx(math.exp(-min(entropies)))
    public = load(voted_faces).split("public")
    probabilities = load_network("tiny", run / "best.weights.h5").predict(public.images[..., None], verbose=0)
    assert class_balanced_cross_entropy(probabilities, public.votes) == pytest.approx(min(entropies), rel=1e-3)


def test_resume_leaves_finished_run(finished_run: Path) -> None:
    before = (finished_run / "progress.jsonl").read_bytes()
    assert resume(finished_run) == json.loads((finished_run / "result.json").read_text())
    assert (finished_run / "progress.jsonl").read_bytes() == before


def test_patience_stops_early(faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="tiny", epochs=30, learning_rate=1e-9, patience=1)
    assert start(config, tmp_path / "run")["epochs"] < 30
    assert "stopping early" in (tmp_path / "run" / "run.log").read_text()


def test_diverged_fit_names_learning_rate(faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="tiny", epochs=3, optimizer="sgd", learning_rate=100.0, weight_decay=10.0)
    with pytest.raises(EmojifyError, match="blew up: the learning rate is too high"):
        start(config, tmp_path / "run")
    assert "failed" in (tmp_path / "run" / "run.log").read_text()


def test_start_begins_with_given_weights(finished_run: Path, faces: Path, tmp_path: Path) -> None:
    weights = str(finished_run / "best.weights.h5")
    start(FitConfig(str(faces), network="tiny", epochs=1, learning_rate=1e-9, begin_with=weights), tmp_path / "run")
    assert epoch_lines(tmp_path / "run")[0]["val_accuracy"] > 0.7  # at this rate nothing new is learned


def test_resume_does_not_need_initial_weights(
    finished_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first.weights.h5"
    shutil.copy(finished_run / "best.weights.h5", first)
    with monkeypatch.context() as patch:
        interrupt_in_epoch(1, patch)
        with pytest.raises(KeyboardInterrupt):
            start(FitConfig(str(faces), **PLAIN, begin_with=str(first)), tmp_path / "run")  # type: ignore[arg-type]
    first.unlink()
    assert resume(tmp_path / "run")["epochs"] == 2


def test_start_rejects_weights_of_another_network(finished_run: Path, faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="pooled", epochs=1, begin_with=str(finished_run / "best.weights.h5"))
    with pytest.raises(EmojifyError, match="does not hold the weights of the network 'pooled'"):
        start(config, tmp_path / "run")


def test_seed_network_rejects_small_epochs(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="Set small_epochs to 0"):
        start(FitConfig(str(faces), network="seed", epochs=1, small_epochs=1), tmp_path / "run")


def test_start_rejects_existing_folder(finished_run: Path, faces: Path) -> None:
    before = (finished_run / "config.json").read_bytes()
    with pytest.raises(EmojifyError, match="already"):
        start(FitConfig(str(faces), network="tiny"), finished_run)
    assert (finished_run / "config.json").read_bytes() == before


def test_start_without_data_creates_no_run(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="There is no"):
        start(FitConfig(str(tmp_path / "nowhere")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("setting", [{"ferplus_weight": 0.5}, {"ferplus_head": 0.5}, {"choose_by": "ferplus"}])
def test_start_needs_votes_for_ferplus(setting: dict[str, object], faces: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match=r"no FER\+ votes"):
        start(FitConfig(str(faces), network="tiny", **setting), tmp_path / "run")  # type: ignore[arg-type]


def test_journal_removes_unfinished_lines(tmp_path: Path) -> None:
    progress = tmp_path / "progress.jsonl"
    kept = '{"epoch": 0, "batch": 20}\n{"epoch": 1, "epochs": 3}\n'
    progress.write_text(kept + '{"epoch": 1, "batch": 20}\n{"epoch": 1, "ba')
    rundir._remove_unfinished(progress, 1)
    assert progress.read_text() == kept


def test_full_disk_is_reported_before_writing(faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match="No space left"):
        start(FitConfig(str(faces), network="tiny", epochs=1), tmp_path / "run")
    assert not list((tmp_path / "run").glob("*.weights.h5"))
