"""Split labeled faces into train, public and private."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.training.labeled_faces import LabeledFace

SPLITS = ("train", "public", "private")
OWN_SPLIT = {"train": 0.8, "public": 0.1, "private": 0.1}
"""Shares of a data set that has no split of its own."""


class IncompleteDataError(EmojifyError):
    """A data set lacks pictures of an emotion: it can be added to another one, but a fit can't use it alone."""


FER2013 = "FER-2013"
FER2013_COUNTS = {"train": 28_709, "public": 3_589, "private": 3_589}
FER2013_TOLERANCE = 0.02
"""Largest difference from FER2013_COUNTS, as a share: some copies of FER-2013 lack the blank pictures."""

_HELD_OUT_HALVES = {"public": 0.5, "private": 0.5}
_OFFICIAL = {"training": "train", "publictest": "public", "privatetest": "private"}
# Names of split folders, in small letters without spaces and signs. FER2013Train and so on are FER+'s.
_FOLDER_NAMES = {
    "train": ("train", "training", "trainset", "trainingset", "traindata", "fer2013train"),
    "test": ("test", "testing", "testset", "testdata", "eval", "evaluation", "fer2013test"),
    "public": ("public", "publictest", "val", "valid", "validation", "validate", "valset", "dev", "fer2013valid"),
    "private": ("private", "privatetest"),
}
_FOLDERS = {name: split for split, names in _FOLDER_NAMES.items() for name in names}
_LOOKS_LIKE_SPLIT = re.compile(r"train|test|valid|eval|holdout|held.?out|split|fold")


def _folder_split(folder: str) -> str:
    """Return what a folder above the classes means: a split, ``test`` or nothing."""
    return _FOLDERS.get(re.sub(r"[^a-z0-9]", "", folder.lower()), "")


def _refuse_unknown_splits(faces: list[LabeledFace]) -> None:
    """Refuse folders that look like splits but are not known: their pictures would be mixed.

    Raises:
        EmojifyError: the message names one of them and the known names.
    """
    folders = {face.folder for face in faces}
    if len(folders) == 1:
        return
    known = {folder for folder in folders if _folder_split(folder)}
    others = folders - known - {""}
    unknown = sorted(folder for folder in others if known or _LOOKS_LIKE_SPLIT.search(folder.lower()))
    without_train = known and "train" not in map(_folder_split, known)
    if unknown or without_train:
        example = unknown[0] if unknown else sorted(known)[0]
        names = "; ".join(f"{split}: {', '.join(names)}" for split, names in _FOLDER_NAMES.items())
        raise EmojifyError(
            f"The folder {example} looks like a part of a split, but it is not clear which other folder belongs to it. "
            f"Rename the folders. Known names are {names}."
        )


def split_faces(faces: list[LabeledFace], labels: NDArray[np.int64], seed: int) -> tuple[NDArray[np.str_], str | None]:
    """Assign every face to a split: by FER-2013's file names, else by folder, else by ``OWN_SPLIT``.

    Args:
        faces: the faces.
        labels: (n,) their labels.
        seed: fixes the order in which pictures are drawn.

    Returns:
        (n,) str, and the data set's name if it is FER-2013.

    Raises:
        EmojifyError: if a picture is in none of the folders train and test, or a folder looks like an unknown split.
        IncompleteDataError: if an emotion has too few pictures.
    """
    official = [_OFFICIAL.get(face.usage.lower()) for face in faces]
    if all(official):
        return np.array(official), FER2013 if _has_counts_of_fer2013(official) else None
    _refuse_unknown_splits(faces)
    folders = [_folder_split(face.folder) for face in faces]
    splits = np.array(folders, dtype="<U7")
    if "train" not in folders or set(folders) <= {"train", ""}:
        return _draw(np.zeros_like(splits), labels, OWN_SPLIT, seed), None
    if "" in folders:
        stray = faces[folders.index("")].file
        raise EmojifyError(f"{stray} is neither in train nor in test. Move it into one, or give only one folder.")
    # A missing split is drawn from an existing one. Most sets have train and test, or train and validation.
    test = splits == "test"
    if "private" not in folders and "public" in folders and test.any():
        splits[test] = "private"
    elif test.any():
        splits[test] = _draw(splits[test], labels[test], _HELD_OUT_HALVES, seed)
    elif not {"public", "private"} <= set(folders):
        held_out = splits != "train"
        splits[held_out] = _draw(splits[held_out], labels[held_out], _HELD_OUT_HALVES, seed)
    return splits, None


def split_added_faces(labels: NDArray[np.int64], seed: int = 0) -> NDArray[np.str_]:
    """Split a small data set by ``OWN_SPLIT``; all pictures of an emotion that has fewer than three go to train.

    Args:
        labels: (n,) labels.
        seed: fixes the order in which pictures are drawn.

    Returns:
        (n,) str.
    """
    splits = np.full(len(labels), "train", dtype="<U7")
    counts = np.bincount(labels, minlength=len(LABELS))
    large = np.isin(labels, np.flatnonzero(counts >= len(SPLITS)))
    splits[large] = _draw(splits[large], labels[large], OWN_SPLIT, seed, emotions=np.unique(labels[large]))
    return splits


def _has_counts_of_fer2013(official: list[str | None]) -> bool:
    """Return True if the splits have the sizes of FER-2013; other data sets may follow its file names too."""
    counts = Counter(official)
    return all(abs(counts[split] - n) <= FER2013_TOLERANCE * n for split, n in FER2013_COUNTS.items())


def _draw(
    splits: NDArray[np.str_],
    labels: NDArray[np.int64],
    shares: dict[str, float],
    seed: int,
    *,
    emotions: NDArray[np.int64] | None = None,
) -> NDArray[np.str_]:
    """Divide the pictures of every emotion by ``shares``, at least one to each split, in a random order."""
    splits, rng = splits.copy(), np.random.default_rng(seed)
    for emotion in np.arange(len(LABELS)) if emotions is None else emotions:
        rows = rng.permutation(np.flatnonzero(labels == emotion))
        if len(rows) < len(shares):
            raise IncompleteDataError(
                f"There are {len(rows)} pictures of {LABELS[emotion]} to split into {len(shares)}: add some more."
            )
        *later, first = reversed(shares)
        start = 0
        for split in later:
            end = start + max(1, round(shares[split] * len(rows)))
            splits[rows[start:end]] = split
            start = end
        splits[rows[start:]] = first
    return splits
