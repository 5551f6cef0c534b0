"""A small data set of drawn faces: seven emotions that are easy to tell apart, every picture different."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion

FOLDERS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
PREFIXES = {"train": ("train", "Training"), "public": ("test", "PublicTest"), "private": ("test", "PrivateTest")}


def draw_face(emotion: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a (48, 48) uint8 sketch whose mouth and brows show the emotion, with noise and a random position."""
    image = np.full((48, 48), 60, np.uint8)
    x, y = rng.integers(21, 28, 2)
    cv2.circle(image, (int(x), int(y)), 19, 190, -1)
    for side in (-8, 8):
        cv2.circle(image, (int(x) + side, int(y) - 5), 2 + 2 * (emotion == Emotion.FEARFUL), 20, -1)
    center, mouth = (int(x), int(y) + 9), {"color": 20, "thickness": 2}
    if emotion == Emotion.HAPPY:
        cv2.ellipse(image, center, (9, 6), 0, 0, 180, **mouth)
    elif emotion == Emotion.SAD:
        cv2.ellipse(image, center, (9, 6), 0, 180, 360, **mouth)
    elif emotion in (Emotion.SURPRISED, Emotion.FEARFUL):
        cv2.circle(image, center, 5, **mouth)
    elif emotion == Emotion.DISGUSTED:
        cv2.line(image, (center[0] - 9, center[1] - 4), (center[0] + 9, center[1] + 4), **mouth)
    else:
        cv2.line(image, (center[0] - 8, center[1]), (center[0] + 8, center[1]), **mouth)
    if emotion == Emotion.ANGRY:
        cv2.line(image, (int(x) - 12, int(y) - 14), (int(x) - 3, int(y) - 9), **mouth)
        cv2.line(image, (int(x) + 12, int(y) - 14), (int(x) + 3, int(y) - 9), **mouth)
    return np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)


def write_faces(folder: Path, *, train: int = 20, test: int = 6, seed: int = 0) -> Path:
    """Write Kaggle's layout: per class ``train`` pictures in train, ``test`` in public and in private."""
    rng, row = np.random.default_rng(seed), 0
    for split, (parent, prefix) in PREFIXES.items():
        for emotion, name in enumerate(FOLDERS):
            place = folder / parent / name
            place.mkdir(parents=True, exist_ok=True)
            for _ in range(train if split == "train" else test):
                cv2.imwrite(str(place / f"{prefix}_{row:05d}.png"), draw_face(emotion, rng))
                row += 1
    return folder


def write_votes(folder: Path) -> Path:
    """Write ``labels.csv``: ten FER+ votes for each picture's true emotion, none for some pictures."""
    columns = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    lines = [",".join(["file", *(f"ferplus_{column}" for column in columns)])]
    for picture in sorted(folder.glob("*/*/*.png")):
        votes = [10 * (picture.parent.name == name and int(picture.stem[-1]) > 1) for name in FOLDERS]
        lines.append(",".join([str(picture.relative_to(folder)), *map(str, votes)]))
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder
