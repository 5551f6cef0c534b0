"""Export a run's best weights as a model folder that the app can serve.

    models/<id>/model.tflite    the network for LiteRT: raw gray bytes (1, 48, 48, 1) in, probabilities (1, 7) out
    models/<id>/weights.npz     the same network's weights in float16, to train on from
    models/<id>/rehearsal.npz   the inputs of its last layer for a sample of faces, which teaching needs
    models/<id>/card.json       what the model is and its figures

The folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.files import new_folder, read_json, write_json
from emojify.models import new_model_folder
from emojify.runs.config import FitConfig
from emojify.runs.networks import SIDE
from emojify.teaching.rehearsal import BANK_FILE, choose_faces, make_bank_in_subprocess
from emojify.training.card import make_card
from emojify.training.check import mark_clean
from emojify.training.dataset import Dataset, load_joined
from emojify.training.evaluate import measure_held_out, predict_in_subprocess
from emojify.training.figures import Figures, measure
from emojify.training.weights import load_network, save_weights
from emojify.vision.classifier import MAX_CROP_MARGIN
from emojify.vision.quiet import without_start_up_lines

MAX_INT8_LOSS = 0.005
"""Loss of :func:`selection_score` on public up to which int8 ships instead of float32: it is four times smaller and
faster. One picture of the rarest emotion, disgusted, is 0.004."""

CALIBRATION_PICTURES = 128
"""With 32, 128, 512 or 2,048 pictures the answers of an int8 ``compact`` are equally close to float32's: a
Kullback-Leibler divergence of 0.0095 to 0.0098 on public."""

MAX_LOGIT_BIAS = 3.0  # twenty times the odds


@dataclass(frozen=True)
class ExportOptions:
    """Choices for an export.

    Attributes:
        name: the name that the app shows; empty for the model's id.
        crop_margin: share of the face detector's box that is added on each side before the crop is scaled to 48x48.
        logit_bias: constants that are added to the logits of the network, by label; 0.7 doubles an emotion's odds.
            For an emotion that is often present and seldom the most probable one. Choose it on public.

    Raises:
        EmojifyError: if a value is out of range or a label unknown.
    """

    name: str = ""
    crop_margin: float = 0.0
    logit_bias: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.crop_margin <= MAX_CROP_MARGIN:
            raise EmojifyError(f"The crop margin is {self.crop_margin}; it must be between 0 and {MAX_CROP_MARGIN}.")
        for label, bias in self.logit_bias.items():
            if label not in LABELS:
                raise EmojifyError(f"There is no emotion called {label!r}. There are: {', '.join(LABELS)}.")
            if not abs(bias) <= MAX_LOGIT_BIAS:  # also rejects NaN
                allowed = f"between {-MAX_LOGIT_BIAS} and {MAX_LOGIT_BIAS}"
                raise EmojifyError(f"The logit bias of {label} is {bias}; it must be {allowed}.")


def export_run(run: Path, data: Path | None, models: Path, model_id: str, options: ExportOptions | None = None) -> Path:
    """Export the best epoch of a run, finished or not.

    Args:
        run: a folder written by :mod:`~emojify.training.fit`.
        data: the data set for int8 calibration and the card's figures; None for the one that the run was trained on,
            with the second one that was joined to it.
        models: the folder of all models.
        model_id: the name of the new folder: small letters, digits, dots and dashes.
        options: see :class:`ExportOptions`.

    Returns:
        The new folder.

    Raises:
        EmojifyError: if the id is taken or invalid, or the run or the data can't be used.
    """
    target = new_model_folder(models, model_id)  # first, since reading the data takes long
    if not (run / "checkpoint.json").is_file():
        raise EmojifyError(f"{run} is no training run with a whole epoch. Let it finish one first.")
    config = FitConfig.read(run)
    if data is not None:
        dataset = load_joined(data, None)
    else:
        dataset = load_joined(Path(config.data), Path(config.added_data) if config.added_data else None)
    try:
        recipe = recipe_of(config, read_json(run / "checkpoint.json"))
    except (ValueError, KeyError, TypeError) as error:
        raise EmojifyError(
            f"The checkpoint of {run} is damaged. Resume the run for one more epoch, or export another."
        ) from error
    weights = run / "best.weights.h5"
    return export(config.network, weights, mark_clean(dataset), target, recipe, options or ExportOptions())


def recipe_of(config: FitConfig, state: dict[str, Any]) -> dict[str, Any]:
    """Return how a run was trained, for the card: its settings without local paths, and its best epoch.

    Args:
        config: the run's settings.
        state: the content of its ``checkpoint.json``.
    """
    recipe = {key: value for key, value in asdict(config).items() if key not in ("data", "added_data", "network")}
    return recipe | {
        "begin_with": Path(config.begin_with).parent.name if config.begin_with else "",  # a model's or a run's id
        "teachers": [Path(teacher).name for teacher in config.teachers],
        "epochs_done": state["epoch"],
        "best_epoch": state["best_epoch"],
        "chosen_on": "public",
    }


def export(
    network: str, weights: Path, data: Dataset, target: Path, recipe: dict[str, Any], options: ExportOptions
) -> Path:
    """Export a network. See :func:`export_run`.

    The weights are rounded to float16 first, so that ``weights.npz`` and ``model.tflite`` are the same network.

    Args:
        network: a name in :data:`~emojify.runs.networks.NETWORKS`.
        weights: a file of its weights, see :func:`~emojify.training.weights.load_network`.
        data: with clean marks, see :func:`~emojify.training.check.mark_clean`.
        target: the model's folder, which must not exist.
        recipe: how it was trained, for the card.
        options: see :class:`ExportOptions`.

    Raises:
        EmojifyError: if the weights are damaged or another network's.
        OSError: if the folder exists or can't be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(target) as folder:
        trained = load_network(network, weights)
        _add_logit_bias(trained, options.logit_bias)
        save_weights(trained, folder / "weights.npz")
        model = load_network(network, folder / "weights.npz")
        tflite = _write_smallest_faithful(model, data, folder)
        figures = measure_held_out(data, lambda images: predict_in_subprocess(folder / "model.tflite", images))
        _write_bank(data, folder)
        identity = {
            "id": target.name,
            "name": options.name or target.name,
            "network": network,
            "parameters": model.count_params(),
            "created": datetime.now(UTC).date().isoformat(),
            "tflite": _file_entry(folder / "model.tflite") | tflite,
            "weights": _file_entry(folder / "weights.npz"),
            "rehearsal": _file_entry(folder / BANK_FILE),
            "emotions": list(LABELS),
            "crop_margin": options.crop_margin,
        }
        recipe = recipe | {"logit_bias": dict(options.logit_bias)}
        write_json(folder / "card.json", make_card(identity, data, recipe, figures))
    return target


