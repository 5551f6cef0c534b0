"""Check a data set for unreadable and blank pictures, copies, and evaluation pictures that are also in train."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.training.dataset import Dataset, load, load_added
from emojify.training.ferplus import no_face
from emojify.training.splits import SPLITS, IncompleteDataError

NEAR_COPY = 0.95
"""Correlation of two pictures' pixels from which one counts as a copy of the other: recompressed, shifted by a pixel or
brightened. Two pictures of different people stay well below it."""

BLANK_CONTRAST = 2.0
"""Standard deviation of the gray values (0 to 255) below which a picture counts as blank."""

_SMALL = 24
_SMALL_NEAR_COPY = 0.92
# Candidates are searched at half size, a quarter of the work. A pair that correlates by .95 loses little by it: it
# would need a picture with less than 63 % of its energy in coarse detail to fall below .92.
_BLOCK = 2048


@dataclass(frozen=True)
class Leak:
    """Pictures of one evaluation split that are also in train.

    Attributes:
        split: public or private.
        pictures: pictures in the split.
        exact: pictures with the same pixels as one in train.
        near: pictures that are nearly the same as one in train, the exact ones included.
    """

    split: str
    pictures: int
    exact: int
    near: int


@dataclass(frozen=True)
class Report:
    """The result of :func:`check`.

    Attributes:
        counts: pictures by split and emotion.
        unreadable: files that can't be decoded.
        converted: files that were not 48x48 gray pictures.
        without_face: files that are not 48x48 and in which no face was found.
        blank: blank pictures.
        duplicates: groups of files with the same pixels.
        conflicting: number of these groups with different labels.
        near_duplicates: pairs of files that are nearly but not exactly the same.
        leaks: pictures of public and private that are also in train.
        clean: pictures by evaluation split that ``evaluate --clean`` uses.
        voted: pictures with FER+ votes.
        notes: sentences about how the folders were understood.
    """

    name: str
    counts: dict[str, dict[str, int]]
    unreadable: list[str]
    converted: list[str]
    without_face: list[str]
    blank: list[str]
    duplicates: list[list[str]]
    conflicting: int
    near_duplicates: list[tuple[str, str]]
    leaks: list[Leak]
    clean: dict[str, int]
    voted: int
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        width = max(map(len, LABELS))
        lines = [f"{self.name}: {sum(sum(row.values()) for row in self.counts.values()):,} pictures", ""]
        lines.append(" " * width + "".join(f"{split:>10}" for split in self.counts))
        for label in LABELS:
            lines.append(f"{label:<{width}}" + "".join(f"{row[label]:>10,}" for row in self.counts.values()))
        lines.append(f"{'all':<{width}}" + "".join(f"{sum(row.values()):>10,}" for row in self.counts.values()))
        copies = sum(map(len, self.duplicates))
        lines += [
            "",
            _listed("can't be opened", self.unreadable),
            _listed("were not 48x48 and gray and are converted", self.converted),
            _listed("show no face that the detector finds and are left out", self.without_face),
            _listed("are blank", self.blank),
            f"{copies:,} in {len(self.duplicates):,} groups with the same pixels; "
            f"{self.conflicting:,} of the groups have different labels",
            f"{len(self.near_duplicates):,} more pairs are nearly the same (correlation {NEAR_COPY} or more)",
            f"{self.voted:,} have FER+ votes",
            *self.notes,
        ]
        for leak in self.leaks:
            share = leak.near / max(leak.pictures, 1)
            lines.append(
                f"LEAK: {leak.near:,} of {leak.pictures:,} {leak.split} pictures ({share:.1%}) are also in train, "
                f"{leak.exact:,} of them byte for byte; evaluate --clean uses {self.clean[leak.split]:,}"
                if leak.near
                else f"no {leak.split} picture is also in train"
            )
        return "\n".join(lines)


def load_to_check(source: Path, *, on_progress: Callable[[int, int], None] | None = None) -> tuple[Dataset, str]:
    """Read a data set that may lack emotions.

    Returns:
        The data set, and why it can only be added to another one; an empty string if it can be trained on alone.

    Raises:
        EmojifyError: if it can't be read or holds no face.
    """
    try:
        return load(source, on_progress=on_progress), ""
    except IncompleteDataError as error:
        reason = str(error).replace(str(source), source.name)
        return load_added(source, on_progress=on_progress), reason


def check(data: Dataset) -> Report:
    """Check a data set. FER-2013's 35,887 pictures take some ten seconds on one core."""
    marked = mark_clean(replace(data, clean=None)) if data.clean is None else data
    groups = _same_pixels(data)
    pairs = list(_near_pairs(data.images))
    group_of = {row: number for number, group in enumerate(groups) for row in group}
    near = [pair for pair in pairs if group_of.get(pair[0], -1) != group_of.get(pair[1], -2)]
    in_train = data.splits == "train"
    exact_rows = {row for group in groups for row in group if in_train[list(group)].any()}
    near_rows = exact_rows | {a for a, b in pairs if in_train[b]} | {b for a, b in pairs if in_train[a]}
    return Report(
        name=data.name,
        counts={
            split: {
                label: int((data.labels[data.splits == split] == index).sum()) for index, label in enumerate(LABELS)
            }
            for split in SPLITS
        },
        unreadable=list(data.unreadable),
        converted=list(data.converted),
        without_face=list(data.without_face),
        blank=data.files[_blank(data.images)].tolist(),
        duplicates=[data.files[group].tolist() for group in groups],
        conflicting=sum(len(set(data.labels[group])) > 1 for group in groups),
        near_duplicates=[(str(data.files[a]), str(data.files[b])) for a, b in near],
        leaks=[
            Leak(
                split,
                int((data.splits == split).sum()),
                sum(data.splits[row] == split for row in exact_rows),
                sum(data.splits[row] == split for row in near_rows),
            )
            for split in ("public", "private")
        ],
        clean={split: len(marked.split(split, clean=True)) for split in ("public", "private")},
        voted=int(data.votes.any(axis=1).sum()),
        notes=list(data.notes),
    )


