"""From a fit's best weights to a model folder that the app can serve.

    models/<id>/model.tflite    the network for LiteRT: raw gray bytes (1, 48, 48, 1) in, probabilities (1, 7) out
    models/<id>/weights.npz     the same network's weights in float16, to train on from
    models/<id>/rehearsal.npz   what its last layer is given for some of the faces, for teaching it one more
    models/<id>/card.json       what it is and what it is worth

The folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.files import UNFINISHED
from emojify.runs.config import FitConfig
from emojify.teaching.rehearsal import BANK_FILE, choose_faces, make_bank_in_subprocess
from emojify.training.card import make_card
from emojify.training.check import mark_clean
from emojify.training.dataset import SIDE, Dataset, load
from emojify.training.evaluate import Figures, measure, predict_in_subprocess
from emojify.training.weights import load_network, save_weights
from emojify.vision.classifier import MAX_CROP_MARGIN

MAX_INT8_LOSS = 0.005
"""Share of public pictures that int8 may lose against float and still ship: it is four times smaller and faster."""

CALIBRATION_PICTURES = 512
MAX_LOGIT_BIAS = 3.0  # of the logit: twenty times the odds
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def export_run(
    run: Path,
    data: Path,
    models: Path,
    model_id: str,
    *,
    name: str | None = None,
    crop_margin: float = 0.0,
    logit_bias: Mapping[str, float] | None = None,
) -> Path:
    """Make a model folder from the best epoch of a run, finished or not.

    Args:
        run: a folder written by :mod:`~emojify.training.fit`.
        data: the data set, for calibration and for the card's figures.
        models: where model folders lie.
        model_id: the new folder's name: small letters, digits, dots and dashes.
        name: what people see; the id if there is none.
        crop_margin: share of the face detector's box that is added on each side before it is scaled to 48x48.
        logit_bias: what is added to an emotion's logit for good, by label: 0.7 doubles its odds. For an emotion that is
            often there and seldom the likeliest; choose it on public.

    Returns:
        The new folder.

    Raises:
        EmojifyError: if the id is taken or unfit, there is no such emotion, or the run or the data can't be used.
    """
    _check_wishes(models, model_id, crop_margin, logit_bias or {})
    if not (run / "checkpoint.json").is_file():
        raise EmojifyError(f"{run} is no training run with a whole epoch behind it. Let it finish one first.")
    config = FitConfig.read(run)
    state = json.loads((run / "checkpoint.json").read_text())
    return export(
        config.network,
        run / "best.weights.h5",
        mark_clean(load(data)),
        models,
        model_id,
        name=name,
        recipe=recipe_of(config, state),
        crop_margin=crop_margin,
        logit_bias=logit_bias or {},
    )


def recipe_of(config: FitConfig, state: dict[str, Any]) -> dict[str, Any]:
    """How a run was trained, for the card: what it was told, without paths on somebody's machine, and how it went."""
    recipe = {key: value for key, value in asdict(config).items() if key not in ("data", "network")}
    return recipe | {
        "begin_with": Path(config.begin_with).parent.name if config.begin_with else "",  # a model or a run
        "epochs_done": state["epoch"],
        "best_epoch": state["best_epoch"],
        "chosen_on": "public",
    }


