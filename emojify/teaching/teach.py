"""From somebody's pictures to a draft of a personal model. Runs in a process of its own, see ``drafts.py``.

    <folder>/progress.jsonl    {"done": 0.4, "doing": "..."} a line, the last one counts; {"error": "..."} ends it
    <folder>/model/            what will be models/<id>/ if the person keeps it
    <folder>/result.json       what it is worth; written last

Teaching always starts from the model that shipped and all pictures there are, also when a personal model is live: so
nothing is taught on top of what was taught before, and a picture that is deleted is forgotten next time.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS, Emotion
from emojify.errors import EmojifyError
from emojify.files import write_atomically
from emojify.models import CARD, Model
from emojify.teaching.fit import REHEARSAL_WEIGHTS, augment, fit
from emojify.teaching.head import Head, TeachableModel
from emojify.teaching.rehearsal import TEST, read_bank
from emojify.teaching.samples import Sample, SampleStore, stack_crops
from emojify.teaching.selection import find_duplicates
from emojify.vision.classifier import Classifier

PROGRESS, RESULT, MODEL = "progress.jsonl", "result.json", "model"
PLACEHOLDER_ID = "draft"
MAX_DIFFERENCE = 0.02
"""How far the probabilities that the written file gives may lie from what was fitted, on average."""

NOT_LEARNED = (
    "It could not learn these pictures without forgetting how to read everyone else, so it stayed as it was. "
    "Are they all labelled as meant?"
)

ProgressCallback = Callable[[float, str], None]


def teach(base: Model, store: SampleStore, folder: Path, report: ProgressCallback) -> dict[str, Any]:
    """Teach a model the pictures of ``store`` and write the draft into ``folder``. Returns the result.

    Raises:
        EmojifyError: if there are no pictures, some contradict each other, the model has no rehearsal bank, or the
            draft can't be written.
    """
    began_s = time.monotonic()
    report(0.0, "Looking at your pictures")
    base.open()  # compares the file with its card
    original = (base.folder / base.card["tflite"]["file"]).read_bytes()
    bank = read_bank(base)
    samples = store.samples()
    if not samples:
        raise EmojifyError("There are no pictures to learn from. Record some first.")
    crops = stack_crops([sample.cutout() for sample in samples], float(base.card.get("crop_margin", 0.0)))
    labels = np.array([sample.emotion for sample in samples], np.int64)
    require_consistent_labels(crops, labels)

    headed = TeachableModel(original)
    versions, rows = augment(crops)
    features = headed.features(versions, lambda done: report(0.05 + 0.45 * done, "Seeing them as the model does"))
    held_out = held_out_recordings(samples)
    own, min_rehearsal = None, 0.0
    if held_out:
        away = np.array([sample.recording in held_out for sample in samples])
        stays = ~away[rows]
        rehearsed = fit(
            headed.head, features[stays], labels[rows[stays]], bank,
            lambda done: report(0.5 + 0.2 * done, "Learning, with some recordings held back to measure"),
        )  # fmt: skip
        asis = features[: len(crops)]  # the first version of each is the picture itself
        min_rehearsal = min(rehearsed.rehearsal, REHEARSAL_WEIGHTS[-1])
        own = compare(headed.head, rehearsed.head, asis[away], labels[away])
    taught = fit(
        headed.head, features, labels[rows], bank,
        lambda done: report(0.7 + 0.2 * done, "Learning from all of them"), min_rehearsal=min_rehearsal,
    )  # fmt: skip
    report(0.92, "Writing the model")
    tflite = headed.with_branch(taught.head.branch) if taught.head.branch else original
    result: dict[str, Any] = {
        "base": base.id,
        "pictures": {emotion.label: int((labels == emotion).sum()) for emotion in Emotion},
        "held_out_recordings": sorted(held_out),
        "own": own,
        "others": compare(headed.head, taught.head, *bank.split(TEST)),
        "learned": bool(np.isfinite(taught.rehearsal)),
    }
    if taught.head.branch:
        _require_same_readings(tflite, crops, taught.head.probabilities(features[: len(crops)]))
    _write_draft(base, tflite, result, folder)
    result["seconds"] = round(time.monotonic() - began_s, 1)
    write_atomically(folder / RESULT, (json.dumps(result, indent=1) + "\n").encode())
    report(1.0, "Done")
    return result


def held_out_recordings(samples: list[Sample]) -> set[str]:
    """The newest recording of each emotion that has at least two: whole recordings, never frames of one.

    With a single recording there is nothing honest to measure with, and no figure.
    """
    by_emotion: dict[Emotion, list[str]] = {}
    for sample in samples:
        by_emotion.setdefault(sample.emotion, []).append(sample.recording)
    return {max(recordings) for recordings in by_emotion.values() if len(set(recordings)) > 1}


def require_consistent_labels(crops: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    """Raises:
    EmojifyError: if one picture is here as two emotions.
    """
    for emotion in Emotion:
        doubled = find_duplicates(crops[labels == emotion], crops[labels > emotion])
        if doubled.any():
            row = int(np.flatnonzero(doubled)[0])
            same = find_duplicates(crops[labels > emotion], crops[labels == emotion][row : row + 1])
            other = Emotion(int(labels[labels > emotion][int(np.flatnonzero(same)[0])]))
            raise EmojifyError(
                f"The same picture is here as {emotion.label} and as {other.label}; it can only be one of them. "
                "Delete one of the two, then teach again."
            )


def compare(
    before: Head, after: Head, features: NDArray[np.float32], labels: NDArray[np.int64]
) -> dict[str, Any] | None:
    """Accuracy before and after, in all and by emotion; None without pictures."""
    if len(labels) == 0:
        return None
    right = [head.logits(features).argmax(axis=1) == labels for head in (before, after)]
    by_emotion = {
        LABELS[emotion]: _figures(right[0][labels == emotion], right[1][labels == emotion])
        for emotion in np.unique(labels)
    }
    return {**_figures(*right), "emotions": by_emotion}


def _figures(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> dict[str, Any]:
    return {"n": len(before), "before": round(float(before.mean()), 4), "after": round(float(after.mean()), 4)}


def _require_same_readings(tflite: bytes, crops: NDArray[np.uint8], wanted: NDArray[np.float32]) -> None:
    """Run the file as the app will, and compare."""
    classifier = Classifier(tflite, name="the taught model")
    read = np.stack([classifier.classify(crop) for crop in crops])
    difference = float(np.abs(read - wanted).max(axis=1).mean())
    if not difference <= MAX_DIFFERENCE:
        raise EmojifyError(
            f"The taught model can't be used: its file reads your pictures otherwise than what was learned, by "
            f"{difference:.0%}. Nothing was changed; put another model live and teach again."
        )


def _write_draft(base: Model, tflite: bytes, result: dict[str, Any], folder: Path) -> None:
    target = folder / MODEL
    try:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        (target / "model.tflite").write_bytes(tflite)
        card = dict(base.card) | {
            "id": PLACEHOLDER_ID,
            "name": f"You, {datetime.now():%d %B %H:%M}",
            "created": datetime.now(UTC).date().isoformat(),
            "based_on": base.id,
            "tflite": {**base.card["tflite"], **_stamp("model.tflite", tflite)},
            "figures": {},  # those of the base are not its own
            "teaching": {key: result[key] for key in ("pictures", "held_out_recordings", "own", "others")},
            "caveats": [
                "Fitted to one person's face. Its figures on everyone else are of the rehearsal bank's held-out part.",
                *base.card.get("caveats", []),
            ],
        }
        # Its weights would be those of another network: there is a branch more than training knows of.
        for gone in ("rehearsal", "weights", "figures_note", "judged_by", "reads_well", "reads_badly"):
            card.pop(gone, None)
        for gone in ("public_accuracy", "public_score", "chosen_by"):
            card["tflite"].pop(gone, None)
        (target / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise EmojifyError(f"The taught model can't be written: {error.strerror}. Nothing was changed.") from error


def _stamp(name: str, content: bytes) -> dict[str, Any]:
    return {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
