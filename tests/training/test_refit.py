"""Refit: the last layer learns new targets, and the result is exported as a new model."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.training.cli import add_commands
from emojify.training.dataset import Dataset, load
from emojify.training.export import ExportOptions, export_run
from emojify.training.refit import RefitOptions, logistic_regression, refit, refit_last_layer
from emojify.training.weights import load_network


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def test_logistic_regression_finds_the_optimum() -> None:
    rng = np.random.default_rng(0)
    features = (rng.normal(3, [1.0, 10.0, 0.1, 0.0, 2.0], (400, 5))).astype(np.float32)  # the fourth never changes
    targets = softmax(features @ rng.normal(0, np.array([[1], [0.1], [10], [1], [0.5]]), (5, 3))).astype(np.float32)
    kernel, bias = logistic_regression(features, targets)
    probabilities = softmax(features.astype(np.float64) @ kernel + bias)
    # At the optimum the answers are right on average, and uncorrelated with what is left (but for regularization).
    np.testing.assert_allclose(probabilities.mean(axis=0), targets.mean(axis=0), atol=1e-4)
    spread = np.where(features.std(axis=0) > 0, features.std(axis=0), 1)
    gradient = ((features - features.mean(axis=0)) / spread).T @ (probabilities - targets) + kernel * spread[:, None]
    assert np.abs(gradient / len(features)).max() < 1e-4
    np.testing.assert_allclose(probabilities, targets, atol=0.05)


def test_refit_last_layer_learns_votes(finished_run: Path, voted_faces: Path) -> None:
    train = load(voted_faces).split("train")
    # Ten raters see happy where the label says neutral.
    votes = np.zeros_like(train.votes)
    seen = np.where(train.labels == Emotion.NEUTRAL, Emotion.HAPPY, train.labels)
    votes[np.arange(len(train)), seen] = 10
    voted = replace(train, votes=votes)
    network = load_network("tiny", finished_run / "best.weights.h5")
    before = [weight.copy() for weight in network.get_weights()]
    refit_last_layer(network, voted, RefitOptions(ferplus_weight=1, logit_adjustment=0))
    plain = network.predict(train.images[..., None], verbose=0)
    assert (plain[train.labels == Emotion.NEUTRAL].argmax(axis=1) == Emotion.HAPPY).mean() > 0.9
    for old, new in zip(before[:-2], network.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(old, new)


def test_refit_last_layer_adjusts_logits(finished_run: Path, train: Dataset) -> None:
    uneven = train.rows(np.flatnonzero((train.labels != Emotion.DISGUSTED) | (np.arange(len(train)) % 5 == 0)))
    network = load_network("tiny", finished_run / "best.weights.h5")
    logits = []
    for adjustment in (0.0, 0.5):
        refit_last_layer(network, uneven, RefitOptions(ferplus_weight=0, logit_adjustment=adjustment))
        logits.append(np.log(network.predict(train.images[:20, ..., None], verbose=0)))
    moved = logits[1] - logits[0]
    expected = -0.5 * np.log(np.bincount(uneven.labels, minlength=7) / len(uneven))
    # Softmax loses a constant, so the differences between emotions are compared.
    np.testing.assert_allclose(moved - moved[:, :1], np.tile(expected - expected[0], (20, 1)), atol=0.01)


def test_refit_exports_a_new_model(
    finished_run: Path, voted_faces: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "models"))
    export_run(finished_run, faces, tmp_path / "models", "one")
    for source, name in ((str(finished_run), "of-run"), ("one", "of-model")):
        parser = argparse.ArgumentParser()
        add_commands(parser.add_subparsers())
        words = ["refit", source, "--id", name, "--data", str(voted_faces), "--ferplus-weight", "0.5"]
        options = parser.parse_args(words)
        options.run(options)
        card = json.loads((tmp_path / "models" / name / "card.json").read_text())
        assert card["recipe"]["refit"] == {"ferplus_weight": 0.5, "logit_adjustment": 0.5}
        assert card["recipe"]["epochs_done"] == 8
        assert card["network"] == "tiny"


def test_refit_refuses_what_it_can_not_use(
    finished_run: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path))
    for target, sentence in (("With Space", "can't name a model"), ("votes", r"no FER\+ votes")):
        with pytest.raises(EmojifyError, match=sentence):
            refit(str(finished_run), faces, tmp_path / target, RefitOptions(), ExportOptions())
    with pytest.raises(EmojifyError, match="There is no model 'nobody'"):
        refit("nobody", faces, tmp_path / "new", RefitOptions(), ExportOptions())
    export_run(finished_run, faces, tmp_path, "one")
    with pytest.raises(EmojifyError, match="Give the data set with --data"):
        refit("one", None, tmp_path / "new", RefitOptions(), ExportOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    shutil.rmtree(tmp_path / "one")
