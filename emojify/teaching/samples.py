"""The pictures that users recorded of their own face. They are stored below ``data/`` on this machine only.

    data/samples/<recording>/recording.json    the emotion, the source, and the face's box in each picture
    data/samples/<recording>/00.png ...        gray pictures of the face with a margin

A recording is one take from the camera, or the photos of one upload. It is written in one step. Accuracy is measured on
whole recordings that are held out from training, because two frames of one recording are almost the same picture.
"""

from __future__ import annotations

import secrets
import shutil
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
from emojify.files import clear_leftovers, make_private_folder, new_folder, read_json, write_json
from emojify.os_errors import readable_os_errors
from emojify.pictures import encode_png
from emojify.public import admin_only
from emojify.teaching.selection import find_duplicates, pick_diverse
from emojify.vision.cutout import Cutout
from emojify.vision.readings import Box

CAMERA, PHOTOS = "camera", "photos"
MAX_PICTURES = 30  # of one recording
MIN_DIVERSE = 4  # a recording from the camera with fewer different pictures shows a face that did not move
MAX_RECORDINGS = 200  # about half a gigabyte
RECORDING_FILE = "recording.json"


@dataclass(frozen=True)
class Sample:
    """A stored picture.

    Attributes:
        path: the file.
        recording: the id of the recording that it belongs to.
        emotion: the emotion that the user chose for the recording.
        box: where the face is in the picture.
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
            raise EmojifyError(f"The picture {name} is damaged. Delete it and record a new one.") from error


@dataclass(frozen=True)
class SaveResult:
    """The result of saving a recording.

    Attributes:
        recording: its id.
        kept: number of pictures that were kept.
        notes: sentences for the user about pictures that were left out.
    """

    recording: str
    kept: int
    notes: tuple[str, ...] = ()


class SampleStore:
    """The recordings in ``folder``, which need not exist yet. ::

    store = SampleStore(Path("data/samples"))
    store.add(Emotion.HAPPY, cutouts)
    crops = stack_crops([sample.cutout() for sample in store.samples()])
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def samples(self) -> list[Sample]:
        """Return all pictures, the oldest recording first. Unreadable recordings are skipped; see :meth:`problems`."""
        return [sample for samples, _ in map(_read_recording, self._recordings()) for sample in samples]

    def problems(self) -> list[str]:
        """Return a sentence for each recording that can't be read."""
        return [problem for _, problem in map(_read_recording, self._recordings()) if problem]

    @admin_only
    def add(
        self, emotion: Emotion, cutouts: Sequence[Cutout], source: str = CAMERA, replaces: str | None = None
    ) -> SaveResult:
        """Save the diverse pictures of a recording, without duplicates of one another or of stored pictures.

        Args:
            emotion: what the pictures show.
            cutouts: the pictures.
            source: ``CAMERA``, where the face moves and pictures that are all alike are refused, or ``PHOTOS``.
            replaces: id of a recording that is deleted after this one is saved.

        Raises:
            EmojifyError: if the pictures are all alike, are all stored already, contradict stored ones, or can't be
                written. Nothing is saved then.
        """
        clear_leftovers(self.folder)
        if sum(folder.name != replaces for folder in self._recordings()) >= MAX_RECORDINGS:
            raise EmojifyError(f"There are {MAX_RECORDINGS} recordings already. Delete some first.")
        crops = stack_crops(cutouts)
        picked = np.array(pick_diverse(crops, MAX_PICTURES), np.int64)
        if source == CAMERA and len(picked) < MIN_DIVERSE:
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
        """Return the picked rows that are not stored yet, and sentences about the others."""
        notes: list[str] = []
        stored: dict[Emotion, list[Cutout]] = {}
        for sample in self.samples():
            if sample.recording == replaces:
                continue
            with suppress(EmojifyError):  # a damaged picture has no duplicates, and does not prevent saving new ones
                stored.setdefault(sample.emotion, []).append(sample.cutout())
        for other, cutouts in stored.items():
            duplicates = find_duplicates(crops[picked], stack_crops(cutouts))
            if not duplicates.any():
                continue
            picked = picked[~duplicates]
            if other is not emotion:
                notes.append(
                    f"{_count(duplicates.sum())} left out: you already saved the same as {other.label}, "
                    f"and one face can't be both {other.label} and {emotion.label}."
                )
            else:
                notes.append(f"{_count(duplicates.sum())} left out: you already saved the same.")
        if len(picked) == 0:
            raise EmojifyError(f"Nothing was saved. {' '.join(notes)}")
        return picked, tuple(notes)

    def _write(self, emotion: Emotion, cutouts: Sequence[Cutout], source: str) -> str:
        recording = f"{time.strftime('%Y%m%d-%H%M%S')}-{emotion.label}-{secrets.token_hex(2)}"
        with readable_os_errors("The pictures can't be saved"):
            make_private_folder(self.folder)
            with new_folder(self.folder / recording, mode=0o700) as folder:
                boxes = {}
                for number, cutout in enumerate(cutouts):
                    name = f"{number:02d}.png"
                    (folder / name).write_bytes(encode_png(cutout.picture))
                    boxes[name] = list(cutout.box)
                write_json(folder / RECORDING_FILE, {"emotion": emotion.label, "source": source, "boxes": boxes})
        return recording

    @admin_only
    def delete(self, samples: Sequence[Sample]) -> None:
        """Delete pictures. A recording whose last picture is deleted is deleted too.

        Raises:
            EmojifyError: if a file can't be deleted.
        """
        with readable_os_errors("A picture can't be deleted"):
            for sample in samples:
                sample.path.unlink(missing_ok=True)
            for folder in {sample.path.parent for sample in samples}:
                if not any(folder.glob("*.png")):
                    shutil.rmtree(folder)

    @admin_only
    def delete_all(self) -> None:
        """Delete the whole folder, damaged and half-written recordings included.

        Raises:
            EmojifyError: if a file can't be deleted.
        """
        # Each picture is deleted before the file that lists it: after a kill, whatever is left is still listed.
        self.delete(self.samples())
        with readable_os_errors("Not all pictures could be deleted", f"Delete the folder {self.folder} by hand."):
            if self.folder.exists():
                shutil.rmtree(self.folder)

    def _recordings(self) -> list[Path]:
        return sorted(path.parent for path in self.folder.glob(f"[!.]*/{RECORDING_FILE}"))


def stack_crops(cutouts: Sequence[Cutout], margin: float = 0.0) -> NDArray[np.uint8]:
    """Return the crops that a classifier gets for the cutouts, (n, 48, 48) uint8.

    Args:
        cutouts: n cutouts; n may be 0.
        margin: the model's ``crop_margin``.
    """
    crops = [cutout.crop(margin) for cutout in cutouts]
    return np.stack(crops) if crops else np.zeros((0, 48, 48), np.uint8)


def _read_recording(folder: Path) -> tuple[list[Sample], str | None]:
    """Return a recording's pictures, or no pictures and a sentence about what is wrong with it."""
    try:
        content = read_json(folder / RECORDING_FILE)
        emotion = parse_emotion(content["emotion"])
        boxes = {str(name): Box(*map(int, box)) for name, box in content["boxes"].items()}
        samples = [Sample(folder / name, folder.name, emotion, box) for name, box in sorted(boxes.items())]
        return [sample for sample in samples if sample.path.parent == folder and sample.path.is_file()], None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, EmojifyError):
        return [], f"The recording {folder.name} is damaged and is left out. Delete all pictures to remove it."


def _count(number: int) -> str:
    return "1 picture was" if number == 1 else f"{number} pictures were"
