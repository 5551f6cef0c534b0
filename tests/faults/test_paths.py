"""Folders with spaces and letters of any alphabet, on the command line and in a plain C locale."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from PIL import Image
from skimage import data

from emojify.settings import ROOT
from tests.faults.house import House
from tests.packs.inputs import pack_zip


def emojify(house: House, *arguments: str) -> str:
    """What ``python -m emojify`` prints."""
    folders = {f"EMOJIFY_{name}": str(house.root / name.lower()) for name in ("MODELS", "EMOJIS", "DATA", "RUNS")}
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", **folders}
    command = [sys.executable, "-m", "emojify", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pictures_packs_and_models_are_found(house: House) -> None:
    picture = house.root / "Ich — мы.png"
    Image.fromarray(data.astronaut()).save(picture)
    (answer,) = json.loads(emojify(house, "predict", str(picture), "--json"))
    assert answer["file"] == str(picture)
    assert len(answer["faces"]) == 1

    zip_path = house.root / "Katzen 猫.zip"
    zip_path.write_bytes(pack_zip())
    assert "is added" in emojify(house, "packs", "add", str(zip_path))
    emojify(house, "packs", "export", "squares", "--out", str(house.root / "Würfel.zip"))
    assert (house.root / "Würfel.zip").is_file()
    assert "Third" in emojify(house, "models")
