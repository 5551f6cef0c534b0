"""Read labeled faces from the files of a data set: pictures by folder, or FER-2013's csv of pixels.

A picture of 48x48 pixels is a face already, as in FER-2013. In a picture of any other size the live detector looks for
the face and cuts it out as the app does.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from emojify.emotions import Emotion, parse_emotion
from emojify.errors import EmojifyError
from emojify.pictures import FORMATS, open_picture
from emojify.runs.networks import SIDE
from emojify.training.csv_rows import read_rows
from emojify.training.sources import Source
from emojify.vision.classifier import crop_face
from emojify.vision.detectors.haar import HaarDetector
from emojify.vision.readings import Box

MAX_PIXELS = 50_000_000

MIN_SCENE_PX = 192
"""A picture whose shorter side is below this is enlarged before the detector sees it: four times FER-2013's side."""

SCENE_BORDER = 0.25
"""Border around a tightly cropped face, as a share of the picture's shorter side. The detector needs some room."""

RIVAL_WIDTH = 0.8
"""Faces at least this wide, as a share of the widest one, compete by their distance to the picture's center."""

_ROW = re.compile(r"(Training|PublicTest|PrivateTest)_(\d+)", re.IGNORECASE)

# The classes of the original csv: angry 0, disgust 1, fear 2, happy 3, sad 4, surprise 5, neutral 6.
_CSV_CLASSES = (
    *(Emotion.ANGRY, Emotion.DISGUSTED, Emotion.FEARFUL, Emotion.HAPPY),
    *(Emotion.SAD, Emotion.SURPRISED, Emotion.NEUTRAL),
)
_OPENCV_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "TIFF")  # Pillow decodes the other ones
_EIGHTH_CLASS = ("contempt", "contemptuous")  # of CK+, FER+ and AffectNet
_FER_CLASSES = {str(number): emotion for number, emotion in enumerate(_CSV_CLASSES)}
# RAF-DB (Li et al. 2017) numbers its folders from 1, in an order of its own.
_RAF_DB_CLASSES = {
    "1": Emotion.SURPRISED,
    "2": Emotion.FEARFUL,
    "3": Emotion.DISGUSTED,
    "4": Emotion.HAPPY,
    "5": Emotion.SAD,
    "6": Emotion.ANGRY,
    "7": Emotion.NEUTRAL,
}
_CSV_USAGES = ("Training", "PublicTest", "PrivateTest")


@dataclass(frozen=True)
class LabeledFace:
    """One labeled face.

    Attributes:
        image: (48, 48) uint8, gray.
        label: index in the order of ``Emotion``.
        file: path inside the source, or ``<csv>, line <n>``.
        usage: ``Training``, ``PublicTest`` or ``PrivateTest`` if the file's name or the csv gives it, else empty.
        folder: name of the folder above the class folder, empty at the top.
        row: row in the original csv, -1 if unknown.
        converted: True if the picture was not 48x48 and gray.
        detected: True if the detector found the face in a picture that is not 48x48.
    """

    image: NDArray[np.uint8]
    label: int
    file: str
    usage: str
    folder: str
    row: int
    converted: bool = False
    detected: bool = False


