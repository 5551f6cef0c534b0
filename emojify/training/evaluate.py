"""What a model's exported file is worth, on pictures that it was not trained on.

The file that ships is the file that is measured: LiteRT runs it here as it does in the app, one face at a time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.settings import ROOT
from emojify.training.dataset import Dataset
from emojify.training.ferplus import distribution, majority
from emojify.vision.classifier import crop_face
from emojify.vision.detector import FaceDetector

CALIBRATION_BINS = 15
"""Of Guo et al. 2017, "On Calibration of Modern Neural Networks", which made this the usual number."""

MIN_PROBABILITY = 1e-7
"""Probabilities are clipped to this before a logarithm. An int8 model rounds small ones to 0."""

NO_PICTURES = "There are no pictures to evaluate on: this data set has none of that kind in that split."


@dataclass(frozen=True)
class Figures:
    """How well some probabilities fit some labels. Rates are 0 to 1; the dicts have a key per emotion.

    Attributes:
        n: pictures.
        accuracy: share of pictures whose most probable emotion is their label.
        recall: of the pictures labelled so, the share read so. None for an emotion that has no pictures.
        precision: of the pictures read so, the share labelled so. None for an emotion that is never read.
        f1: harmonic mean of the two; None without pictures.
        macro_recall: mean recall over the emotions that have pictures.
        calibration_error: expected calibration error: the mean gap between confidence and accuracy.
        confusion: 7 x 7 counts, a row per label, a column per reading.
        ferplus_n: pictures on which the crowd of FER+ has a majority for one of the seven.
        ferplus_accuracy: share of these that are read as that majority says; None without votes.
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

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON, rates to four places (a picture of 3,589 is 0.0003)."""
        return _rounded(asdict(self))

    def __str__(self) -> str:
        lines = [f"{'':10}{'recall':>10}{'precision':>11}{'F1':>8}"]
        for label in LABELS:
            values = [values[label] for values in (self.recall, self.precision, self.f1)]
            shown = ["-" if value is None else f"{value:.3f}" for value in values]
            lines.append(f"{label:10}{shown[0]:>10}{shown[1]:>11}{shown[2]:>8}")
        lines.append(f"accuracy {self.accuracy:.4f}, macro recall {self.macro_recall:.4f}")
        if self.ferplus_accuracy is not None:
            lines.append(f"against the FER+ majority {self.ferplus_accuracy:.4f} ({self.ferplus_n:,} pictures)")
        lines.append(f"calibration error {self.calibration_error:.4f}")
        return "\n".join(lines)


def measure(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], votes: NDArray[np.uint8] | None = None
) -> Figures:
    """Compare probabilities with labels.

    Args:
        probabilities: (n, 7), in the order of ``Emotion``.
        labels: (n,) indices.
        votes: (n, 10) FER+ votes, if there are any.

    Raises:
        EmojifyError: if there are no pictures.
    """
    n = len(labels)
    if n == 0:
        raise EmojifyError(NO_PICTURES)
    read = probabilities.argmax(axis=1)
    confusion = np.zeros((len(LABELS), len(LABELS)), np.int64)
    np.add.at(confusion, (labels, read), 1)
    hits = np.diag(confusion)
    recall = _ratio(hits, confusion.sum(axis=1))
    voted = majority(votes) if votes is not None else np.full(n, -1)
    has_majority = voted >= 0
    return Figures(
        n=n,
        accuracy=float(hits.sum() / n),
        recall=_by_label(recall),
        precision=_by_label(_ratio(hits, confusion.sum(axis=0))),
        f1=_by_label(
            np.where(np.isnan(recall), np.nan, _ratio(2 * hits, confusion.sum(axis=0) + confusion.sum(axis=1)))
        ),
        macro_recall=float(np.nanmean(recall)),
        calibration_error=_calibration_error(probabilities.max(axis=1), read == labels),
        confusion=confusion.tolist(),
        ferplus_n=int(has_majority.sum()),
        ferplus_accuracy=float((read == voted)[has_majority].mean()) if has_majority.any() else None,
    )


def class_balanced_cross_entropy(probabilities: NDArray[np.float32], votes: NDArray[np.uint8]) -> float:
    """Return the cross-entropy against the FER+ votes with every emotion weighing alike, in nats.

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


