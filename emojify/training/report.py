"""Write what a data set contains to a file, so that the app's pages can show it without loading the data.

<report>            ``{"error": sentence}``, or counts, problems, leaks and a few faces of every emotion
<report>.progress   while the report is being made: ``{"done": pictures, "of": pictures, "doing": text}``
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.files import write_atomically
from emojify.training.check import check, load_to_check
from emojify.training.dataset import Dataset
from emojify.training.plots import png_base64

FACES = 12
"""Faces of each emotion that the report shows, side by side in one image."""

MAX_FILES = 20
"""Files that the report names for each kind of problem. All of them are counted."""

_SECONDS_BETWEEN_WRITES = 0.3


def write_report(source: Path, path: Path) -> None:
    """Check a data set and write the report to ``path``.

    Raises:
        EmojifyError: if the data set can't be used. The report then contains the same sentence.
    """
    progress = _Progress(path.with_name(f"{path.name}.progress"))
    try:
        data, only_to_add = load_to_check(source, on_progress=progress.count)
        progress.write("looking for copies and leaks", len(data), len(data))
        content = _content(data) | {"only_to_add": only_to_add}
    except EmojifyError as error:
        write_atomically(path, (json.dumps({"error": str(error)}) + "\n").encode())
        raise
    finally:
        progress.remove()
    write_atomically(path, (json.dumps(content) + "\n").encode())


def _content(data: Dataset) -> dict[str, Any]:
    content = check(data).as_dict()
    for key in ("unreadable", "converted", "without_face", "blank", "duplicates", "near_duplicates"):
        content[key] = {"n": len(content[key]), "files": content[key][:MAX_FILES]}
    content["duplicates"]["files"] = [group[:MAX_FILES] for group in content["duplicates"]["files"]]
    content["faces"] = {label: _faces(data, emotion) for emotion, label in enumerate(LABELS)}
    return content


def _faces(data: Dataset, emotion: int) -> str:
    """Return some training faces of one emotion, the same ones every time, as one PNG in base64; "" without faces."""
    rows = np.flatnonzero((data.labels == emotion) & (data.splits == "train"))
    if len(rows) == 0:
        return ""
    chosen = np.random.default_rng(emotion).permutation(rows)[:FACES]
    return png_base64(cv2.hconcat(list(data.images[chosen])).astype(np.uint8))


class _Progress:
    """Writes the progress file, not more often than a reader needs."""

    def __init__(self, path: Path) -> None:
        self._path, self._written_s = path, 0.0

    def count(self, done: int, of: int) -> None:
        if time.monotonic() - self._written_s >= _SECONDS_BETWEEN_WRITES:
            self.write("reading the pictures", done, of)

    def write(self, doing: str, done: int, of: int) -> None:
        self._written_s = time.monotonic()
        write_atomically(self._path, json.dumps({"done": done, "of": of, "doing": doing}).encode())

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