@dataclass
class Skipped:
    """The names of the files that gave no face.

    Attributes:
        unreadable: files that are no picture, are damaged, or have more than ``MAX_PIXELS`` pixels.
        without_face: pictures that are not 48x48 and in which the detector finds no face.
        other_class: pictures of which no folder is named after one of the seven emotions.
        notes: sentences about how the folders were understood.
    """

    unreadable: list[str] = field(default_factory=list)
    without_face: list[str] = field(default_factory=list)
    other_class: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_image_files(
    source: Source,
    names: list[str],
    *,
    crop_margin: float = 0.0,
    skip_other_classes: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[list[LabeledFace], Skipped]:
    """Read pictures that are sorted into folders by emotion.

    Args:
        source: the data set.
        names: files of ``source``.
        crop_margin: share of the detected face's box to add on each side, for pictures that are not 48x48.
        skip_other_classes: leave out pictures in folders with other names instead of raising.
        on_progress: called with (pictures read, pictures in all).

    Returns:
        The faces in the order of ``names``, and the names of the files that gave none.

    Raises:
        EmojifyError: if none of a picture's folders is named after an emotion.
    """
    faces, skipped = [], Skipped()
    numbers = _numbered_classes(source, names)
    if numbers:
        meaning = ", ".join(f"{folder} {emotion.label}" for folder, emotion in numbers.items())
        skipped.notes.append(f"The class folders are numbers. They are taken as {meaning}.")
    for number, name in enumerate(names):
        if on_progress is not None:
            on_progress(number, len(names))
        path = PurePosixPath(name)
        class_folder = path.parent if numbers else _class_folder(path)
        if class_folder is None:
            if skip_other_classes or path.parent.name.lower() in _EIGHTH_CLASS:
                skipped.other_class.append(name)
                continue
            raise EmojifyError(
                f"{name} in {source.path} is not in a folder named after one of the seven emotions. "
                "Move it into one, or remove it."
            )
        decoded = _decode_gray(source.read(name))
        if decoded is None:
            skipped.unreadable.append(name)
            continue
        gray, was_gray = decoded
        is_face = gray.shape == (SIDE, SIDE)
        face = gray if is_face else crop_main_face(gray, crop_margin)
        if face is None:
            skipped.without_face.append(name)
            continue
        match = _ROW.match(path.name)
        usage, row = (match[1], int(match[2])) if match else ("", -1)
        label = int(numbers[class_folder.name] if numbers else parse_emotion(class_folder.name))
        above = class_folder.parent.name
        converted = not (is_face and was_gray)
        faces.append(LabeledFace(face, label, name, usage, above, row, converted, detected=not is_face))
    if skipped.other_class and not skip_other_classes:
        skipped.notes.append(
            f"{len(skipped.other_class):,} pictures of contempt are left out: it is none of the seven emotions."
        )
    return faces, skipped


def _class_folder(path: PurePosixPath) -> PurePosixPath | None:
    """Return the innermost folder of a picture that is named after an emotion; None if there is none."""
    for folder in path.parents:
        try:
            parse_emotion(folder.name)
        except EmojifyError:
            continue
        return folder
    return None


def _numbered_classes(source: Source, names: list[str]) -> dict[str, Emotion]:
    """Return the emotion of each class folder if all of them are numbers; an empty dict if they are not.

    Raises:
        EmojifyError: if the numbers are neither those of RAF-DB nor those of FER-2013.
    """
    folders = {PurePosixPath(name).parent.name for name in names}
    if not folders or not all(re.fullmatch(r"[0-9]", folder) for folder in folders):
        return {}
    for classes in (_RAF_DB_CLASSES, _FER_CLASSES):
        if folders == classes.keys():
            return classes
    raise EmojifyError(
        f"The class folders of {source.path} are the numbers {', '.join(sorted(folders))}. Only FER-2013's 0 to 6 and "
        "RAF-DB's 1 to 7 are understood. Name them after the emotions."
    )


def crop_main_face(gray: NDArray[np.uint8], margin: float = 0.0) -> NDArray[np.uint8] | None:
    """Find the face that a picture is about and crop it as the app does.

    The picture is searched as it is first, as in ``predict``. If that finds nothing, it is searched again with its
    borders continued, since a tightly cropped face leaves the detector no room. A picture smaller than
    ``MIN_SCENE_PX`` is enlarged and always gets the border.

    Args:
        gray: (H, W) uint8, any size.
        margin: share of the face's box to add on each side.

    Returns:
        (48, 48) uint8: the largest face, or the most central one of several of about its size. None if the detector
        finds no face.
    """
    shorter = min(gray.shape)
    if shorter >= MIN_SCENE_PX:
        boxes = _detector().detect(gray)
        if boxes:
            return crop_face(gray, _main_box(boxes, gray.shape), margin)
    else:
        factor = MIN_SCENE_PX / shorter
        gray = np.asarray(cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
    border = round(SCENE_BORDER * min(gray.shape))
    scene = np.asarray(cv2.copyMakeBorder(gray, border, border, border, border, cv2.BORDER_REPLICATE), np.uint8)
    boxes = _detector().detect(scene)
    return crop_face(scene, _main_box(boxes, scene.shape), margin) if boxes else None


def _main_box(boxes: list[Box], shape: tuple[int, ...]) -> Box:
    center_y, center_x = shape[0] / 2, shape[1] / 2
    widest = max(box.width for box in boxes)
    rivals = [box for box in boxes if box.width >= RIVAL_WIDTH * widest]
    return min(
        rivals,
        key=lambda box: (box.x + box.width / 2 - center_x) ** 2 + (box.y + box.height / 2 - center_y) ** 2,
    )


@cache
def _detector() -> HaarDetector:
    return HaarDetector()


def _decode_gray(content: bytes) -> tuple[NDArray[np.uint8], bool] | None:
    """Decode to (H, W) uint8, upright by EXIF; also whether the file was gray. None if it can't be decoded."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as header:
            (width, height), mode, image_format = header.size, header.mode, header.format
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if width * height > MAX_PIXELS:
        return None
    if image_format not in _OPENCV_FORMATS:
        try:
            return np.asarray(open_picture(content, "picture").convert("L"), np.uint8), mode == "L"
        except EmojifyError:
            return None
    gray = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if gray is None else (gray.astype(np.uint8), mode == "L")


def read_pixel_csv(source: Source, name: str) -> list[LabeledFace]:
    """Read the faces of the original ``fer2013.csv``, or of another csv with its columns; ``Usage`` may be missing.

    Raises:
        EmojifyError: if a row is not a class, 2,304 gray values and a known split; names its line.
    """
    rows = read_rows(source, name)
    _, header = next(rows, ("", []))
    columns = {column.strip(): place for place, column in enumerate(header)}  # icml_face_data.csv has spaces
    missing = [column for column in ("emotion", "pixels") if column not in columns]
    if missing:
        raise EmojifyError(f"{name} has no column {missing[0]!r}. FER-2013's csv has emotion, pixels and Usage.")
    faces: list[LabeledFace] = []
    for where, values in rows:
        row = {column: values[place] if place < len(values) else "" for column, place in columns.items()}
        faces.append(_parse_csv_row(row, len(faces), where))
    return faces


def _parse_csv_row(row: dict[str, str], number: int, where: str) -> LabeledFace:
    emotion, usage = row["emotion"].strip(), row.get("Usage", "").strip()
    if emotion not in tuple("0123456"):
        raise EmojifyError(f"{where}: the emotion is {emotion[:40]!r}; it must be a number from 0 to 6.")
    if "Usage" in row and usage not in _CSV_USAGES:
        raise EmojifyError(f"{where}: the usage is {usage[:40]!r}; it must be one of {', '.join(_CSV_USAGES)}.")
    try:
        pixels = bytes(map(int, row["pixels"].split()))
    except ValueError as error:
        raise EmojifyError(f"{where}: the pixels must be whole numbers from 0 to 255.") from error
    if len(pixels) != SIDE * SIDE:
        raise EmojifyError(f"{where}: there are {len(pixels)} pixels; a picture has {SIDE * SIDE}.")
    image = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)
    return LabeledFace(image, int(_CSV_CLASSES[int(emotion)]), where, usage, "", number if usage else -1)
