"""What a fit descends on."""

import numpy as np
import pytest
from keras import losses

from emojify.runs.config import FitConfig
from emojify.training.dataset import Dataset
from emojify.training.loss import accuracy, make_loss, with_ferplus_head
from emojify.training.weights import build_network

WANTED = np.eye(7, dtype=np.float32)[[0, 3]]
SAID = np.array([[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1, 0.4, 0.1, 0.1]], np.float32)
VOTES = np.array([[0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0.5, 0.5, 0, 0]], np.float32)  # nobody voted on the first


def test_without_a_second_head_it_is_the_cross_entropy(train: Dataset) -> None:
    got = make_loss(FitConfig("data"), train)(WANTED, SAID)
    assert np.asarray(got) == pytest.approx(np.asarray(losses.categorical_crossentropy(WANTED, SAID)))


def test_the_votes_cost_a_second_head_by_its_weight_and_only_where_there_are_any(train: Dataset) -> None:
    config = FitConfig("data", ferplus_head=0.5)
    got = np.asarray(make_loss(config, train)(np.hstack([WANTED, VOTES]), np.hstack([SAID, SAID])))
    own = -np.log([0.4, 0.1])
    votes = np.array([0, -0.5 * np.log(0.1) - 0.5 * np.log(0.4)])
    assert got == pytest.approx(own + 0.5 * votes, rel=1e-5)


def test_accuracy_is_the_networks_own() -> None:
    right = np.asarray(accuracy(np.hstack([WANTED, VOTES]), np.hstack([SAID, WANTED])))
    assert right.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["tiny", "pooled"])
def test_a_second_head_leaves_what_the_network_says(name: str) -> None:
    network = build_network(name)
    pictures = np.random.default_rng(0).integers(0, 255, (3, 48, 48, 1)).astype(np.uint8)
    said = with_ferplus_head(network).predict(pictures, verbose=0)
    assert said.shape == (3, 14)
    np.testing.assert_allclose(said[:, :7], network.predict(pictures, verbose=0), rtol=1e-5)
    assert said[:, 7:].sum(axis=1) == pytest.approx([1, 1, 1])