def evaluate(
    model: Path | bytes,
    data: Dataset,
    split: str,
    *,
    clean: bool = False,
    mirrored: bool = False,
    detector_margin: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Figures:
    """Run an exported model over one split and compare.

    Args:
        model: a ``model.tflite``, its path or its content.
        split: ``"train"``, ``"public"`` or ``"private"``.
        clean: leave out pictures that are blank, no face, or have a near copy in train.
        mirrored: test-time augmentation: the mean of each picture's reading and its mirror image's.
        detector_margin: read each face as the live path would, found by the detector and cut out with this margin,
            instead of the whole picture. Pictures in which the detector finds no face are left out.
        on_progress: called with (pictures done, pictures in all).

    Raises:
        EmojifyError: if the split is empty, or the file is no model of the seven emotions.
    """
    rows = data.split(split, clean=clean)
    if detector_margin is not None:
        crops = [crop_detected_face(image, detector_margin) for image in rows.images]
        rows = rows.rows(np.array([crop is not None for crop in crops], np.bool_))
        rows = replace(rows, images=np.array([crop for crop in crops if crop is not None], np.uint8))
    if not len(rows):
        raise EmojifyError(NO_PICTURES)
    probabilities = predict(model, rows.images, on_progress)
    if mirrored:
        probabilities = (probabilities + predict(model, rows.images[:, :, ::-1])) / np.float32(2)
    return measure(probabilities, rows.labels, rows.votes)


def crop_detected_face(image: NDArray[np.uint8], margin: float) -> NDArray[np.uint8] | None:
    """The crop that the live path would make of a face in a picture that shows nothing else.

    The picture is enlarged four times and continued at its borders, since the detector wants some room around a face.

    Args:
        image: (48, 48) uint8.
        margin: share of the face's box to add on each side.

    Returns:
        (48, 48) uint8; None if the detector finds no face.
    """
    large = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    room = image.shape[0]
    scene = np.asarray(cv2.copyMakeBorder(large, room, room, room, room, cv2.BORDER_REPLICATE), np.uint8)
    boxes = _detector().detect(scene)
    return crop_face(scene, boxes[0], margin) if boxes else None


@cache
def _detector() -> FaceDetector:
    return FaceDetector()


def predict(
    model: Path | bytes, images: NDArray[np.uint8], on_progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """The probabilities of an exported model: (n, 48, 48) uint8 gray to (n, 7) float32, one picture at a time.

    Raises:
        EmojifyError: if the file is no model that takes such pictures and gives seven probabilities.
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
        raise EmojifyError("The model must take gray bytes and give seven probabilities; this one does something else.")
    probabilities = np.empty((len(images), len(LABELS)), np.float32)
    for row, image in enumerate(images):
        interpreter.set_tensor(source["index"], image[None, :, :, None])
        interpreter.invoke()
        probabilities[row] = interpreter.get_tensor(target["index"])[0]
        if on_progress is not None:
            on_progress(row + 1, len(images))
    return probabilities


def predict_in_subprocess(model: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What :func:`predict` gives, from a fresh process without TensorFlow, which is how the app runs a model.

    In a process in which TensorFlow's converter had just worked, LiteRT 2.3 now and then aborted with a corrupt heap
    ("double free", in allocate_tensors, TensorFlow 2.21); without TensorFlow around it never did.

    Raises:
        subprocess.CalledProcessError: if that process fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        given, answer = Path(scratch) / "images.npy", Path(scratch) / "probabilities.npy"
        np.save(given, images)
        command = [sys.executable, "-m", "emojify.training.evaluate", str(model.absolute()), str(given), str(answer)]
        subprocess.run(command, check=True, cwd=ROOT, stderr=subprocess.PIPE)
        return np.asarray(np.load(answer), np.float32)


def _calibration_error(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=right.astype(np.float64) - confidence, minlength=CALIBRATION_BINS)
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
