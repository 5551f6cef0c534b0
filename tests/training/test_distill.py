"""Distillation: a network learns what other networks answer."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.runs.run import State, read_run
from emojify.training.cli import add_commands
from emojify.training.dataset import Dataset
from emojify.training.export import ExportOptions, export_run, recipe_of
from emojify.training.fit import start
from emojify.training.loss import logit_bias, make_loss
from emojify.training.rundir import Journal
from emojify.training.teachers import Teachers
from emojify.training.weights import load_network


def call(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    options = parser.parse_args([str(argument) for argument in arguments])
    return options.run(options) or 0


@pytest.fixture(scope="module")
def second_run(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of the network ``pooled``."""
    run = tmp_path_factory.mktemp("runs") / "second"
    start(FitConfig(str(faces), network="pooled", epochs=1, batch_size=8, learning_rate=3e-3), run)
    return run


def test_teachers_mix_their_mean_into_targets(finished_run: Path, second_run: Path, train: Dataset) -> None:
    images, targets = train.images[:10, ..., None], np.eye(7, dtype=np.float32)[train.labels[:10]]
    config = FitConfig("data", teachers=(str(finished_run), str(second_run)), teacher_weight=0.75)
    mixed = Teachers(config, np.zeros(7, np.float32)).mix(images, targets).numpy()
    answers = [
        load_network(name, run / "best.weights.h5").predict(images, verbose=0)
        for name, run in (("tiny", finished_run), ("pooled", second_run))
    ]
    np.testing.assert_allclose(mixed, 0.75 * (answers[0] + answers[1]) / 2 + 0.25 * targets, atol=1e-5)
    with_votes = Teachers(config, np.zeros(7, np.float32)).mix(images, np.hstack([targets, targets])).numpy()
    np.testing.assert_array_equal(with_votes[:, 7:], targets)


def test_teachers_answer_has_lowest_loss_with_adjustment(finished_run: Path, train: Dataset) -> None:
    uneven = train.rows(np.flatnonzero((train.labels > 0) | (np.arange(len(train)) % 5 == 0)))
    config = FitConfig("data", teachers=(str(finished_run),), teacher_weight=1.0, logit_adjustment=1.0)
    images = uneven.images[:10, ..., None]
    answer = load_network("tiny", finished_run / "best.weights.h5").predict(images, verbose=0)
    targets = Teachers(config, logit_bias(uneven, config)).mix(images, np.zeros((10, 7), np.float32)).numpy()
    loss = make_loss(config, uneven)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = answer * np.exp(rng.normal(0, 0.1, answer.shape)).astype(np.float32)
        other /= other.sum(axis=1, keepdims=True)
        assert (np.asarray(loss(targets, answer)) <= np.asarray(loss(targets, other)) + 1e-6).all()


def test_distill_command_resumes_exactly(
    finished_run: Path, second_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["distill", "--data", faces, "--teachers", finished_run, second_run, "--network", "tiny", "--epochs", 2]
    words += ["--batch-size", 16, "--set", "flip=true", "--set", "blur=1", "--set", "ferplus_weight=0"]
    assert call(*words, "--run", tmp_path / "whole") == 0

    def stop(self: Journal, epoch: int, batch: int, batches: int, figures: dict[str, float]) -> None:
        if epoch == 1 and batch == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "batch", stop)
        assert call(*words, "--run", tmp_path / "stopped") == 130
    assert call("train", "--resume", tmp_path / "stopped") == 0
    whole, stopped = (load_network("tiny", tmp_path / run / "best.weights.h5") for run in ("whole", "stopped"))
    for one, other in zip(whole.get_weights(), stopped.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    run = read_run(tmp_path / "whole", disk_free_bytes=10**12)
    assert run.state is State.FINISHED
    assert run.config is not None
    assert run.config.teachers == (str(finished_run), str(second_run))
    assert run.config.teacher_weight == 0.7


def test_distill_accepts_models_and_hides_paths_on_card(
    finished_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "models"))
    model = export_run(finished_run, faces, tmp_path / "models", "one", ExportOptions())
    teachers = ("--teachers", "one", "--teacher-weight", 1, "--epochs", 1)
    assert call("distill", "--data", faces, *teachers, "--network", "tiny", "--run", tmp_path / "run") == 0
    config = FitConfig.read(tmp_path / "run")
    assert config.teachers == (str(model),)
    recipe = recipe_of(config, {"epoch": 1, "best_epoch": 1})
    assert recipe["teachers"] == ["one"]
    assert str(tmp_path) not in json.dumps(recipe)


def test_distill_names_a_missing_teacher(faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path))
    with pytest.raises(EmojifyError, match="There is no model 'nobody'"):
        call("distill", "--data", faces, "--teachers", "nobody", "--run", tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(EmojifyError, match="set both, or neither"):
        FitConfig("data", teacher_weight=0.5)
