"""Make a draft of a personal model from the stored pictures. Runs in a process of its own, see ``drafts.py``.

    <folder>/progress.jsonl    a line {"done": 0.4, "doing": "..."} for each step; {"error": "..."} if it failed
    <folder>/model/            the draft; promoting it copies it to models/<id>/
    <folder>/result.json       the draft's figures; written last

Teaching always starts from a model that was not taught, and uses all stored pictures, also when a personal model is
live. So nothing is taught on top of what was taught before, and deleting a picture removes its effect the next time.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS, Emotion
from emojify.errors import EmojifyError
from emojify.files import new_folder, write_json
from emojify.models import CARD, Model
from emojify.os_errors import readable_os_errors
from emojify.teaching.fit import REHEARSAL_WEIGHTS, augment, fit
from emojify.teaching.head import Head, TeachableModel
from emojify.teaching.rehearsal import TEST, Bank, read_bank
from emojify.teaching.samples import Sample, SampleStore, stack_crops
from emojify.teaching.selection import find_duplicates
from emojify.vision.classifier import Classifier

PROGRESS, RESULT, MODEL = "progress.jsonl", "result.json", "model"
DRAFT_ID = "draft"
MAX_DIFFERENCE = 0.02
"""Largest allowed difference between the probabilities of the written file and those of the trained head: the mean
over the pictures of the largest difference of a picture."""

NOT_LEARNED = (
    "It could not learn these pictures without forgetting how to read everyone else, so it stayed as it was. "
    "Check that every picture has the right label."
)

ProgressCallback = Callable[[float, str], None]
"""Called with the share of the work that is done, 0 to 1, and a few words about the current step."""


@dataclass(frozen=True, eq=False)
class _TrainingSet:
    """The stored pictures as arrays.

    Attributes:
        crops: (n, 48, 48) uint8.
        labels: (n,) int64.
        held_out_recordings: ids of the recordings that are held out to measure the accuracy.
        held_out: (n,) bool, whether a picture belongs to one of them.
        features: (m, d) float32, the last layer's input for m augmented versions; the first n are the crops themselves.
        rows: (m,) int64, the picture that a version comes from.
    """

    crops: NDArray[np.uint8]
    labels: NDArray[np.int64]
    held_out_recordings: set[str]
    held_out: NDArray[np.bool_]
    features: NDArray[np.float32]
    rows: NDArray[np.int64]

    @property
    def crop_features(self) -> NDArray[np.float32]:
        """(n, d) float32, the features of the crops themselves."""
        return self.features[: len(self.crops)]


def teach(base: Model, store: SampleStore, folder: Path, on_progress: ProgressCallback) -> dict[str, Any]:
    """Teach a model the stored pictures. Write the draft and its result into ``folder``. ::

        teach(base_model(models), SampleStore(Path("data/samples")), folder, lambda done, step: print(step))

    Returns:
        The content of ``result.json``: ``base``, ``pictures`` by emotion, ``held_out_recordings``, the accuracy before
        and after for ``own`` (held-out recordings, or None) and ``others`` (the bank's test split), ``learned`` and
        ``seconds``.

    Raises:
        EmojifyError: if there are no pictures, one picture has two labels, the model has no rehearsal bank, or the
            draft can't be written.
    """
    started_s = time.monotonic()
    on_progress(0.0, "Looking at your pictures")
    base.open()  # compares the file with its card
    original = (base.folder / base.card["tflite"]["file"]).read_bytes()
    bank = read_bank(base)
    samples = store.samples()
    crops, labels = _read_samples(samples, float(base.card.get("crop_margin", 0.0)))
    model = TeachableModel(original)
    data = _training_set(model, samples, crops, labels, on_progress)
    own, min_rehearsal = _held_out_accuracy(model.head, data, bank, on_progress)
    taught = fit(
        model.head, data.features, labels[data.rows], bank,
        lambda done: on_progress(0.7 + 0.2 * done, "Learning from all of them"), min_rehearsal=min_rehearsal,
    )  # fmt: skip
    on_progress(0.92, "Writing the model")
    result: dict[str, Any] = {
        "base": base.id,
        "pictures": {emotion.label: int((labels == emotion).sum()) for emotion in Emotion},
        "held_out_recordings": sorted(data.held_out_recordings),
        "own": own,
        "others": compare(model.head, taught.head, *bank.split(TEST)),
        "learned": bool(np.isfinite(taught.rehearsal)),
    }
    tflite = original
    if taught.head.branch:
        tflite = model.with_branch(taught.head.branch)
        _require_same_readings(tflite, crops, taught.head.probabilities(data.crop_features))
    _write_draft(base, tflite, result, folder)
    result["seconds"] = round(time.monotonic() - started_s, 1)
    write_json(folder / RESULT, result)
    on_progress(1.0, "Done")
    return result


def held_out_recordings(samples: list[Sample]) -> set[str]:
    """Return the newest recording of each emotion that has at least two recordings.

    Whole recordings are held out, because two frames of one recording are almost the same picture. With one recording
    of an emotion, its accuracy can't be measured.
    """
    by_emotion: dict[Emotion, list[str]] = {}
    for sample in samples:
        by_emotion.setdefault(sample.emotion, []).append(sample.recording)
    return {max(recordings) for recordings in by_emotion.values() if len(set(recordings)) > 1}


def require_consistent_labels(crops: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    """Raise if a picture is stored with two labels.

    Args:
        crops: (n, 48, 48) uint8.
        labels: (n,) int64.

    Raises:
        EmojifyError: naming the two emotions.
    """
    for emotion in Emotion:
        others, other_labels = crops[labels > emotion], labels[labels > emotion]
        own = crops[labels == emotion]
        duplicates = find_duplicates(own, others)
        if duplicates.any():
            first = int(np.flatnonzero(duplicates)[0])
            copy = int(np.flatnonzero(find_duplicates(others, own[first : first + 1]))[0])
            raise EmojifyError(
                f"The same picture is saved as {emotion.label} and as {Emotion(int(other_labels[copy])).label}; it can "
                "only be one of them. Delete one of the two, then teach again."
            )


def compare(
    before: Head, after: Head, features: NDArray[np.float32], labels: NDArray[np.int64]
) -> dict[str, Any] | None:
    """Return the accuracy of two heads, in all and by emotion; None if there are no rows.

    Args:
        before, after: the heads.
        features: (n, d) float32.
        labels: (n,) int64.
    """
    if len(labels) == 0:
        return None
    correct = [head.logits(features).argmax(axis=1) == labels for head in (before, after)]
    by_emotion = {
        LABELS[emotion]: _figures(correct[0][labels == emotion], correct[1][labels == emotion])
        for emotion in np.unique(labels)
    }
    return {**_figures(*correct), "emotions": by_emotion}


def _figures(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> dict[str, Any]:
    return {"n": len(before), "before": round(float(before.mean()), 4), "after": round(float(after.mean()), 4)}


def _read_samples(samples: list[Sample], margin: float) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the crops and labels of the pictures."""
    if not samples:
        raise EmojifyError("There are no pictures to learn from. Record some first.")
    crops = stack_crops([sample.cutout() for sample in samples], margin)
    labels = np.array([sample.emotion for sample in samples], np.int64)
    require_consistent_labels(crops, labels)
    return crops, labels


def _training_set(
    model: TeachableModel,
    samples: list[Sample],
    crops: NDArray[np.uint8],
    labels: NDArray[np.int64],
    on_progress: ProgressCallback,
) -> _TrainingSet:
    versions, rows = augment(crops)
    features = model.features(
        versions, lambda done: on_progress(0.05 + 0.45 * done, "Computing what the model sees in them")
    )
    recordings = held_out_recordings(samples)
    held_out = np.array([sample.recording in recordings for sample in samples])
    return _TrainingSet(crops, labels, recordings, held_out, features, rows)


def _held_out_accuracy(
    base: Head, data: _TrainingSet, bank: Bank, on_progress: ProgressCallback
) -> tuple[dict[str, Any] | None, float]:
    """Train without the held-out recordings and measure on them.

    Returns:
        The figures, or None if no recording is held out; and the smallest rehearsal weight that sufficed, from which
        training on all pictures can start.
    """
    if not data.held_out.any():
        return None, 0.0
    used = ~data.held_out[data.rows]
    taught = fit(
        base, data.features[used], data.labels[data.rows[used]], bank,
        lambda done: on_progress(0.5 + 0.2 * done, "Learning, with some recordings held out to measure"),
    )  # fmt: skip
    figures = compare(base, taught.head, data.crop_features[data.held_out], data.labels[data.held_out])
    return figures, min(taught.rehearsal, REHEARSAL_WEIGHTS[-1])


def _require_same_readings(tflite: bytes, crops: NDArray[np.uint8], expected: NDArray[np.float32]) -> None:
    """Raise if the written file reads the crops differently from the trained head."""
    classifier = Classifier(tflite, name="the taught model")
    probabilities = np.stack([classifier.classify(crop) for crop in crops])
    difference = float(np.abs(probabilities - expected).max(axis=1).mean())
    if not difference <= MAX_DIFFERENCE:  # also for NaN
        raise EmojifyError(
            f"The taught model can't be used: its file reads your pictures differently from what was learned, by "
            f"{difference:.0%}. Nothing was changed. Put another model live, then teach again."
        )


def _write_draft(base: Model, tflite: bytes, result: dict[str, Any], folder: Path) -> None:
    target = folder / MODEL
    with readable_os_errors("The taught model can't be written, and nothing was changed"):
        shutil.rmtree(target, ignore_errors=True)
        with new_folder(target) as draft:
            (draft / "model.tflite").write_bytes(tflite)
            write_json(draft / CARD, _draft_card(base.card, base.id, tflite, result))


def _draft_card(base_card: dict[str, Any], base_id: str, tflite: bytes, result: dict[str, Any]) -> dict[str, Any]:
    file = {"file": "model.tflite", "bytes": len(tflite), "sha256": hashlib.sha256(tflite).hexdigest()}
    card = base_card | {
        "id": DRAFT_ID,
        "name": f"You, {datetime.now():%d %B %H:%M}",
        "created": datetime.now(UTC).date().isoformat(),
        "based_on": base_id,
        "tflite": {**base_card["tflite"], **file},
        "figures": {},  # the base's figures do not hold for the draft
        "teaching": {key: result[key] for key in ("pictures", "held_out_recordings", "own", "others")},
        "caveats": [
            "Fitted to one person's face. Its figures on everyone else are of the rehearsal bank's held-out part.",
            *base_card.get("caveats", []),
        ],
    }
    # The base's weights and bank are of a network without the branch, which training does not know.
    for key in ("rehearsal", "weights", "reads_well", "reads_badly"):
        card.pop(key, None)
    card["tflite"].pop("public_accuracy", None)
    return card
