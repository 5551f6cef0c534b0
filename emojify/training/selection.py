"""Select the pictures of the train split that a fit uses."""

from __future__ import annotations

import numpy as np

from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.training.check import near_copies, shows_face
from emojify.training.dataset import Dataset


def training_pictures(data: Dataset, config: FitConfig) -> Dataset:
    """Return the pictures to train on: the train split without those that the settings leave out.

    Raises:
        EmojifyError: if nothing is left.
    """
    train = data.split("train")
    if config.drop_no_face:
        train = train.rows(shows_face(train))
    if config.drop_copies:
        train = train.rows(~near_copies(train.images, data.images[data.splits != "train"]))
    if not len(train):
        raise EmojifyError("No training picture is left. Set drop_no_face and drop_copies to false.")
    return at_most(config.pictures, train, config.seed)


def at_most(count: int, train: Dataset, seed: int) -> Dataset:
    """Return about ``count`` of the pictures, the same share of every emotion; all of them if 0."""
    if not 0 < count < len(train):
        return train
    order = np.random.default_rng(seed).permutation(len(train))
    order = order[np.argsort(train.labels[order], kind="stable")]  # by emotion, shuffled within each
    # Rows at even distances, and the first one of each emotion, so that none is missing.
    firsts = order[np.unique(train.labels[order], return_index=True)[1]]
    evenly = order[np.linspace(0, len(order) - 1, count).astype(np.int64)]
    return train.rows(np.unique(np.concatenate([evenly, firsts])))
