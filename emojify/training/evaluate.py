"""Measure a model's exported file on pictures that it was not trained on.

LiteRT runs the file as in the app, one face at a time, so the figures are those of the file that ships.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.settings import ROOT
from emojify.training.dataset import ALL, Dataset
from emojify.training.figures import NO_PICTURES, Figures, measure
from emojify.training.labeled_faces import crop_main_face


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


if __name__ == "__main__":
    np.save(sys.argv[3], predict(Path(sys.argv[1]), np.load(sys.argv[2])))
