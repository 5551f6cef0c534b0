"""Valid files of every format that the app reads: the starting points of the corpus and of Hypothesis's strategies."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from typing import Any

from PIL import Image

from emojify.runs.config import FitConfig

MANIFEST: dict[str, Any] = {
    "name": "Cats", "author": "me", "licence": "MIT", "description": "", "head": {"x": 0.5, "y": 0.5, "width": 0.6},
    "avatar": {"skin": "light", "hair": "short", "brow": 0.3},
}  # fmt: skip
CARD: dict[str, Any] = {
    "id": "mine", "name": "Mine", "crop_margin": 0.1, "figures": {"private": {"n": 7, "accuracy": 0.5}},
    "tflite": {"file": "model.tflite", "sha256": "0" * 64},
}  # fmt: skip
LIVE = {"history": ["seed", "mine"]}
RUN: dict[str, dict[str, Any]] = {
    "config.json": asdict(FitConfig("faces.zip")),
    "checkpoint.json": {"epoch": 2, "best_epoch": 2, "best_public_accuracy": 0.5, "weights": "w.h5"},
    "best.json": {"epoch": 2, "figures": {"n": 7, "accuracy": 0.5, "macro_recall": 0.4, "recall": {},
                                          "confusion": [[1]]}},
    "ended.json": {"how": "stopped", "why": ""},
    "result.json": {"best_epoch": 2},
    "environment.json": {"pictures": {"data": "FER"}},
    "queued.json": {"since": 1.0},
    "process.json": {"pid": 1, "birth": "x", "born": 1.0, "arguments": ["export", "--id", "x"]},
    "progress.jsonl": {"epoch": 1, "epochs": 3, "loss": 1.5, "accuracy": 0.4, "val_accuracy": 0.5, "seconds": 2.0},
}  # fmt: skip
RUN_FILES = tuple(RUN)
REQUEST = {"name": "me.mp4", "ending": ".mp4", "pack": "classic", "style": "sticker"}
REPORT = {"state": "done"}
RECORDING = {"emotion": "happy", "source": "camera", "boxes": {"00.png": [6, 6, 48, 48]}}
ROW = b"0," + b" ".join([b"7"] * 48 * 48) + b",Training\n"
CSV = b"emotion,pixels,Usage\n" + ROW + b"3" + ROW[1:]
"""Two rows of FER-2013's own format."""
LABELS_CSV = b"file,ferplus_anger,ferplus_happiness,clean\nhappy/1.png,3,7,1\n"
FOLDERS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


def to_json(content: object) -> bytes:
    return json.dumps(content).encode()


def picture_files() -> tuple[bytes, ...]:
    """Return a picture in every accepted format and mode. Several have EXIF data, and the last one is animated."""
    colors = Image.linear_gradient("L").resize((24, 20))
    files = []
    for mode, kind in (("RGBA", "PNG"), ("P", "PNG"), ("I;16", "PNG"), ("1", "PNG"), ("RGB", "JPEG"), ("L", "JPEG"),
                       ("CMYK", "JPEG"), ("RGBA", "WEBP"), ("RGB", "WEBP")):  # fmt: skip
        buffer = io.BytesIO()
        picture = colors.convert("I").convert(mode) if mode == "I;16" else colors.convert("RGB").convert(mode)
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.save(buffer, kind, **({"exif": exif} if kind != "PNG" else {}))
        files.append(buffer.getvalue())
    animated = io.BytesIO()
    colors.convert("RGB").save(animated, "WEBP", save_all=True, append_images=[Image.new("RGB", (24, 20))])
    return (*files, animated.getvalue())


PICTURES = picture_files()


def dataset_zip(sad: bytes = PICTURES[0], labels: bytes = LABELS_CSV) -> bytes:
    """Return a data set with a picture of each emotion in both splits, and ``labels.csv``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for emotion in FOLDERS:
            for split in ("train", "test"):
                archive.writestr(f"{split}/{emotion}/1.png", sad if emotion == "sad" else PICTURES[0])
        archive.writestr("labels.csv", labels)
    return buffer.getvalue()
