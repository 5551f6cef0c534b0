"""Labelled faces in memory, from any of the forms in which people have them. See :func:`load`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.training.ferplus import VOTE_COLUMNS, FerPlusVotes
from emojify.training.sources import SIDE, Face, open_source, read_csv, read_pictures

__all__ = ["SIDE", "SPLITS", "Dataset", "load"]

SPLITS = ("train", "public", "private")
OWN_SPLIT = {"train": 0.8, "public": 0.1, "private": 0.1}
"""Shares of a set that comes without a split of its own."""

MAX_UNREADABLE = 0.01
"""Share of pictures that may fail to open before the set counts as broken."""

_OFFICIAL = {"training": "train", "publictest": "public", "privatetest": "private"}
_FOLDERS = {"train": "train", "training": "train", "test": "test", "val": "public", "valid": "public"} | {
    "validation": "public",
    "public": "public",
    "private": "private",
}


@dataclass(frozen=True)
class Dataset:
    """Labelled faces.

    Attributes:
        images: (n, 48, 48) uint8, gray.
        labels: (n,) int64, indices in the order of :class:`~emojify.emotions.Emotion`.
        splits: (n,) str, each one of ``SPLITS``.
        files: (n,) str, the path inside the folder or zip, or ``line <n>`` of a csv.
        votes: (n, 10) uint8, FER+ votes in the order of ``VOTE_COLUMNS``; a row of zeros where there are none.
        clean: (n,) bool, False for a picture that has a near copy in train, is blank, or was voted "not a face";
            None while nobody has looked: :func:`~emojify.training.check.mark_clean` does.
        name: what the data set is called in a model's card.
        unreadable: the files that did not open; they are in none of the arrays.
        converted: the files that were not 48x48 gray pictures and were made so.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    files: NDArray[np.str_]
    votes: NDArray[np.uint8]
    clean: NDArray[np.bool_] | None
    name: str
    unreadable: tuple[str, ...] = ()
    converted: tuple[str, ...] = ()

    def rows(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Dataset:
        """The rows that a mask or an array of indices picks."""
        return replace(
            self,
            images=self.images[keep],
            labels=self.labels[keep],
            splits=self.splits[keep],
            files=self.files[keep],
            votes=self.votes[keep],
            clean=None if self.clean is None else self.clean[keep],
        )

    def split(self, name: str, *, clean: bool = False) -> Dataset:
        """The rows of one split, with ``clean`` only the clean ones.

        Raises:
            ValueError: if ``clean`` is asked for and the pictures were not looked at yet.
        """
        keep = self.splits == name
        if clean:
            if self.clean is None:
                raise ValueError("mark_clean has not been called on this data set")
            keep = keep & self.clean
        return self.rows(keep)

    def __len__(self) -> int:
        return len(self.labels)


def load(source: Path, *, seed: int = 0, on_progress: Callable[[int, int], None] | None = None) -> Dataset:
    """Read a data set.

    Args:
        source: one of

            - Kaggle's folder of FER-2013: ``train/<class>/*`` and ``test/<class>/*``, png or jpg. Names that begin with
              ``Training_``, ``PublicTest_``, ``PrivateTest_`` give the official split; otherwise ``test`` is halved
              into public and private, by ``seed``, each class alike
            - a folder of pictures by class, ``<class>/*``, split 80/10/10 by ``seed``, each class alike
            - a zip of either
            - the original ``fer2013.csv`` (``emotion,pixels,Usage``), or a folder or zip that holds it

            FER+ votes are taken from ``labels.csv`` or ``fer2013new.csv`` if one lies there.
        seed: for splits that the data set does not bring itself.
        on_progress: called with (pictures read, pictures in all); not for a csv.

    Raises:
        EmojifyError: if it is not there, is none of these, an emotion has no pictures, a csv has a bad row, or more
            than 1 % of the pictures do not open.
    """
    with open_source(source) as folder:
        pictures = folder.pictures()
        csv_name = folder.find_csv() if not pictures else None
        if not pictures and csv_name is None:
            raise EmojifyError(
                f"{source} holds no pictures in folders named after emotions, and no fer2013.csv. "
                "Give Kaggle's FER-2013 folder, a zip of it, the csv, or your own pictures in seven folders."
            )
        faces, unreadable = (
            read_pictures(folder, pictures, on_progress) if csv_name is None else (read_csv(folder, csv_name), [])
        )
        ferplus = FerPlusVotes.read(folder)
    if len(unreadable) > MAX_UNREADABLE * (len(faces) + len(unreadable)):
        raise EmojifyError(
            f"{len(unreadable)} of {len(faces) + len(unreadable)} pictures in {source} do not open as PNG or JPEG, "
            f"among them {', '.join(unreadable[:5])}. Get the data again, or remove them."
        )
    labels = np.array([face.label for face in faces], np.int64)
    _refuse_missing(labels, str(source))
    splits, name = _splits(faces, labels, seed)
    for split in SPLITS:
        _refuse_missing(labels[splits == split], f"The {split} split of {source}")
    marks = [ferplus.clean(face) for face in faces]
    return Dataset(
        images=np.stack([face.image for face in faces]),
        labels=labels,
        splits=splits,
        files=np.array([face.file for face in faces]),
        votes=np.array([ferplus.votes(face) or [0] * len(VOTE_COLUMNS) for face in faces], np.uint8),
        clean=None if None in marks else np.array(marks, np.bool_),
        name=name or source.stem,
        unreadable=tuple(unreadable),
        converted=tuple(face.file for face in faces if face.converted),
    )


def _refuse_missing(labels: NDArray[np.int64], where: str) -> None:
    missing = [label for index, label in enumerate(LABELS) if index not in labels]
    if missing:
        raise EmojifyError(f"{where} has no pictures of: {', '.join(missing)}. Each of the seven needs some.")


def _splits(faces: list[Face], labels: NDArray[np.int64], seed: int) -> tuple[NDArray[np.str_], str | None]:
    """The split of every face, and the set's name if it is a known one."""
    official = [_OFFICIAL.get(face.usage.lower()) for face in faces]
    if all(official):
        return np.array(official), "FER-2013"
    folders = [_FOLDERS.get(face.folder.lower(), "") for face in faces]
    splits = np.array(folders, dtype="<U7")
    if "train" not in folders or set(folders) <= {"train", ""}:
        return _shares(np.zeros_like(splits), labels, OWN_SPLIT, seed), None
    if "" in folders:
        stray = faces[folders.index("")].file
        raise EmojifyError(f"{stray} lies neither in train nor in test. Move it into one, or give only one folder.")
    # What a set lacks is taken from what it has: usually train and test, or train and validation.
    test = splits == "test"
    if "private" not in folders and "public" in folders and test.any():
        splits[test] = "private"
    elif test.any():
        splits[test] = _shares(splits[test], labels[test], {"public": 0.5, "private": 0.5}, seed)
    elif not {"public", "private"} <= set(folders):
        held_out = splits != "train"
        splits[held_out] = _shares(splits[held_out], labels[held_out], {"public": 0.5, "private": 0.5}, seed)
    return splits, None


def _shares(
    splits: NDArray[np.str_], labels: NDArray[np.int64], shares: dict[str, float], seed: int
) -> NDArray[np.str_]:
    """Deal every emotion's pictures out by ``shares``, at least one to each split, in an order that ``seed`` fixes."""
    splits, random = splits.copy(), np.random.default_rng(seed)
    for emotion, label in enumerate(LABELS):
        rows = random.permutation(np.flatnonzero(labels == emotion))
        if len(rows) < len(shares):
            raise EmojifyError(f"There are {len(rows)} pictures of {label} to split into {len(shares)}: add some more.")
        *later, first = reversed(shares)
        start = 0
        for split in later:
            end = start + max(1, round(shares[split] * len(rows)))
            splits[rows[start:end]] = split
            start = end
        splits[rows[start:]] = first
    return splits
