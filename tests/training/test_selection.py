"""Which training pictures a fit uses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.training.dataset import Dataset, load
from emojify.training.selection import at_most, training_pictures


@pytest.fixture(scope="module")
def data(faces: Path) -> Dataset:
    """Return drawn faces: the first training picture is blank, the second copies a private one nearly, the third was
    voted "not a face".
    """
    loaded = load(faces)
    images, votes = loaded.images.copy(), loaded.votes.copy()
    first, second, third = np.flatnonzero(loaded.splits == "train")[:3]
    images[first] = 100
    images[second] = np.minimum(images[np.flatnonzero(loaded.splits == "private")[0]], 240) + 5
    votes[third, 9] = 8
    return replace(loaded, images=images, votes=votes)


def test_training_pictures_are_all_by_default(data: Dataset) -> None:
    assert (training_pictures(data, FitConfig("data")).files == data.split("train").files).all()


def test_drop_no_face_leaves_out_blank_and_voted(data: Dataset) -> None:
    kept = training_pictures(data, FitConfig("data", drop_no_face=True))
    files = data.split("train").files
    assert sorted(set(files) - set(kept.files)) == sorted([files[0], files[2]])


def test_drop_copies_leaves_out_near_copies(data: Dataset) -> None:
    kept = training_pictures(data, FitConfig("data", drop_copies=True))
    files = data.split("train").files
    assert files[1] not in kept.files
    assert len(kept) < len(files)
    assert len(kept) > len(files) / 2


def test_training_pictures_needs_some(data: Dataset) -> None:
    blank = replace(data, images=np.zeros_like(data.images))
    with pytest.raises(EmojifyError, match="No training picture is left"):
        training_pictures(blank, FitConfig("data", drop_no_face=True))


def test_at_most_keeps_some_of_every_emotion(data: Dataset) -> None:
    train = data.split("train")
    few = at_most(14, train, seed=1)
    assert set(few.labels) == set(range(7))
    assert 14 <= len(few) <= 21
    assert len(at_most(0, train, seed=1)) == len(at_most(10**6, train, seed=1)) == len(train)
    assert (at_most(50, train, 1).files == at_most(50, train, 1).files).all()
