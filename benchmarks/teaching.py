"""Measure what teaching changes for simulated people and for everyone else. Print figures; assert nothing.

    python -m benchmarks.teaching [--model ID] [--people 5] [--data fer2013.zip] [--json]

Each person is recorded twice for each taught emotion and measured on two later recordings that were not used otherwise,
with the model's file as the app runs it. Everyone else: the held-out part of the model's rehearsal bank and, with
``--data``, FER-2013's private split. ``tests/helpers/simulated_people.py`` states what is simulated.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.models import Model, ModelStore
from emojify.settings import Settings
from emojify.teaching.drafts import base_model
from emojify.teaching.samples import SampleStore
from emojify.teaching.teach import MODEL, teach
from emojify.training.dataset import Dataset, load
from emojify.training.evaluate import predict
from emojify.vision.classifier import CROP_PX
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box
from tests.helpers.simulated_people import SimulatedPerson, people

TAUGHT_DAYS, LATER_DAYS = (1, 2), (11, 12)
TAUGHT = {
    "all seven": tuple(Emotion),
    "three": (Emotion.ANGRY, Emotion.NEUTRAL, Emotion.SURPRISED),
    "one": (Emotion.ANGRY,),
}
WHOLE = Box(0, 0, CROP_PX, CROP_PX)


def tflite_of(model: Model) -> bytes:
    return (model.folder / str(model.card["tflite"]["file"])).read_bytes()


def read(tflite: bytes, person: SimulatedPerson, emotions: Sequence[Emotion]) -> list[NDArray[np.int64]]:
    """Return a model's readings of the person's later recordings, one array per emotion."""
    return [
        predict(tflite, np.concatenate([person.record(emotion, day) for day in LATER_DAYS])).argmax(axis=1)
        for emotion in emotions
    ]


def right(readings: list[NDArray[np.int64]], emotions: Sequence[Emotion]) -> float:
    pairs = zip(readings, emotions, strict=True)
    return float(np.mean([(row == emotion).mean() for row, emotion in pairs])) if emotions else float("nan")


def share_right(tflite: bytes, private: Dataset) -> float:
    return float((predict(tflite, private.images).argmax(axis=1) == private.labels).mean())


def measure(
    base: Model, person: SimulatedPerson, taught: tuple[Emotion, ...], private: Dataset | None, private_before: float
) -> dict[str, Any]:
    others = tuple(emotion for emotion in Emotion if emotion not in taught)
    with tempfile.TemporaryDirectory() as scratch:
        store = SampleStore(Path(scratch) / "samples")
        for emotion in taught:
            for day in TAUGHT_DAYS:
                store.add(emotion, [Cutout(crop, WHOLE) for crop in person.record(emotion, day, 30)])
        began_s = time.monotonic()
        result = teach(base, store, Path(scratch), lambda done, doing: None)
        seconds = time.monotonic() - began_s
        before, after = tflite_of(base), (Path(scratch) / MODEL / "model.tflite").read_bytes()
    files = (before, after)
    attracted = [np.isin(np.concatenate(read(file, person, others)), taught).mean() for file in files if others]
    figures = {
        "person": person.name,
        "own": [right(read(file, person, taught), taught) for file in files],
        "reported": [result["own"]["before"], result["own"]["after"]],
        "bank": [result["others"]["before"], result["others"]["after"]],
        "attracted": [float(share) for share in attracted],
        "seconds": seconds,
    }
    if private is not None:
        figures["private"] = [private_before, share_right(after, private)]
    return figures


def show(name: str, rows: list[dict[str, Any]]) -> None:
    def mean(key: str) -> str:
        before, after = np.mean([row[key] for row in rows], axis=0)
        changes = [row[key][1] - row[key][0] for row in rows]
        return f"{before:.1%} -> {after:.1%} (change {min(changes):+.1%} to {max(changes):+.1%})"

    print(f"{name}, {len(rows)} people")
    print(f"  taught emotions, later recordings    {mean('own')}")
    reached = sum(row["own"][1] >= 0.95 or row["own"][1] - row["own"][0] >= 0.15 for row in rows)
    print(f"  up by 15 points or at 95 %           {reached} of {len(rows)}")
    print(f"  the figure that the page gives       {mean('reported')}")
    print(f"  everyone else, bank's held-out part  {mean('bank')}")
    if "private" in rows[0]:
        print(f"  everyone else, FER-2013 private      {mean('private')}")
    if rows[0]["attracted"]:
        print(f"  other faces read as a taught emotion {mean('attracted')}")
    print(f"  seconds                              {np.median([row['seconds'] for row in rows]):.1f} (median)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", help="default: the live one")
    parser.add_argument("--people", type=int, default=5, help="of each kind")
    parser.add_argument("--data", type=Path, help="FER-2013")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    base = base_model(ModelStore(Settings.from_environment().models), options.model)
    private = load(options.data).split("private") if options.data else None
    private_before = share_right(tflite_of(base), private) if private else math.nan
    print(f"model {base.id}", flush=True)
    for name, taught in TAUGHT.items():
        rows = [measure(base, person, taught, private, private_before) for person in people(options.people)]
        print(json.dumps({name: rows})) if options.json else show(name, rows)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
