"""Write data sets and runs in any state, and operate the training page."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image
from streamlit.testing.v1 import AppTest

from emojify.emotions import LABELS
from emojify.runs.datasets import FINGERPRINT_FILE, dataset_fingerprint
from tests.helpers import page_driver
from tests.helpers.page_driver import shown_text

EPOCH = {"epochs": 9, "loss": 1.5, "accuracy": 0.4, "val_loss": 1.4, "val_accuracy": 0.5, "seconds": 2.0}


def png() -> str:
    buffer = io.BytesIO()
    Image.new("L", (48, 48), 90).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def report(**changes: Any) -> dict[str, Any]:
    none = {"n": 0, "files": []}
    return {
        "name": "FER-2013",
        "counts": {split: dict.fromkeys(LABELS, 10) for split in ("train", "public", "private")},
        **dict.fromkeys(("unreadable", "converted", "blank", "duplicates", "near_duplicates"), none),
        "conflicting": 0,
        "leaks": [{"split": "public", "pictures": 70, "exact": 3, "near": 7},
                  {"split": "private", "pictures": 70, "exact": 0, "near": 0}],
        "clean": {"public": 63, "private": 70},
        "voted": 0,
        "faces": dict.fromkeys(LABELS, png()),
    } | changes  # fmt: skip


def add_data(workspace: Path, content: dict[str, Any] | None = None, *, name: str = "faces.zip") -> Path:
    """Write a data set with the report of its check."""
    path = workspace / "data" / name
    place = workspace / "data" / ".checks" / name
    place.mkdir(parents=True)
    path.touch()
    (place / "report.json").write_text(json.dumps(report() if content is None else content))
    (place / FINGERPRINT_FILE).write_text(dataset_fingerprint(path))
    return path


CHECKPOINT = {"epoch": 2, "best_epoch": 2, "best_public_accuracy": 0.5, "weights": "w.h5"}


def add_run(workspace: Path, name: str, **files: Any) -> Path:
    """Write a run that was stopped in its third epoch; ``files`` replace its files, None removes one."""
    folder = workspace / "runs" / name
    folder.mkdir(parents=True)
    contents: dict[str, Any] = {
        "config": {"data": str(workspace / "data" / "faces.zip"), "epochs": 9},
        "checkpoint": CHECKPOINT,
        "ended": {"how": "stopped", "why": ""},
        "environment": {"cpu": "x", "pictures": {"data": "FER-2013", "train": 70, "public": 70}},
        "best": {
            "epoch": 2,
            "figures": {"n": 70, "accuracy": 0.5, "macro_recall": 0.4, "recall": dict.fromkeys(LABELS, 0.5),
                        "precision": dict.fromkeys(LABELS, None), "confusion": [[1] * 7] * 7},
            "wrong": [{"file": "a", "label": "sad", "read": "happy", "confidence": 0.98, "png": png()}],
        },
    }  # fmt: skip
    for key, content in (contents | files).items():
        if content is not None:
            (folder / f"{key}.json").write_text(content if isinstance(content, str) else json.dumps(content))
    for weights in ("w.h5", "best.weights.h5"):
        (folder / weights).touch()
    lines = [{"epoch": epoch, **EPOCH} for epoch in (1, 2)]
    (folder / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def view(page: AppTest, name: str) -> str:
    page.session_state["training_view"] = name
    page.run()
    assert not page.exception
    return shown_text(page)


def press(page: AppTest, label: str) -> str:
    page_driver.press(page, label)
    assert not page.exception
    return shown_text(page)


def charts(page: AppTest) -> int:
    return len(page.get("arrow_vega_lite_chart")) + len(page.get("vega_lite_chart"))
