"""Write small models and emoji packs as the app stores them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from PIL import Image, ImageDraw

from emojify.emotions import LABELS, Emotion

PICTURE_PX = 64


def write_model(folder: Path, tflite: bytes) -> None:
    """Write a model folder with a card; its id is the folder's name."""
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(tflite)
    card = {
        "id": folder.name,
        "name": folder.name.title(),
        "tflite": {"file": "model.tflite", "sha256": hashlib.sha256(tflite).hexdigest()},
        "emotions": list(LABELS),
        "crop_margin": 0.0,
        "figures": {"private": {"n": 7, "accuracy": 0.5}},
    }
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")


def write_pack(folder: Path) -> None:
    """Write a pack of plain shapes in the emotions' colors: squares if the folder has that name, else discs."""
    folder.mkdir(parents=True)
    for emotion in Emotion:
        red, green, blue = bytes.fromhex(emotion.color[1:])
        picture = Image.new("RGBA", (PICTURE_PX, PICTURE_PX))
        draw = ImageDraw.Draw(picture)
        if folder.name == "squares":
            draw.rectangle((8, 8, 55, 55), (255 - red, 255 - green, 255 - blue, 255))
        else:
            draw.ellipse((0, 0, 63, 63), (red, green, blue, 255))
        picture.save(folder / f"{emotion.label}.png")
    about = {"name": folder.name.title(), "author": "The tests", "licence": "MIT", "description": "Plain shapes"}
    (folder / "pack.json").write_text(json.dumps(about), encoding="utf-8")
