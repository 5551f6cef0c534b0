"""Labeled faces in memory. See :func:`load`, :func:`load_unsplit` and :func:`load_joined`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.training.ferplus import VOTE_COLUMNS, FerPlusVotes
from emojify.training.labeled_faces import LabeledFace, Skipped, read_image_files, read_pixel_csv
from emojify.training.sources import open_source
from emojify.training.splits import FER2013, SPLITS, IncompleteDataError, split_added_faces, split_faces

ALL = "all"
"""The split of every picture of :func:`load_unsplit`."""

MAX_UNREADABLE = 0.01
"""Share of pictures that may fail to open before the data set is rejected as broken."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Dataset:
    """Labeled faces.

    Attributes:
        images: (n, 48, 48) uint8, gray.
        labels: (n,) int64, indices in the order of :class:`~emojify.emotions.Emotion`.
        splits: (n,) str, each one of ``SPLITS``, or ``ALL``.
        files: (n,) str, the path inside the folder or zip, or ``<csv>, line <n>``.
        votes: (n, 10) uint8, FER+ votes in the order of ``VOTE_COLUMNS``; a row of zeros where there are none.
        clean: (n,) bool, False for a picture that has a near copy in train, is blank, or was voted "not a face";
            None until :func:`~emojify.training.check.mark_clean` fills it in.
        name: the name of the data set in a model's card.
        unreadable: files that can't be decoded; they are in none of the arrays.
        converted: files that were not 48x48 and gray and were converted.
        detected: files that are not 48x48 and in which the detector found the face.
        without_face: files that are not 48x48 and in which no face was found; they are in none of the arrays.
        added_name: name of the data set that :func:`load_joined` added; empty without one.
        other_class: files in folders that are not named after an emotion; only :func:`load_unsplit` allows others than
            contempt.
        notes: sentences about how the folders were understood.
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
    detected: tuple[str, ...] = ()
    without_face: tuple[str, ...] = ()
    other_class: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    added_name: str = ""

    def rows(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Dataset:
        """Return the rows that a mask or an array of indices selects."""
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
        """Return the rows of one split; with ``clean`` only the clean ones.

        Raises:
            ValueError: if ``clean`` is asked for before :func:`~emojify.training.check.mark_clean` was called.
        """
        keep = self.splits == name
        if clean:
            if self.clean is None:
                raise ValueError("mark_clean has not been called on this data set")
            keep = keep & self.clean
        return self.rows(keep)

    @property
    def added(self) -> NDArray[np.bool_]:
        """(n,) bool, True for the rows of the data set that :func:`load_joined` added."""
        if not self.added_name:
            return np.zeros(len(self), np.bool_)
        return np.char.startswith(self.files, f"{self.added_name}: ")

    def __len__(self) -> int:
        return len(self.labels)


def load(source: Path, *, seed: int = 0, on_progress: OnProgress | None = None) -> Dataset:
    """Read a data set with its splits.

    Args:
        source: one of

            - Kaggle's folder of FER-2013: ``train/<class>/*`` and ``test/<class>/*``, png or jpg. Names that begin with
              ``Training_``, ``PublicTest_``, ``PrivateTest_`` give the official split; otherwise ``test`` is split in
              two halves, public and private, by ``seed`` and by class
            - a folder of pictures by class, ``<class>/*``, split 80/10/10 by ``seed`` and by class. In pictures that
              are not 48x48 the detector finds the face
            - a zip of either
            - the original ``fer2013.csv`` (``emotion,pixels,Usage``), or a folder or zip that holds it. A csv without
              ``Usage`` is split 80/10/10

            FER+ votes are read from ``labels.csv`` or ``fer2013new.csv`` if one of them is there.
        seed: for splits that the data set does not define itself.
        on_progress: called with (pictures read, pictures in all); not for a csv.

    Raises:
        EmojifyError: if it does not exist, is none of these, a csv has a bad row, or more than 1 % of the pictures do
            not open.
        IncompleteDataError: if an emotion has too few pictures; :func:`load_added` reads such a data set.
    """
    faces, votes, skipped = _read(source, on_progress=on_progress)
    labels = np.array([face.label for face in faces], np.int64)
    _refuse_missing(labels, str(source))
    splits, name = split_faces(faces, labels, seed)
    for split in SPLITS:
        _refuse_missing(labels[splits == split], f"The {split} split of {source}")
    return _dataset(faces, votes, skipped, splits, name or _own_name(source))


def load_unsplit(source: Path, *, crop_margin: float = 0.0, on_progress: OnProgress | None = None) -> Dataset:
    """Read every picture of a folder, zip or csv for evaluation, in one split called ``ALL``.

    Emotions may be missing. Pictures in folders with other names are left out and listed in ``other_class``.

    Args:
        source: as in :func:`load`, or any folder or zip that sorts its pictures into folders by emotion.
        crop_margin: share of the detected face's box to add on each side, for pictures that are not 48x48.
        on_progress: called with (pictures read, pictures in all); not for a csv.

    Raises:
        EmojifyError: if it does not exist, holds no face of a known emotion, a csv has a bad row, or more than 1 % of
            the pictures do not open.
    """
    faces, votes, skipped = _read(source, crop_margin=crop_margin, skip_other_classes=True, on_progress=on_progress)
    return _dataset(faces, votes, skipped, np.full(len(faces), ALL), source.stem)


def load_added(source: Path, *, on_progress: OnProgress | None = None) -> Dataset:
    """Read a data set that is to be joined to another one. It may be of any size and lack emotions.

    An emotion with fewer than three pictures is only trained on; the others are split 80/10/10.

    Args:
        source: a folder or zip of pictures by emotion.
        on_progress: called with (pictures read, pictures in all).

    Raises:
        EmojifyError: if it can't be read or holds no face.
    """
    faces, votes, skipped = _read(source, on_progress=on_progress)
    labels = np.array([face.label for face in faces], np.int64)
    return _dataset(faces, votes, skipped, split_added_faces(labels), _own_name(source))


def load_joined(source: Path, added: Path | None, *, on_progress: OnProgress | None = None) -> Dataset:
    """Read a data set and join a second one to it, split by split: train to train, public to public.

    Args:
        source: the first data set, see :func:`load`.
        added: the second one, see :func:`load_added`; None for none.
        on_progress: called with (pictures read, pictures in all) for each of the two.

    Returns:
        The rows of the first one, then those of the second one, whose ``files`` begin with its name and a colon.

    Raises:
        EmojifyError: if one of them can't be read or the second one holds no face.
    """
    first = load(source, on_progress=on_progress)
    if added is None:
        return first
    return _join(first, load_added(added, on_progress=on_progress))


def _join(first: Dataset, second: Dataset) -> Dataset:
    def prefixed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{second.name}: {name}" for name in names)

    return Dataset(
        images=np.concatenate([first.images, second.images]),
        labels=np.concatenate([first.labels, second.labels]),
        splits=np.concatenate([first.splits, second.splits]),
        files=np.concatenate([first.files, np.array(prefixed(tuple(second.files)))]),
        votes=np.concatenate([first.votes, second.votes]),
        # Marks of one set say nothing about copies in the other: mark_clean compares all rows again.
        clean=None,
        name=f"{first.name} and {second.name}",
        added_name=second.name,
        unreadable=first.unreadable + prefixed(second.unreadable),
        converted=first.converted + prefixed(second.converted),
        detected=first.detected + prefixed(second.detected),
        without_face=first.without_face + prefixed(second.without_face),
        notes=first.notes + prefixed(second.notes),
    )


def _read(
    source: Path,
    *,
    crop_margin: float = 0.0,
    skip_other_classes: bool = False,
    on_progress: OnProgress | None = None,
) -> tuple[list[LabeledFace], FerPlusVotes, Skipped]:
    with open_source(source) as folder:
        names = folder.image_files()
        csv_name = folder.find_pixel_csv() if not names else None
        if not names and csv_name is None:
            advice = folder.explain_empty() or (
                "Give Kaggle's FER-2013 folder, a zip of it, the csv, or your own pictures in seven folders."
            )
            raise EmojifyError(
                f"{source} holds no pictures in folders named after emotions, and no fer2013.csv. {advice}"
            )
        if csv_name is not None:
            faces, skipped = read_pixel_csv(folder, csv_name), Skipped()
        else:
            faces, skipped = read_image_files(
                folder,
                names,
                crop_margin=crop_margin,
                skip_other_classes=skip_other_classes,
                on_progress=on_progress,
            )
        votes = FerPlusVotes.read(folder)
    _refuse_unusable(source, faces, skipped)
    return faces, votes, skipped


def _refuse_unusable(source: Path, faces: list[LabeledFace], skipped: Skipped) -> None:
    opened = len(faces) + len(skipped.without_face)
    unreadable = len(skipped.unreadable)
    if unreadable > MAX_UNREADABLE * (opened + unreadable):
        raise EmojifyError(
            f"{unreadable} of {opened + unreadable} pictures in {source} do not open as pictures, "
            f"among them {', '.join(skipped.unreadable[:5])}. Get the data again, or remove them."
        )
    if faces:
        return
    if skipped.without_face:
        raise EmojifyError(
            f"No face was found in any of the {len(skipped.without_face)} pictures in {source}. "
            "Use pictures in which a face looks into the camera."
        )
    raise EmojifyError(f"{source} holds no pictures in folders named after emotions ({', '.join(LABELS)}).")


def _dataset(
    faces: list[LabeledFace], votes: FerPlusVotes, skipped: Skipped, splits: NDArray[np.str_], name: str
) -> Dataset:
    marks = [votes.clean(face) for face in faces]
    return Dataset(
        images=np.stack([face.image for face in faces]),
        labels=np.array([face.label for face in faces], np.int64),
        splits=splits,
        files=np.array([face.file for face in faces]),
        votes=np.array([votes.votes(face) or [0] * len(VOTE_COLUMNS) for face in faces], np.uint8),
        clean=None if None in marks else np.array(marks, np.bool_),
        name=name,
        unreadable=tuple(skipped.unreadable),
        converted=tuple(face.file for face in faces if face.converted),
        detected=tuple(face.file for face in faces if face.detected),
        without_face=tuple(skipped.without_face),
        other_class=tuple(skipped.other_class),
        notes=tuple(skipped.notes),
    )


def _own_name(source: Path) -> str:
    """Return the name of a data set that is not FER-2013, even if its folder or file is called so."""
    return f"a set called {source.stem}" if source.stem.startswith(FER2013) else source.stem


def _refuse_missing(labels: NDArray[np.int64], where: str) -> None:
    missing = [label for index, label in enumerate(LABELS) if index not in labels]
    if missing:
        raise IncompleteDataError(f"{where} has no pictures of: {', '.join(missing)}. Each of the seven needs some.")
