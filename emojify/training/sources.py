"""Faces out of folders, zips and csv files, one at a time. Nothing is unpacked to the disk, nothing is cached."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from emojify.emotions import Emotion, parse_emotion
from emojify.errors import EmojifyError

SIDE = 48
"""Width and height of the network's input, in pixels: FER-2013's own."""

MAX_FILE_BYTES = 30_000_000
MAX_CSV_BYTES = 1_000_000_000  # the original is 301 MB
MAX_PIXELS = 50_000_000
MAX_FILES = 1_000_000

_SUFFIXES = (".png", ".jpg", ".jpeg")
_ROW = re.compile(r"(Training|PublicTest|PrivateTest)_(\d+)", re.IGNORECASE)

# The original csv counts angry 0, disgust 1, fear 2, happy 3, sad 4, surprise 5, neutral 6.
_CSV_CLASSES = (
    *(Emotion.ANGRY, Emotion.DISGUSTED, Emotion.FEARFUL, Emotion.HAPPY),
    *(Emotion.SAD, Emotion.SURPRISED, Emotion.NEUTRAL),
)
_CSV_COLUMNS = ("emotion", "pixels", "Usage")
_CSV_USAGES = ("Training", "PublicTest", "PrivateTest")


@dataclass(frozen=True)
class Face:
    """One labelled picture.

    Attributes:
        image: (48, 48) uint8, gray.
        label: index in the order of ``Emotion``.
        file: where it comes from.
        usage: ``Training``, ``PublicTest`` or ``PrivateTest`` if FER-2013 says so, else empty.
        folder: the name of the folder above its class folder, empty at the top.
        row: its row in the original csv, -1 if not known.
        converted: whether it was made 48x48 and gray here.
    """

    image: NDArray[np.uint8]
    label: int
    file: str
    usage: str
    folder: str
    row: int
    converted: bool = False


class Source:
    """A folder of files, wherever it lies."""

    def __init__(self, path: Path, names: list[str]) -> None:
        if len(names) > MAX_FILES:
            raise EmojifyError(f"{path} holds more than {MAX_FILES:,} files. Point at the data set itself.")
        self.path = path
        self.names = sorted(name for name in names if not any(map(_hidden, PurePosixPath(name).parts)))
        """Every file in it, as posix paths."""

    def read(self, name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
        """One file's content.

        Raises:
            EmojifyError: if it is larger than ``max_bytes`` or can't be read.
        """
        file = self.path / name
        if file.stat().st_size > max_bytes:
            raise EmojifyError(f"{name} in {self.path} is larger than {max_bytes // 1_000_000} MB.")
        return file.read_bytes()

    def pictures(self) -> list[str]:
        return [name for name in self.names if name.lower().endswith(_SUFFIXES)]

    def find(self, file_name: str) -> str | None:
        """The path of the file called ``file_name`` that lies highest, None if there is none."""
        found = [name for name in self.names if PurePosixPath(name).name.lower() == file_name]
        return min(found, key=lambda name: name.count("/"), default=None)

    def find_csv(self) -> str | None:
        """The path of a csv of pixels: ``fer2013.csv``, or whatever holds its three columns."""
        candidates = [name for name in self.names if name.lower().endswith(".csv")]
        for name in sorted(candidates, key=lambda name: not name.lower().endswith("fer2013.csv")):
            first = self._beginning(name).partition("\n")[0]
            if {"emotion", "pixels"} <= {column.strip().strip('"') for column in first.split(",")}:
                return name
        return None

    def _beginning(self, name: str) -> str:
        with (self.path / name).open("rb") as file:
            return file.read(1000).decode("utf-8-sig", "replace")


class _Zip(Source):
    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        super().__init__(path, [name for name in archive.namelist() if name and not name.endswith("/")])

    def read(self, name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
        content = self._read(name, max_bytes + 1)  # the size that the zip claims may be a lie
        if len(content) > max_bytes:
            raise EmojifyError(f"{name} in {self.path} is larger than {max_bytes // 1_000_000} MB.")
        return content

    def _beginning(self, name: str) -> str:
        return self._read(name, 1000).decode("utf-8-sig", "replace")

    def _read(self, name: str, size: int) -> bytes:
        try:
            with self._archive.open(name) as file:
                return file.read(size)
        # ValueError: a name that is no text. RuntimeError, which NotImplementedError is too: a password, or unusual.
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
            raise EmojifyError(
                f"{name} in {self.path} can't be read: the zip is damaged, incomplete or locked by a password. "
                "Get it again."
            ) from error


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a folder, a zip or a csv (with the FER+ files beside it) for reading.

    Raises:
        EmojifyError: if it is not there, or neither of these.
    """
    if not path.exists():
        raise EmojifyError(f"There is no {path}. Give a folder, a zip or a csv of FER-2013, or of your own pictures.")
    if path.is_dir():
        yield Source(path, [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()])
    elif path.suffix.lower() == ".csv":
        beside = [name for name in ("labels.csv", "fer2013new.csv") if (path.parent / name).is_file()]
        yield Source(path.parent, [path.name, *(name for name in beside if name != path.name)])
    else:
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:  # ValueError: odd names
            raise EmojifyError(
                f"{path} is no folder, no csv and no whole zip. If it is a download, it is incomplete: get it again."
            ) from error
        with archive:
            yield _Zip(path, archive)


