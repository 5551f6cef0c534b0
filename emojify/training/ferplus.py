"""FER+ votes: what ten raters saw in each picture of FER-2013.

Barsoum et al. 2016, "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution":
ten raters each voted for one of the seven emotions, contempt, "unknown" or "not a face".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.training.csv_rows import read_rows
from emojify.training.labeled_faces import LabeledFace
from emojify.training.sources import Source

VOTE_COLUMNS = (
    *("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
    *("contempt", "unknown", "nf"),
)
"""The choices of a rater. The first seven are in the order of ``Emotion``; nf is "not a face"."""


@dataclass
class FerPlusVotes:
    """The votes and clean marks that come with a data set, by file or by row of the original csv."""

    _by_file: dict[str, list[int]] = field(default_factory=dict)
    _by_row: list[tuple[str, list[int]]] = field(default_factory=list)
    _clean: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def read(cls, source: Source) -> FerPlusVotes:
        """Read ``labels.csv`` (``file``, ``ferplus_<emotion>``..., ``clean``) and FER+'s own ``fer2013new.csv``.

        Raises:
            EmojifyError: if one of them lacks a column or has an invalid row.
        """
        votes = cls()
        name = source.find("labels.csv")
        if name and _has_votes(source, name):  # other data sets have a labels.csv with other columns
            for row, where in _rows(source, name, required=("file",)):
                file = str(PurePosixPath(name).parent / row["file"])
                votes._by_file[file] = _parse_votes(row, "ferplus_", where)
                if row.get("clean"):
                    votes._clean[file] = row["clean"] == "1"
        if name := source.find("fer2013new.csv"):
            for row, where in _rows(source, name, required=("usage",)):
                votes._by_row.append((row["usage"], _parse_votes(row, "", where)))
        return votes

    def votes(self, face: LabeledFace) -> list[int] | None:
        """Return the counts for a face in the order of ``VOTE_COLUMNS``; None if it has no votes."""
        if face.file in self._by_file:
            return self._by_file[face.file]
        if 0 <= face.row < len(self._by_row):
            usage, votes = self._by_row[face.row]
            if usage.lower() == face.usage.lower():  # some copies number their files differently
                return votes
        return None

    def clean(self, face: LabeledFace) -> bool | None:
        """Return the ``clean`` mark of a face in ``labels.csv``; None if it has none."""
        return self._clean.get(face.file)


def _has_votes(source: Source, name: str) -> bool:
    """Return True if a csv has the columns ``file`` and at least one of ``ferplus_<emotion>``."""
    columns = {column.lower() for column in source.csv_columns(name)}
    return "file" in columns and any(f"ferplus_{column}" in columns for column in VOTE_COLUMNS)


def majority(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the emotion that more than half of the raters chose. By FER+'s rule a single vote does not count.

    Args:
        votes: (n, 10), columns as in ``VOTE_COLUMNS``.

    Returns:
        (n,) indices in the order of ``Emotion``, -1 where there is no majority for one of the seven.
    """
    kept = _drop_single_votes(votes)
    winner = kept.argmax(axis=1)
    clear = (kept.max(axis=1, initial=0) * 2 > kept.sum(axis=1)) & (winner < len(LABELS))
    return np.where(clear, winner, -1).astype(np.int64)


def distribution(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the votes for the seven emotions as probabilities, single votes dropped.

    Args:
        votes: (n, 10), columns as in ``VOTE_COLUMNS``.

    Returns:
        (n, 7) float32; a row of zeros where no emotion has two votes.
    """
    seven = _drop_single_votes(votes)[:, : len(LABELS)].astype(np.float32)
    return seven / np.maximum(seven.sum(axis=1, keepdims=True), 1)


def no_face(votes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return (n,) bool, True where more than half of the (n, 10) votes are "not a face"."""
    return votes[:, VOTE_COLUMNS.index("nf")].astype(np.int64) * 2 > votes.sum(axis=1)


def _drop_single_votes(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.where(votes < 2, 0, votes).astype(np.int64)


def _rows(source: Source, name: str, required: tuple[str, ...]) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the rows of a csv, by column name in lower case, each with "<file>, line <n>" for messages."""
    rows = read_rows(source, name)
    _, first = next(rows, ("", []))
    header = [column.strip().lower() for column in first]
    for column in required:
        if column not in header:
            raise EmojifyError(f"{name} in {source.path} has no column {column!r}.")
    for where, values in rows:
        if len(values) != len(header):
            raise EmojifyError(f"{where}: there are {len(values)} values, not {len(header)}.")
        yield dict(zip(header, values, strict=True)), where


def _parse_votes(row: dict[str, str], prefix: str, where: str) -> list[int]:
    counts = [row.get(prefix + column, "").strip() or "0" for column in VOTE_COLUMNS]
    if not all(re.fullmatch(r"[0-9]{1,3}", count) and int(count) < 256 for count in counts):
        raise EmojifyError(f"{where}: votes must be whole numbers, not {', '.join(counts)}.")
    return [int(count) for count in counts]
