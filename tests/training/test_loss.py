"""The loss: cross-entropy with the targets, logit adjustment, and the second head's part."""

import numpy as np
import pytest
from keras import losses

from emojify.runs.config import FitConfig
from emojify.training.dataset import Dataset
from emojify.training.loss import accuracy, logit_bias, make_loss, with_ferplus_head
from emojify.training.weights import build_network

TARGETS = np.eye(7, dtype=np.float32)[[0, 3]]
PROBABILITIES = np.array([[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1, 0.4, 0.1, 0.1]], np.float32)
VOTES = np.array([[0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0.5, 0.5, 0, 0]], np.float32)  # the first has no votes


def test_loss_is_cross_entropy_by_default(train: Dataset) -> None:
    loss = make_loss(FitConfig("data"), train)(TARGETS, PROBABILITIES)
    expected = losses.categorical_crossentropy(TARGETS, PROBABILITIES)
    assert np.asarray(loss) == pytest.approx(np.asarray(expected))


def test_loss_adds_votes_of_second_head(train: Dataset) -> None:
    config = FitConfig("data", ferplus_head=0.5)
    loss = make_loss(config, train)(np.hstack([TARGETS, VOTES]), np.hstack([PROBABILITIES, PROBABILITIES]))
    own = -np.log([0.4, 0.1])
    votes = np.array([0, -0.5 * np.log(0.1) - 0.5 * np.log(0.4)])
    assert np.asarray(loss) == pytest.approx(own + 0.5 * votes, rel=1e-5)


def test_logit_bias_follows_shares_of_targets(train: Dataset) -> None:
    rare = train.rows(np.flatnonzero((train.labels != 1) | (np.arange(len(train)) % 5 == 0)))
    bias = logit_bias(rare, FitConfig("data", logit_adjustment=0.5))
    assert bias == pytest.approx(0.5 * np.log(np.bincount(rare.labels) / len(rare)), rel=1e-4)
    assert logit_bias(rare, FitConfig("data")).tolist() == [0] * 7


def test_accuracy_is_of_first_head() -> None:
    right = np.asarray(accuracy(np.hstack([TARGETS, VOTES]), np.hstack([PROBABILITIES, TARGETS])))
    assert right.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["tiny", "pooled"])
def test_second_head_keeps_first_heads_answer(name: str) -> None:
    network = build_network(name)
    pictures = np.random.default_rng(0).integers(0, 255, (3, 48, 48, 1)).astype(np.uint8)
    probabilities = with_ferplus_head(network).predict(pictures, verbose=0)
    assert probabilities.shape == (3, 14)
    np.testing.assert_allclose(probabilities[:, :7], network.predict(pictures, verbose=0), rtol=1e-5)
    assert probabilities[:, 7:].sum(axis=1) == pytest.approx([1, 1, 1])