def read_pictures(
    source: Source, names: list[str], on_progress: Callable[[int, int], None] | None = None
) -> tuple[list[Face], list[str]]:
    """The pictures that open, and the names of those that don't. ``on_progress`` gets (pictures done, in all).

    Raises:
        EmojifyError: if one lies in a folder that is not named after an emotion.
    """
    faces, unreadable = [], []
    for number, name in enumerate(names):
        if on_progress is not None:
            on_progress(number, len(names))
        path = PurePosixPath(name)
        try:
            label = parse_emotion(path.parent.name)
        except EmojifyError as error:
            raise EmojifyError(
                f"{name} in {source.path} does not lie in a folder named after one of the seven emotions. "
                "Move it into one, or remove it."
            ) from error
        opened = _decode(source.read(name))
        if opened is None:
            unreadable.append(name)
            continue
        match = _ROW.match(path.name)
        usage, row = (match[1], int(match[2])) if match else ("", -1)
        image, converted = opened
        faces.append(Face(image, int(label), name, usage, path.parent.parent.name, row, converted))
    return faces, unreadable


def _decode(content: bytes) -> tuple[NDArray[np.uint8], bool] | None:
    """The picture as (48, 48) uint8 gray and whether that took a conversion; None if it does not open."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as header:
            (width, height), mode = header.size, header.mode
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if width * height > MAX_PIXELS:
        return None
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        return None
    converted = mode != "L" or image.shape != (SIDE, SIDE)
    if image.shape != (SIDE, SIDE):
        height, width = image.shape
        side = min(height, width)  # the middle, so that a face keeps its proportions
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
        image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return image.astype(np.uint8), converted


def read_csv(source: Source, name: str) -> list[Face]:
    """The faces of the original csv.

    Raises:
        EmojifyError: for a row that is not a class, 2,304 gray values and a known split, with its line.
    """
    text = io.StringIO(source.read(name, MAX_CSV_BYTES).decode("utf-8-sig", "replace"), newline="")
    rows = csv.DictReader(text)
    faces: list[Face] = []
    try:
        missing = [column for column in _CSV_COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise EmojifyError(f"{name} has no column {missing[0]!r}: FER-2013's has {', '.join(_CSV_COLUMNS)}.")
        for row in rows:
            faces.append(_csv_face(row, len(faces), f"{name}, line {rows.line_num}"))
    except csv.Error as error:
        raise EmojifyError(f"{name}, line {rows.line_num}: this is no csv ({error}).") from error
    return faces


def _csv_face(row: dict[str, str], number: int, where: str) -> Face:
    emotion, usage = (row["emotion"] or "").strip(), (row["Usage"] or "").strip()
    if emotion not in tuple("0123456"):
        raise EmojifyError(f"{where}: the emotion is {emotion!r}; it must be a number from 0 to 6.")
    if usage not in _CSV_USAGES:
        raise EmojifyError(f"{where}: the usage is {usage[:40]!r}; it must be one of {', '.join(_CSV_USAGES)}.")
    try:
        pixels = bytes(map(int, (row["pixels"] or "").split()))
    except ValueError as error:
        raise EmojifyError(f"{where}: the pixels must be whole numbers from 0 to 255.") from error
    if len(pixels) != SIDE * SIDE:
        raise EmojifyError(f"{where}: there are {len(pixels)} pixels; a picture has {SIDE * SIDE}.")
    image = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)
    return Face(image, int(_CSV_CLASSES[int(emotion)]), where, usage, "", number)


def _hidden(part: str) -> bool:
    return part.startswith(".") or part == "__MACOSX"
