"""Accuracy on faces that are turned: python -m benchmarks.tilted FACES.zip [--limit N]

The zip has pictures with one face each, in folders named after the emotions. Prints for each roll the share of faces
found and the share read as their folder says; a face that is not found counts as read wrong.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emojify.emotions import Emotion
from emojify.models import ModelStore
from emojify.settings import Settings
from emojify.vision.analyzer import analyze_photo
from emojify.vision.readings import main_reading

ROLLS = (0, 20, -20, 30, -30)
SHRINK = 0.7  # so that a turned head stays inside of the picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, help="a zip of pictures in folders named after the emotions")
    parser.add_argument("--limit", type=int, default=400, help="use at most this many faces (default: %(default)s)")
    options = parser.parse_args()
    classifier = ModelStore(Settings.from_environment().models).open_classifier(None, on_problem=print)
    faces = read_faces_zip(options.faces, options.limit)
    for roll in ROLLS:
        mains = [main_reading(analyze_photo(_turned(picture, roll), classifier)) for _, picture in faces]
        right = [
            main is not None and Emotion(int(main.probabilities.argmax())) is emotion
            for (emotion, _), main in zip(faces, mains, strict=True)
        ]
        found = np.mean([main is not None for main in mains])
        print(f"roll {roll:3}: {len(faces)} faces, found {found:.3f}, read right {np.mean(right):.3f}", flush=True)


def read_faces_zip(archive: Path, limit: int) -> list[tuple[Emotion, NDArray[np.uint8]]]:
    """Return emotion and (H, W, 3) uint8 BGR of ``limit`` faces, evenly spread over the archive."""
    emotions = {emotion.label[:4]: emotion for emotion in Emotion}  # so that "disgust" matches "disgusted"
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if not name.endswith("/"))
        chosen = names[:: max(1, -(-len(names) // limit))]
        pictures = [np.array(Image.open(io.BytesIO(opened.read(name))).convert("RGB"))[:, :, ::-1] for name in chosen]
    return [(emotions[Path(name).parent.name[:4]], picture) for name, picture in zip(chosen, pictures, strict=True)]


def _turned(picture: NDArray[np.uint8], roll: float) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -roll, SHRINK)
    turned = cv2.warpAffine(np.ascontiguousarray(picture), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


if __name__ == "__main__":
    main()
