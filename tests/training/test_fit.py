"""Fit: a run tells its whole story, and a kill changes nothing but the time it takes."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig, default_config
from emojify.runs.networks import NETWORKS
from emojify.training import rundir
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
    "flip": True,
    "shift": 0.1,
    "rotation": 10.0,
    "scale": 0.1,
    "brightness": 0.1,
    "contrast": 0.2,
    "lighting": 0.2,
    "erase": 0.5,
    "mixup": 0.2,
    "choose_by": "balanced",
}


def epoch_lines(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "progress.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in line if key not in ("time", "seconds")} for line in lines if "epochs" in line]


def cut_power_in_epoch(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def batch(self: Journal, epoch: int, batch: int, batches: int, figures: dict[str, float]) -> None:
        if epoch == number and batch == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Journal, "batch", batch)


SMALL = PLAIN | {"network": "pooled", "small_epochs": 1, "average": 0.9}
SECOND_HEAD = EVERYTHING | {"ferplus_head": 0.5}


@pytest.mark.parametrize(
    "asked", [PLAIN, EVERYTHING, SMALL, SECOND_HEAD], ids=["plain", "everything", "small", "second head"]
)
def test_a_resumed_fit_says_what_an_uninterrupted_one_would_have(
    asked: dict[str, object], voted_faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = FitConfig(str(voted_faces), **asked)  # type: ignore[arg-type]
    start(config, tmp_path / "whole")
    with monkeypatch.context() as patch:
        cut_power_in_epoch(1, patch)
        with pytest.raises(KeyboardInterrupt):
            start(config, tmp_path / "cut")
    result = resume(tmp_path / "cut")
    assert result["epochs"] == 2
    assert epoch_lines(tmp_path / "cut") == epoch_lines(tmp_path / "whole")
    whole, cut = (load_network(config.network, tmp_path / run / "best.weights.h5") for run in ("whole", "cut"))
    for one, other in zip(whole.get_weights(), cut.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_folder_tells_its_whole_story(finished_run: Path) -> None:
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


def test_a_finished_run_resumed_does_nothing(finished_run: Path) -> None:
    before = (finished_run / "progress.jsonl").read_bytes()
    assert resume(finished_run) == json.loads((finished_run / "result.json").read_text())
    assert (finished_run / "progress.jsonl").read_bytes() == before


def test_no_new_best_for_long_enough_ends_a_fit(faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="tiny", epochs=30, learning_rate=1e-9, patience=1)
    assert start(config, tmp_path / "run")["epochs"] < 30
    assert "stopping early" in (tmp_path / "run" / "run.log").read_text()


def test_a_loss_that_blows_up_is_said_plainly(faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="tiny", epochs=3, optimizer="sgd", learning_rate=100.0, weight_decay=10.0)
    with pytest.raises(EmojifyError, match="blew up: the learning rate is too high"):
        start(config, tmp_path / "run")
    assert "failed" in (tmp_path / "run" / "run.log").read_text()


def test_a_fit_can_begin_with_the_weights_of_another(finished_run: Path, faces: Path, tmp_path: Path) -> None:
    weights = str(finished_run / "best.weights.h5")
    start(FitConfig(str(faces), network="tiny", epochs=1, learning_rate=1e-9, begin_with=weights), tmp_path / "run")
    assert epoch_lines(tmp_path / "run")[0]["val_accuracy"] > 0.7  # learned before; at this rate nothing is learned


def test_a_fit_goes_on_where_what_it_began_with_is_gone(
    finished_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first.weights.h5"
    shutil.copy(finished_run / "best.weights.h5", first)
    with monkeypatch.context() as patch:
        cut_power_in_epoch(1, patch)
        with pytest.raises(KeyboardInterrupt):
            start(FitConfig(str(faces), **PLAIN, begin_with=str(first)), tmp_path / "run")  # type: ignore[arg-type]
    first.unlink()
    assert resume(tmp_path / "run")["epochs"] == 2


def test_weights_of_another_network_are_refused(finished_run: Path, faces: Path, tmp_path: Path) -> None:
    config = FitConfig(str(faces), network="pooled", epochs=1, begin_with=str(finished_run / "best.weights.h5"))
    with pytest.raises(EmojifyError, match="does not hold the weights of the network 'pooled'"):
        start(config, tmp_path / "run")


def test_a_network_for_one_size_refuses_small_epochs(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="Set small_epochs to 0"):
        start(FitConfig(str(faces), network="seed", epochs=1, small_epochs=1), tmp_path / "run")


def test_a_taken_run_folder_is_refused_and_left_alone(finished_run: Path, faces: Path) -> None:
    before = (finished_run / "config.json").read_bytes()
    with pytest.raises(EmojifyError, match="already"):
        start(FitConfig(str(faces), network="tiny"), finished_run)
    assert (finished_run / "config.json").read_bytes() == before


def test_bad_data_leaves_no_run_behind(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="There is no"):
        start(FitConfig(str(tmp_path / "nowhere")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_votes_that_are_not_there_are_asked_for(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match=r"no FER\+ votes"):
        start(FitConfig(str(faces), network="tiny", ferplus_weight=0.5), tmp_path / "run")
    with pytest.raises(EmojifyError, match=r"no FER\+ votes"):
        start(FitConfig(str(faces), network="tiny", ferplus_head=0.5), tmp_path / "other")


def test_a_config_of_the_first_version_is_the_tutorials_recipe(tmp_path: Path) -> None:
    old = {"data": "fer2013.zip", "network": "seed", "epochs": 50, "batch_size": 64, "learning_rate": 0.0001}
    (tmp_path / "config.json").write_text(json.dumps(old | {"decay": 1e-06, "seed": 1}))
    assert FitConfig.read(tmp_path) == FitConfig("fer2013.zip")


def test_config_reads_old_names(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"data": "fer2013.zip", "network": "residual", "crowd_head": 0.5}')
    assert FitConfig.read(tmp_path) == FitConfig("fer2013.zip", network="residual", ferplus_head=0.5)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0; it must lie between 1 and"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"optimizer": "magic"}, "optimizer is 'magic'; it must be adam or sgd"),
        ({"ferplus_weight": 1.5}, "ferplus_weight is 1.5; it must lie between 0 and 1"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"small_side": 40}, "small_side is 40; it must be a multiple of 16"),
    ],
)
def test_settings_that_make_no_sense_are_refused(setting: dict[str, object], sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        FitConfig("data", **setting)  # type: ignore[arg-type]


def test_a_run_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"data": "x", "warp_drive": true}')
    with pytest.raises(EmojifyError, match="warp_drive"):
        FitConfig.read(tmp_path)


@pytest.mark.parametrize(
    "content", ["[1]", '{"network": "seed"}', '{"data": "x", "epochs": "ten"}', '{"data": "x", "momentum": null}']
)
def test_a_config_of_the_wrong_kind_is_refused_in_a_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(EmojifyError):
        FitConfig.read(tmp_path)


def test_every_network_has_a_recipe() -> None:
    for name in NETWORKS:
        assert default_config("data", name).network == name


def test_half_a_line_from_a_killed_fit_is_forgotten(tmp_path: Path) -> None:
    progress = tmp_path / "progress.jsonl"
    kept = '{"epoch": 0, "batch": 20}\n{"epoch": 1, "epochs": 3}\n'
    progress.write_text(kept + '{"epoch": 1, "batch": 20}\n{"epoch": 1, "ba')
    rundir._remove_unfinished(progress, 1)
    assert progress.read_text() == kept


def test_a_full_disk_is_met_before_hdf5_meets_it(faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match="No space left"):
        start(FitConfig(str(faces), network="tiny", epochs=1), tmp_path / "run")
    assert not list((tmp_path / "run").glob("*.weights.h5"))