def mark_clean(data: Dataset) -> Dataset:
    """Fill in the clean marks of a data set that has none.

    A picture is clean if it is not blank, was not voted "not a face" and, outside train, has no near copy in train.

    Returns:
        The data set with ``clean`` set; the same object if it was set already.
    """
    if data.clean is not None:
        return data
    clean = shows_face(data)
    train = data.splits == "train"
    clean[~train] &= ~near_copies(data.images[~train], data.images[train])
    return replace(data, clean=clean)


def shows_face(data: Dataset) -> NDArray[np.bool_]:
    """Return (n,) bool, False for a picture that is blank or that FER+ raters voted "not a face"."""
    return ~_blank(data.images) & ~no_face(data.votes)


def near_copies(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return (n,) bool, True for each of ``images`` that has a near copy among ``others``; both (n, 48, 48) uint8."""
    copies = np.zeros(len(images), np.bool_)
    for row, _ in _near_pairs(images, others):
        copies[row] = True
    return copies


def _blank(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return images.reshape(len(images), -1).std(axis=1) < BLANK_CONTRAST


def _same_pixels(data: Dataset) -> list[list[int]]:
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row, image in enumerate(data.images):
        groups[image.tobytes()].append(row)
    return [group for group in groups.values() if len(group) > 1]


def _near_pairs(images: NDArray[np.uint8], others: NDArray[np.uint8] | None = None) -> Iterator[tuple[int, int]]:
    """Yield pairs of rows whose pixels correlate by ``NEAR_COPY`` or more: of two stacks, or each pair once of one."""
    within = others is None
    others = images if others is None else others
    small = _standardized(_shrunk(images))
    small_others = small if within else _standardized(_shrunk(others))
    for start in range(0, len(images), _BLOCK):
        block = small[start : start + _BLOCK]
        for other_start in range(start if within else 0, len(others), _BLOCK):
            alike = block @ small_others[other_start : other_start + _BLOCK].T >= _SMALL_NEAR_COPY
            rows, columns = np.nonzero(alike)
            rows, columns = rows + start, columns + other_start
            if within:
                rows, columns = rows[rows < columns], columns[rows < columns]
            if len(rows) == 0:
                continue
            closeness = np.einsum("ij,ij->i", _standardized(images[rows]), _standardized(others[columns]))
            sure = closeness >= NEAR_COPY
            yield from zip(rows[sure].tolist(), columns[sure].tolist(), strict=True)


def _shrunk(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shrunk = [cv2.resize(image, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA) for image in images]
    return np.array(shrunk, np.uint8).reshape(-1, _SMALL, _SMALL)


def _standardized(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return rows of mean 0 and length 1, so that a dot product is a correlation; blank pictures become zeros."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    blank = length < BLANK_CONTRAST * rows.shape[1] ** 0.5
    return np.where(blank, 0, rows / np.maximum(length, 1e-6)).astype(np.float32)


def _listed(what: str, files: list[str]) -> str:
    return f"{len(files):,} {what}" + (f": {', '.join(files[:5])}{', ...' if len(files) > 5 else ''}" if files else "")
