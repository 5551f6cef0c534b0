"""How well probabilities fit labels and FER+ votes: accuracy, recall, calibration and more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.training.ferplus import distribution, majority

CALIBRATION_BINS = 15
"""The number of bins of Guo et al. 2017, "On Calibration of Modern Neural Networks"."""

MIN_PROBABILITY = 1e-7
"""Probabilities are clipped to this before a logarithm. An int8 model rounds small ones to 0."""

NO_PICTURES = "There are no pictures to evaluate on: this data set has none in that split. Choose another split."


@dataclass(frozen=True)
class Figures:
    """Figures for how well probabilities agree with labels and with FER+ votes.

    Rates are from 0 to 1. The dictionaries have one key per emotion; the value is None where a rate is undefined. The
    attributes that begin with ``ferplus_`` are None without votes. They use the pictures with a FER+ majority
    (:func:`~emojify.training.ferplus.majority`), except for the calibration error.

    Attributes:
        n: number of pictures.
        accuracy: share of pictures whose most probable emotion is their label.
        recall: share of the pictures with this label that are read as it.
        precision: share of the pictures read as this emotion that have this label.
        f1: harmonic mean of precision and recall.
        macro_recall: mean recall of the emotions that have pictures.
        calibration_error: expected calibration error against the labels: the mean gap between confidence and accuracy
            over ``CALIBRATION_BINS`` bins of confidence, weighted by their pictures.
        confusion: 7 x 7 counts, one row per label, one column per emotion read.
        ferplus_n: number of pictures with a FER+ majority.
        ferplus_accuracy: share of these that are read as that majority.
        ferplus_macro_recall: mean of ``ferplus_recall``.
        ferplus_recall: share of the pictures with this majority that are read as it.
        ferplus_cross_entropy: see :func:`class_balanced_cross_entropy`.
        ferplus_calibration_error: expected calibration error against the votes: as above, with the share of the votes
            for the emotion that was read in place of right or wrong. Uses all pictures with votes for an emotion.
        no_face_n: pictures that are left out because the detector found no face in them.
    """

    n: int
    accuracy: float
    recall: dict[str, float | None]
    precision: dict[str, float | None]
    f1: dict[str, float | None]
    macro_recall: float
    calibration_error: float
    confusion: list[list[int]]
    ferplus_n: int
    ferplus_accuracy: float | None
    ferplus_macro_recall: float | None = None
    ferplus_recall: dict[str, float | None] | None = None
    ferplus_cross_entropy: float | None = None
    ferplus_calibration_error: float | None = None
    no_face_n: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return all figures, ready for JSON, rates rounded to four places (one picture of 3,589 is 0.0003)."""
        return _rounded(asdict(self))

    def __str__(self) -> str:
        columns = ["recall", "precision", "F1"]
        rates: list[dict[str, float | None]] = [self.recall, self.precision, self.f1]
        if self.ferplus_recall is not None:
            columns, rates = [*columns, "FER+ recall"], [*rates, self.ferplus_recall]
        lines = [" " * 10 + "".join(f"{column:>13}" for column in columns)]
        for label in LABELS:
            values = [rate[label] for rate in rates]
            lines.append(f"{label:10}" + "".join(f"{'-' if v is None else format(v, '.3f'):>13}" for v in values))
        lines.append("")
        lines.append(
            f"against the labels: accuracy {self.accuracy:.4f}, macro recall {self.macro_recall:.4f}, "
            f"calibration error {self.calibration_error:.4f}"
        )
        if self.ferplus_accuracy is not None:
            lines += [
                f"against the FER+ majority ({self.ferplus_n:,} pictures): accuracy {self.ferplus_accuracy:.4f}, "
                f"macro recall {self.ferplus_macro_recall:.4f}",
                f"against the FER+ votes: class-balanced cross-entropy {self.ferplus_cross_entropy:.4f}, "
                f"calibration error {self.ferplus_calibration_error:.4f}",
            ]
        if self.no_face_n:
            lines.append(f"left out: {self.no_face_n:,} pictures in which no face was found")
        return "\n".join(lines)


