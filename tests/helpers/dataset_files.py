"""Data sets in the layouts that people have: folders, zips and csv files."""

import zipfile
from pathlib import Path

import cv2
import numpy as np

from emojify.emotions import LABELS
from emojify.training.dataset import Dataset
from tests.helpers.drawn_faces import FOLDERS, draw_face

# The class numbers of the original csv, which differ from ``Emotion``.
CSV_NUMBER = {"angry": 0, "disgust": 1, "fear": 2, "happy": 3, "sad": 4, "surprise": 5, "neutral": 6}
USAGES = {"train": "Training", "public": "PublicTest", "private": "PrivateTest"}
FERPLUS_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def zip_folder(folder: Path, target: Path, inside: str = "") -> Path:
    assert folder not in target.parents  # a zip that grows by zipping itself ends with the disk full
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, inside + file.relative_to(folder).as_posix())
    return target


def write_csv(data: Dataset, target: Path) -> Path:
    names = dict(zip(LABELS, FOLDERS, strict=True))
    rows = ["emotion,pixels,Usage"]
    for image, label, split in zip(data.images, data.labels, data.splits, strict=True):
        number = CSV_NUMBER[names[LABELS[label]]]
        rows.append(f"{number},{' '.join(map(str, image.ravel()))},{USAGES[split]}")
    target.write_text("\n".join(rows) + "\n")
    return target


def write_by_class(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(3)
    for emotion, label in enumerate(LABELS):
        (folder / label.upper()).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(folder / label.upper() / f"{number}.jpg"), draw_face(emotion, rng))
    return folder


def assert_same(one: Dataset, other: Dataset) -> None:
    """Assert that both hold the same pictures with the same labels in the same splits, in any order."""

    def rows(data: Dataset) -> list[tuple[str, int, bytes]]:
        columns = zip(data.splits, data.labels, data.images, strict=True)
        return sorted((str(split), int(label), image.tobytes()) for split, label, image in columns)

    assert rows(one) == rows(other)
