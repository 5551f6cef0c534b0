"""The pictures that somebody recorded of their own face. They lie below ``data/`` on this machine and nowhere else.

    data/samples/<recording>/recording.json    which emotion, from where, where the face is in each picture
    data/samples/<recording>/00.png ...        gray, the face with some room around it

A recording is what came from the camera in one go, or the photos of one upload. It appears whole or not at all. What is
held back to measure with is held back by whole recordings: two frames of one are almost the same picture.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion, parse_emotion
from emojify.errors import EmojifyError
from emojify.files import UNFINISHED, clear_leftovers, parse_json
from emojify.pictures import encode_png
from emojify.public import admin_only
from emojify.teaching.selection import find_duplicates, pick_diverse
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box

CAMERA, PHOTOS = "camera", "photos"
MAX_PICTURES = 30  # of one recording
MIN_VARIED = 4  # fewer different pictures of a moving face: nothing moved
MAX_RECORDINGS = 200  # about half a gigabyte
RECORDING_FILE = "recording.json"


@dataclass(frozen=True)
class Sample:
    """One kept picture.

    Attributes:
        path: the file.
        recording: the id of the recording that it came with.
        emotion: what the person said that it shows.
        box: where the face is in it.
    """

    path: Path
    recording: str
    emotion: Emotion
    box: Box

    def cutout(self) -> Cutout:
        """Read the picture.

        Raises:
            EmojifyError: if the file is damaged.
        """
        picture = cv2.imread(str(self.path), cv2.IMREAD_GRAYSCALE)
        try:
            if picture is None:
                raise ValueError("not a picture")
            return Cutout(np.asarray(picture, np.uint8), self.box)
        except ValueError as error:
            name = f"{self.recording}/{self.path.name}"
            raise EmojifyError(f"The picture {name} is damaged. Delete it and record anew.") from error


@dataclass(frozen=True)
class SaveResult:
    """What became of a recording: its id, how many pictures were kept, and what should be said about it."""

    recording: str
    kept: int
    notes: tuple[str, ...] = ()


class SampleStore:
    """The recordings below one folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def samples(self) -> list[Sample]:
        """All pictures, oldest recording first. What cannot be read is passed over; see :meth:`problems`."""
        return [sample for samples, _ in map(_read, self._recordings()) for sample in samples]

    def problems(self) -> list[str]:
        """A sentence for each recording that cannot be read."""
        return [problem for _, problem in map(_read, self._recordings()) if problem]

    @admin_only
    def add(
        self, emotion: Emotion, cutouts: Sequence[Cutout], source: str = CAMERA, replaces: str | None = None
    ) -> SaveResult:
        """Keep what is worth keeping of a recording: varied pictures, no copies of what is here.

        Args:
            source: ``CAMERA``, where a face moves and pictures that are all alike are refused, or ``PHOTOS``.
            replaces: id of a recording that goes as soon as this one is here, and not before.

        Raises:
            EmojifyError: if the pictures are all alike, are here already, contradict what is here, or can't be
                written. Nothing is kept then.
        """
        clear_leftovers(self.folder)
        if sum(folder.name != replaces for folder in self._recordings()) >= MAX_RECORDINGS:
            raise EmojifyError(f"There are {MAX_RECORDINGS} recordings already. Delete some first.")
        crops = stack_crops(cutouts)
        picked = np.array(pick_diverse(crops, MAX_PICTURES), np.int64)
        if source == CAMERA and len(picked) < MIN_VARIED:
            raise EmojifyError(
                f"These pictures are all alike: of {len(cutouts)} only {len(picked)} differ. Record again, and "
                "move your head a little while you do: nearer, farther, left, right."
            )
        picked, notes = self._drop_duplicates(emotion, picked, crops, replaces)
        recording = self._write(emotion, [cutouts[row] for row in picked], source)
        self.delete([sample for sample in self.samples() if sample.recording == replaces])
        return SaveResult(recording, len(picked), notes)

    def _drop_duplicates(
        self, emotion: Emotion, picked: NDArray[np.int64], crops: NDArray[np.uint8], replaces: str | None
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        notes: list[str] = []
        here: dict[Emotion, list[Cutout]] = {}
        for sample in self.samples():
            if sample.recording == replaces:
                continue
            with suppress(EmojifyError):  # damaged: nothing is a copy of it, and nothing new is lost for it
                here.setdefault(sample.emotion, []).append(sample.cutout())
        for other, cutouts in here.items():
            doubled = find_duplicates(crops[picked], stack_crops(cutouts))
            if not doubled.any():
                continue
            picked = picked[~doubled]
            if other is not emotion:
                notes.append(
                    f"{_count(doubled.sum())} left out: the same is here as {other.label}, "
                    f"and one face can't be both {other.label} and {emotion.label}."
                )
            else:
                notes.append(f"{_count(doubled.sum())} left out: the same is here already.")
        if len(picked) == 0:
            raise EmojifyError(f"Nothing was kept. {' '.join(notes)}")
        return picked, tuple(notes)

    def _write(self, emotion: Emotion, cutouts: Sequence[Cutout], source: str) -> str:
        recording = f"{time.strftime('%Y%m%d-%H%M%S')}-{emotion.label}-{secrets.token_hex(2)}"
        temporary: Path | None = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=self.folder, prefix=f"{UNFINISHED}{recording}."))
            boxes = {}
            for number, cutout in enumerate(cutouts):
                name = f"{number:02d}.png"
                (temporary / name).write_bytes(encode_png(cutout.picture))
                boxes[name] = list(cutout.box)
            about = {"emotion": emotion.label, "source": source, "boxes": boxes}
            (temporary / RECORDING_FILE).write_text(json.dumps(about) + "\n", encoding="utf-8")
            temporary.rename(self.folder / recording)
        except OSError as error:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            raise EmojifyError(
                f"The pictures can't be saved: {error.strerror}. Nothing was kept; all that was here still is."
            ) from error
        return recording

    @admin_only
    def delete(self, samples: Sequence[Sample]) -> None:
        """Delete single pictures, and a recording with its last one.

        Raises:
            EmojifyError: if a file can't be deleted.
        """
        try:
            for sample in samples:
                sample.path.unlink(missing_ok=True)
            for folder in {sample.path.parent for sample in samples}:
                if not any(folder.glob("*.png")):
                    shutil.rmtree(folder)
        except OSError as error:
            raise EmojifyError(f"A picture can't be deleted: {error.strerror}.") from error

    @admin_only
    def delete_all(self) -> None:
        """Delete every picture, the damaged and the half-written ones too.

        Raises:
            EmojifyError: if something can't be deleted.
        """
        try:
            # One by one, each before what lists it: after a kill all that is still on the disk is still to be seen.
            self.delete(self.samples())
            if self.folder.exists():
                shutil.rmtree(self.folder)
        except OSError as error:
            raise EmojifyError(
                f"Not all pictures could be deleted: {error.strerror}. They are in {self.folder}."
            ) from error

    def _recordings(self) -> list[Path]:
        return sorted(path.parent for path in self.folder.glob(f"[!.]*/{RECORDING_FILE}"))


def stack_crops(cutouts: Sequence[Cutout], margin: float = 0.0) -> NDArray[np.uint8]:
    """(n, 48, 48) uint8."""
    crops = [cutout.crop(margin) for cutout in cutouts]
    return np.stack(crops) if crops else np.zeros((0, 48, 48), np.uint8)


def _read(folder: Path) -> tuple[list[Sample], str | None]:
    try:
        about = parse_json((folder / RECORDING_FILE).read_text(encoding="utf-8"))
        emotion = parse_emotion(about["emotion"])
        boxes = {str(name): Box(*map(int, box)) for name, box in about["boxes"].items()}
        samples = [Sample(folder / name, folder.name, emotion, box) for name, box in sorted(boxes.items())]
        return [sample for sample in samples if sample.path.parent == folder and sample.path.is_file()], None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, EmojifyError):
        return [], f"The recording {folder.name} is damaged and is left out. Delete all pictures to be rid of it."


def _count(number: int) -> str:
    return "1 picture was" if number == 1 else f"{number} pictures were"
