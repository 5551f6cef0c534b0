"""Measure a model's exported file on pictures that it was not trained on.

LiteRT runs the file as in the app, one face at a time, so the figures are those of the file that ships.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.settings import ROOT
from emojify.training.dataset import ALL, Dataset
from emojify.training.ferplus import distribution, majority
from emojify.training.labeled_faces import crop_main_face

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


@dataclass(frozen=True)
class EvaluationOptions:
    """Which pictures are evaluated, and how.

    Attributes:
        clean: leave out pictures that are blank, show no face by the FER+ votes, or have a near copy in train.
        mirrored: test-time augmentation: average the probabilities of each picture and of its mirror image.
        detector_margin: share of the face's box to add on each side when the live detector crops each 48x48 picture
            again; None to use the whole picture. Pictures without a detected face are left out and counted.
    """

    clean: bool = False
    mirrored: bool = False
    detector_margin: float | None = None


def evaluate(
    model: Path | bytes,
    data: Dataset,
    split: str,
    options: EvaluationOptions | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Figures:
    """Run an exported model on one split and measure it.

    Args:
        model: a ``model.tflite``, its path or its content.
        data: the data set.
        split: ``"train"``, ``"public"``, ``"private"``, or ``"all"`` for a data set of
            :func:`~emojify.training.dataset.load_unsplit`.
        options: see :class:`EvaluationOptions`.
        on_progress: called with (pictures done, pictures in all).

    Raises:
        EmojifyError: if the split is empty, or the file is not a model of the seven emotions.
    """
    options = options or EvaluationOptions()
    rows = data.split(split, clean=options.clean)
    no_face_n = len(data.without_face) if split == ALL else 0
    if options.detector_margin is not None:
        detected = set(rows.detected)
        crops = [
            image if file in detected else crop_main_face(image, options.detector_margin)
            for image, file in zip(rows.images, rows.files, strict=True)
        ]
        no_face_n += sum(crop is None for crop in crops)
        rows = rows.rows(np.array([crop is not None for crop in crops], np.bool_))
        rows = replace(rows, images=np.array([crop for crop in crops if crop is not None], np.uint8))
    if not len(rows):
        raise EmojifyError(NO_PICTURES)
    probabilities = predict(model, rows.images, on_progress)
    if options.mirrored:
        probabilities = (probabilities + predict(model, rows.images[:, :, ::-1])) / np.float32(2)
    return replace(measure(probabilities, rows.labels, rows.votes), no_face_n=no_face_n)


def measure_held_out(
    data: Dataset, run_model: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
) -> dict[str, Figures]:
    """Measure a model on public and private, and on the clean part of private if there are clean marks.

    Args:
        data: the data set.
        run_model: takes (n, 48, 48) uint8 and gives (n, 7) float32 probabilities.

    Returns:
        The figures by ``public``, ``private`` and ``private_clean``.
    """
    figures = {}
    for split in ("public", "private"):
        rows = data.split(split)
        probabilities = run_model(rows.images)
        figures[split] = measure(probabilities, rows.labels, rows.votes)
    if rows.clean is not None and rows.clean.any():
        clean = rows.rows(rows.clean)
        figures["private_clean"] = measure(probabilities[rows.clean], clean.labels, clean.votes)
    return figures


def predict(
    model: Path | bytes, images: NDArray[np.uint8], on_progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """Run an exported model on one picture at a time.

    Args:
        model: a ``model.tflite``, its path or its content.
        images: (n, 48, 48) uint8, gray.
        on_progress: called with (pictures done, pictures in all).

    Returns:
        (n, 7) float32 probabilities.

    Raises:
        EmojifyError: if the file is not a model that takes such pictures and gives seven probabilities.
    """
    from ai_edge_litert.interpreter import Interpreter

    content = model.read_bytes() if isinstance(model, Path) else model
    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise EmojifyError(f"{model if isinstance(model, Path) else 'The model'} is no LiteRT model.") from error
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    if (source["dtype"], tuple(target["shape"])) != (np.uint8, (1, len(LABELS))):
        raise EmojifyError("The model must take gray bytes and give seven probabilities; this one does not.")
    probabilities = np.empty((len(images), len(LABELS)), np.float32)
    for row, image in enumerate(images):
        interpreter.set_tensor(source["index"], image[None, :, :, None])
        interpreter.invoke()
        probabilities[row] = interpreter.get_tensor(target["index"])[0]
        if on_progress is not None:
            on_progress(row + 1, len(images))
    return probabilities


def predict_in_subprocess(model: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Run :func:`predict` in a new process without TensorFlow, as the app runs a model.

    In a process in which TensorFlow's converter had just worked, LiteRT 2.3 sometimes aborted with a corrupt heap
    ("double free", in allocate_tensors, TensorFlow 2.21). It never did so without TensorFlow.

    Args:
        model: path of a ``model.tflite``.
        images: (n, 48, 48) uint8, gray.

    Returns:
        (n, 7) float32 probabilities.

    Raises:
        subprocess.CalledProcessError: if that process fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        images_file, output = Path(scratch) / "images.npy", Path(scratch) / "probabilities.npy"
        np.save(images_file, images)
        command = [sys.executable, "-m", "emojify.training.evaluate", str(model.absolute())]
        command += [str(images_file), str(output)]
        subprocess.run(command, check=True, cwd=ROOT, stderr=subprocess.PIPE)
        return np.asarray(np.load(output), np.float32)


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


if __name__ == "__main__":
    np.save(sys.argv[3], predict(Path(sys.argv[1]), np.load(sys.argv[2])))