def selection_score(figures: Figures) -> float:
    """Return the mean of accuracy and macro recall: against the FER+ majority, or the labels if there are no votes."""
    if figures.ferplus_accuracy is not None and figures.ferplus_macro_recall is not None:
        return (figures.ferplus_accuracy + figures.ferplus_macro_recall) / 2
    return (figures.accuracy + figures.macro_recall) / 2


def convert(model: keras.Model, calibration: NDArray[np.uint8] | None = None) -> bytes:
    """Convert a network to a LiteRT file.

    Args:
        model: takes (n, 48, 48, 1) uint8, gives (n, 7) float32.
        calibration: (n, 48, 48) uint8, typical faces; the file is then int8 inside, without it float32.
    """
    with tempfile.TemporaryDirectory() as scratch:
        # A fixed batch of one: a variable one leaves shape arithmetic in the graph that splits XNNPACK's work.
        one = keras.InputSpec(dtype="uint8", shape=(1, SIDE, SIDE, 1), name="pixels")
        model.export(scratch, format="tf_saved_model", verbose=False, input_signature=[one])
        converter = tf.lite.TFLiteConverter.from_saved_model(scratch)
        if calibration is not None:

            def representative_dataset() -> Iterator[list[NDArray[np.uint8]]]:
                for image in calibration:
                    yield [image[None, :, :, None]]

            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = representative_dataset
        with without_start_up_lines():
            return bytes(converter.convert())


def _add_logit_bias(model: keras.Model, logit_bias: Mapping[str, float]) -> None:
    kernel, bias = model.layers[-1].get_weights()
    for label, value in logit_bias.items():
        bias[LABELS.index(label)] += value
    model.layers[-1].set_weights([kernel, bias])


def _write_smallest_faithful(model: keras.Model, data: Dataset, folder: Path) -> dict[str, Any]:
    """Write ``model.tflite``: int8 unless its score on public is more than ``MAX_INT8_LOSS`` below float32's.

    Returns:
        The card's entries about the choice.
    """
    train, public = data.split("train").images, data.split("public")
    sample = np.random.default_rng(0).permutation(len(train))[:CALIBRATION_PICTURES]
    target = folder / "model.tflite"
    contents = {"float32": convert(model), "int8": convert(model, train[sample])}
    figures = {}
    for kind, content in contents.items():
        target.write_bytes(content)
        figures[kind] = measure(predict_in_subprocess(target, public.images), public.labels, public.votes)
    scores = {kind: selection_score(figures[kind]) for kind in figures}
    chosen = "int8" if scores["float32"] - scores["int8"] <= MAX_INT8_LOSS else "float32"
    target.write_bytes(contents[chosen])
    return {
        "quantization": chosen,
        "chosen_by": "FER+ majority" if figures[chosen].ferplus_n else "labels",
        "public_score": {kind: round(score, 4) for kind, score in scores.items()},
        "public_accuracy": {kind: round(figures[kind].accuracy, 4) for kind in figures},
    }


def _write_bank(data: Dataset, folder: Path) -> None:
    train, public = data.split("train"), data.split("public")
    if public.clean is not None and public.clean.any():
        public = public.rows(public.clean)
    faces = choose_faces((train.images, train.labels), (public.images, public.labels))
    (folder / BANK_FILE).write_bytes(make_bank_in_subprocess(folder / "model.tflite", faces))


def _file_entry(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"file": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