def export(
    network: str,
    weights: Path,
    data: Dataset,
    models: Path,
    model_id: str,
    *,
    name: str | None,
    recipe: dict[str, Any],
    crop_margin: float,
    logit_bias: Mapping[str, float],
) -> Path:
    """Make a model folder from a network's name and a file of its weights. See :func:`export_run`.

    The weights are rounded to float16 first, so that ``weights.npz`` and ``model.tflite`` are the same network.

    Args:
        data: with clean marks, see :func:`~emojify.training.check.mark_clean`.
        recipe: how it was trained, for the card.
    """
    _check_wishes(models, model_id, crop_margin, logit_bias)
    target = models / model_id
    models.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=models, prefix=f"{UNFINISHED}{model_id}."))
    try:
        trained = load_network(network, weights)
        _add_logit_bias(trained, logit_bias)
        save_weights(trained, folder / "weights.npz")
        model = load_network(network, folder / "weights.npz")
        tflite, public = _write_smallest_faithful(model, data, folder)
        figures = {"public": public}
        private = data.split("private")
        probabilities = predict_in_subprocess(folder / "model.tflite", private.images)
        figures["private"] = measure(probabilities, private.labels, private.votes)
        if private.clean is not None and private.clean.any():
            clean = private.rows(private.clean)
            figures["private_clean"] = measure(probabilities[private.clean], clean.labels, clean.votes)
        _write_bank(data, folder)
        card = make_card(
            model_id=model_id,
            name=name or model_id,
            network=network,
            parameters=model.count_params(),
            created=datetime.now(UTC).date().isoformat(),
            tflite=_stamp(folder / "model.tflite") | tflite,
            weights=_stamp(folder / "weights.npz"),
            rehearsal=_stamp(folder / BANK_FILE),
            emotions=list(LABELS),
            crop_margin=crop_margin,
            data=data,
            recipe=recipe | {"logit_bias": dict(logit_bias)},
            figures=figures,
        )
        (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        folder.chmod(0o755)
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return target


def _check_wishes(models: Path, model_id: str, crop_margin: float, logit_bias: Mapping[str, float]) -> None:
    """Before anything is read, which takes long."""
    if not _ID.fullmatch(model_id):
        raise EmojifyError(f"{model_id!r} can't name a model: use small letters, digits, dots and dashes.")
    if (models / model_id).exists():
        raise EmojifyError(
            f"There is a model {model_id!r} already. Choose another id, or remove {models / model_id} first."
        )
    if not 0 <= crop_margin <= MAX_CROP_MARGIN:
        raise EmojifyError(f"The crop margin is {crop_margin}; it must lie between 0 and {MAX_CROP_MARGIN}.")
    for label, more in logit_bias.items():
        if label not in LABELS:
            raise EmojifyError(f"There is no emotion called {label!r}. There are: {', '.join(LABELS)}.")
        if not abs(more) <= MAX_LOGIT_BIAS:
            raise EmojifyError(
                f"The logit bias of {label} is {more}; it must be between {-MAX_LOGIT_BIAS} and {MAX_LOGIT_BIAS}."
            )


def _add_logit_bias(model: keras.Model, logit_bias: Mapping[str, float]) -> None:
    kernel, bias = model.layers[-1].get_weights()
    for label, more in logit_bias.items():
        bias[LABELS.index(label)] += more
    model.layers[-1].set_weights([kernel, bias])


def convert(model: keras.Model, calibration: NDArray[np.uint8] | None = None) -> bytes:
    """The network as a LiteRT file: int8 inside if there are pictures to calibrate it on, else float32.

    Args:
        model: takes (n, 48, 48, 1) uint8, gives (n, 7) float32.
        calibration: (n, 48, 48) uint8, faces such as it will meet.
    """
    with tempfile.TemporaryDirectory() as scratch:
        # A fixed batch of one: a free one leaves shape arithmetic in the graph that cuts XNNPACK's work in pieces.
        one = keras.InputSpec(dtype="uint8", shape=(1, SIDE, SIDE, 1), name="pixels")
        model.export(scratch, format="tf_saved_model", verbose=False, input_signature=[one])
        converter = tf.lite.TFLiteConverter.from_saved_model(scratch)
        if calibration is not None:

            def pictures() -> Iterator[list[NDArray[np.uint8]]]:
                for image in calibration:
                    yield [image[None, :, :, None]]

            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = pictures
        return bytes(converter.convert())


def _write_smallest_faithful(model: keras.Model, data: Dataset, folder: Path) -> tuple[dict[str, Any], Figures]:
    """Write ``model.tflite``: int8 unless it loses more than ``MAX_INT8_LOSS`` on public.

    Returns:
        What the card says about the choice, and the chosen one's figures on public.
    """
    train, public = data.split("train").images, data.split("public")
    sample = np.random.default_rng(0).permutation(len(train))[:CALIBRATION_PICTURES]
    target = folder / "model.tflite"
    candidates = {"float32": convert(model), "int8": convert(model, train[sample])}
    figures = {}
    for kind, content in candidates.items():
        target.write_bytes(content)
        figures[kind] = measure(predict_in_subprocess(target, public.images), public.labels, public.votes)
    chosen = "int8" if figures["float32"].accuracy - figures["int8"].accuracy <= MAX_INT8_LOSS else "float32"
    target.write_bytes(candidates[chosen])
    public_accuracy = {kind: round(figures[kind].accuracy, 4) for kind in figures}
    return {"quantization": chosen, "public_accuracy": public_accuracy}, figures[chosen]


def _write_bank(data: Dataset, folder: Path) -> None:
    train, public = data.split("train"), data.split("public")
    if public.clean is not None and public.clean.any():
        public = public.rows(public.clean)
    faces = choose_faces((train.images, train.labels), (public.images, public.labels))
    (folder / BANK_FILE).write_bytes(make_bank_in_subprocess(folder / "model.tflite", faces))


def _stamp(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"file": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