def measure(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], votes: NDArray[np.uint8] | None = None
) -> Figures:
    """Compare probabilities with labels and, if there are any, with FER+ votes.

    Args:
        probabilities: (n, 7), in the order of ``Emotion``.
        labels: (n,) indices.
        votes: (n, 10) FER+ votes; rows of zeros where a picture has none.

    Raises:
        EmojifyError: if there are no pictures.
    """
    n = len(labels)
    if n == 0:
        raise EmojifyError(NO_PICTURES)
    predicted = probabilities.argmax(axis=1)
    confusion = _confusion(labels, predicted)
    hits = np.diag(confusion)
    recall = _ratio(hits, confusion.sum(axis=1))
    f1 = _ratio(2 * hits, confusion.sum(axis=0) + confusion.sum(axis=1))
    return Figures(
        n=n,
        accuracy=float(hits.sum() / n),
        recall=_by_label(recall),
        precision=_by_label(_ratio(hits, confusion.sum(axis=0))),
        f1=_by_label(np.where(np.isnan(recall), np.nan, f1)),
        macro_recall=float(np.nanmean(recall)),
        calibration_error=_calibration_error(probabilities.max(axis=1), (predicted == labels).astype(np.float64)),
        confusion=confusion.tolist(),
        **_ferplus_figures(probabilities, votes),
    )


def _ferplus_figures(probabilities: NDArray[np.float32], votes: NDArray[np.uint8] | None) -> dict[str, Any]:
    voted = majority(votes) if votes is not None else np.full(len(probabilities), -1)
    rows = voted >= 0
    if votes is None or not rows.any():
        return {"ferplus_n": 0, "ferplus_accuracy": None}
    predicted = probabilities.argmax(axis=1)
    confusion = _confusion(voted[rows], predicted[rows])
    recall = _ratio(np.diag(confusion), confusion.sum(axis=1))
    shares = distribution(votes)
    has_votes = shares.any(axis=1)
    agreement = shares[np.arange(len(shares)), predicted].astype(np.float64)
    return {
        "ferplus_n": int(rows.sum()),
        "ferplus_accuracy": float(np.diag(confusion).sum() / rows.sum()),
        "ferplus_macro_recall": float(np.nanmean(recall)),
        "ferplus_recall": _by_label(recall),
        "ferplus_cross_entropy": class_balanced_cross_entropy(probabilities, votes),
        "ferplus_calibration_error": _calibration_error(probabilities.max(axis=1)[has_votes], agreement[has_votes]),
    }


def class_balanced_cross_entropy(probabilities: NDArray[np.float32], votes: NDArray[np.uint8]) -> float:
    """Return the cross-entropy against the FER+ votes with the same weight for every emotion, in nats.

    For each emotion the cross-entropy is averaged over the pictures whose FER+ majority is that emotion. The result is
    the mean of these averages. An emotion that is the majority of no picture is left out.

    Args:
        probabilities: (n, 7), in the order of ``Emotion``.
        votes: (n, 10) FER+ votes, columns as in :data:`~emojify.training.ferplus.VOTE_COLUMNS`.

    Raises:
        ValueError: if no picture has a majority.
    """
    voted = majority(votes)
    emotions = np.unique(voted[voted >= 0])
    if len(emotions) == 0:
        raise ValueError("no picture has a FER+ majority")
    log_probabilities = np.log(np.maximum(probabilities.astype(np.float64), MIN_PROBABILITY))
    losses = -(distribution(votes) * log_probabilities).sum(axis=1)
    return float(np.mean([losses[voted == emotion].mean() for emotion in emotions]))


def _confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    confusion = np.zeros((len(LABELS), len(LABELS)), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return confusion


def _calibration_error(confidence: NDArray[np.float32], agreement: NDArray[np.float64]) -> float:
    """Return the mean gap between (n,) confidences and (n,) agreements in 0 to 1, by bins of confidence."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=agreement - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _by_label(values: NDArray[np.float64]) -> dict[str, float | None]:
    return {label: None if np.isnan(value) else float(value) for label, value in zip(LABELS, values, strict=True)}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
