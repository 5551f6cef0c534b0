"""Check the pictures or the zip that a user supplies, and make a draft of a pack from them.

This module writes no files, and it never extracts a zip. It reads the entries of a zip one by one into memory, each
with a size limit, and only those that belong in a pack. Every picture is decoded and encoded again, and stored under a
name chosen here.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from emojify.emotions import LABELS, Emotion
from emojify.errors import EmojifyError
from emojify.os_errors import readable_os_errors, require_no_pipe
from emojify.packs.manifest import MANIFEST_FILE, PackManifest
from emojify.packs.zip_entries import MAX_PICTURE_MB, emotion_from_file_name, read_entries
from emojify.pictures import FORMATS, is_animated, open_picture, square_png
from emojify.vision.annotators import Head

MAX_ZIP_MB = 8
MAX_MEGAPIXELS = 16  # 64 MB of memory while decoding; photos from phones have 12 megapixels
SIDE_PX = 512  # larger pictures are shrunk to this side; a face in a live video is seldom larger

_MB = 1_000_000
_MAX_ENTRIES = 64  # a pack has eight files; the other entries are what macOS adds for each file
_CENTRAL_DIRECTORY_MARK = b"PK\1\2"
_MIN_ALPHA = 32  # fainter pixels, such as the end of a shadow, do not count as drawn
_ALMOST_ALL = 0.97  # pictures drawn to this share of their side keep the usual place of the head


@dataclass(frozen=True)
class CheckedPicture:
    """A picture as it will be stored in the pack.

    Attributes:
        png: PNG file, RGBA, square, at most ``SIDE_PX`` wide, without metadata.
        notes: sentences for the user: what was changed, or what will look odd.
    """

    png: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A pack before it is added to the store. Pictures may still be missing.

    Attributes:
        problems: a sentence for each file that was left out.
    """

    manifest: PackManifest
    pictures: Mapping[Emotion, CheckedPicture]
    problems: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[Emotion, ...]:
        """The emotions without a picture."""
        return tuple(emotion for emotion in Emotion if emotion not in self.pictures)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of all pictures."""
        return tuple(note for emotion in Emotion if emotion in self.pictures for note in self.pictures[emotion].notes)

    def fill_missing(self) -> Draft:
        """Return a draft that has the neutral picture for every missing one; without a neutral one, return itself."""
        neutral = self.pictures.get(Emotion.NEUTRAL)
        if neutral is None:
            return self
        return replace(self, pictures=dict.fromkeys(self.missing, CheckedPicture(neutral.png)) | dict(self.pictures))

    def place_head(self) -> Draft:
        """Return a draft whose head is where the pictures are drawn, all seven taken together.

        So a picture with a wide transparent border covers the face as one without. A head from a ``pack.json`` stays.
        """
        if self.manifest.head != Head() or self.manifest.avatar is not None or not self.pictures:
            return self
        boxes = np.array([_drawn_box(picture.png) for picture in self.pictures.values()])
        left, top = boxes[:, :2].min(0)
        right, bottom = boxes[:, 2:].max(0)
        share = max(right - left, bottom - top)
        if share >= _ALMOST_ALL:
            return self
        head = Head(float(left + right) / 2, float(top + bottom) / 2, max(0.1, Head().width * float(share)))
        return replace(self, manifest=replace(self.manifest, head=head))

    def check_complete(self) -> None:
        """Check that the draft can become a pack.

        Raises:
            EmojifyError: if the name or a picture is missing; the message lists the missing emotions.
        """
        if not self.manifest.name:
            raise EmojifyError("The pack needs a name.")
        if self.missing:
            names = ", ".join(emotion.label for emotion in self.missing)
            raise EmojifyError(f"These emotions have no picture: {names}. Add them, or use the neutral one instead.")


def _drawn_box(png: bytes) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of what is drawn in a square picture, as shares of its side."""
    alpha = Image.open(io.BytesIO(png), formats=("PNG",)).getchannel("A")
    box = alpha.point(lambda value: 255 * (value >= _MIN_ALPHA)).getbbox() or (0, 0, *alpha.size)
    left, top, right, bottom = (edge / alpha.width for edge in box)
    return left, top, right, bottom


def read_picture(content: bytes, name: str) -> CheckedPicture:
    """Check a picture file and encode it again as RGBA, padded to a square, at most ``SIDE_PX`` wide.

    Args:
        content: the file's content.
        name: the file's name, for messages.

    Raises:
        EmojifyError: if the file is too large in bytes or pixels, damaged, or in another format.
    """
    if len(content) > MAX_PICTURE_MB * _MB:
        raise EmojifyError(f"{name} is larger than {MAX_PICTURE_MB} MB. Save it smaller, then add it again.")
    picture = open_picture(content, name, MAX_MEGAPIXELS)
    notes = []
    if is_animated(Image.open(io.BytesIO(content), formats=FORMATS)):
        notes.append(f"{name} is animated: the pack uses its first frame.")
    if picture.mode == "RGB":
        notes.append(f"{name} has no transparent background: it will cover the face with a rectangle.")
    return CheckedPicture(square_png(picture, SIDE_PX), tuple(notes))


def read_files(files: Sequence[tuple[str, bytes]]) -> Draft:
    """Make a draft from files dropped together: one zip, or pictures named after their emotions.

    Args:
        files: name and content of each file.
    """
    draft, problems = Draft(PackManifest(""), {}), list[str]()
    for name, content in files:
        if PurePosixPath(name).suffix.lower() != ".zip":
            continue
        if len(files) == 1:
            try:
                return read_zip(content, name)
            except EmojifyError as error:
                return replace(draft, problems=(str(error),))
        problems.append(f"{name} can't be added together with other files. Add the zip alone.")
    pictures = [(name, content) for name, content in files if PurePosixPath(name).suffix.lower() != ".zip"]
    draft = _read_pictures(pictures, draft)
    return replace(draft, problems=(*problems, *draft.problems))


def _read_pictures(files: Sequence[tuple[str, bytes]], draft: Draft) -> Draft:
    """Return the draft with the pictures that can be understood, and a problem for each other file."""
    pictures, problems = dict(draft.pictures), list(draft.problems)
    for name, content in files:
        emotion = emotion_from_file_name(name)
        try:
            if emotion is None:
                what = _describe_other(content, name)
                raise EmojifyError(f"{what}. Name it after one, such as happy.png, or add it under its emotion.")
            if emotion in pictures:
                raise EmojifyError(f"{name} is a second picture for {emotion.label}: the first one is used.")
            pictures[emotion] = read_picture(content, name)
        except EmojifyError as error:
            problems.append(str(error))
    return replace(draft, pictures=pictures, problems=tuple(problems))


def _describe_other(content: bytes, name: str) -> str:
    """Return a sentence's beginning about a file that is not named after an emotion.

    Raises:
        EmojifyError: if it is no picture that can be opened; the message names its format.
    """
    read_picture(content, name)
    return f"{name} is not named after an emotion"


def read_zip_file(path: Path) -> Draft:
    """Make a draft from a zip file. See :func:`read_zip`.

    Raises:
        EmojifyError: if the file cannot be read, or for the reasons of :func:`read_zip`.
    """
    with readable_os_errors(f"{path} cannot be read"):
        require_no_pipe(path)
        if path.is_dir():
            raise EmojifyError(f"{path} is not a file. Name a zip with the seven pictures.")
        with path.open("rb") as file:
            content = file.read(MAX_ZIP_MB * _MB + 1)
    return read_zip(content, path.name)


def read_zip(content: bytes, name: str) -> Draft:
    """Make a draft from a zip with pictures and perhaps a ``pack.json``, all at its top or all in one folder.

    Args:
        content: the zip's content.
        name: the zip's name, for messages; also the pack's name if the manifest has none.

    Returns:
        The draft. Entries that are not one of the seven pictures, and damaged pictures, are among its problems.

    Raises:
        EmojifyError: if the zip is invalid or exceeds a limit; the message names the entry.
    """
    if len(content) > MAX_ZIP_MB * _MB:
        raise EmojifyError(f"{name} is larger than {MAX_ZIP_MB} MB. Save the pictures smaller, then zip them again.")
    # Count before zipfile makes an object of each entry. The mark occurs by chance too, but to exceed the limit that
    # way a zip would need gigabytes of pictures.
    if content.count(_CENTRAL_DIRECTORY_MARK) > _MAX_ENTRIES:
        raise EmojifyError(f"{name} contains more than {_MAX_ENTRIES} files. A pack needs eight at most.")
    if not content.startswith((b"PK\3\4", b"PK\5\6")):  # zipfile would also find a zip behind other content
        raise EmojifyError(f"{name} is not a zip. Add a zip with the seven pictures.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files, problems = read_entries(archive, name)
    # These are all that zipfile raises for a damaged or unusual file: RuntimeError for a password, zlib.error and
    # EOFError for damaged content, ValueError for invalid names, NotImplementedError for an unknown compression.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise EmojifyError(f"{name} is damaged or of an unusual kind. Zip the pictures again.") from error
    manifest = _parse_manifest(files.pop(MANIFEST_FILE, b"{}"), name)
    emotions = [emotion_from_file_name(file_name) for file_name in files]
    for emotion in Emotion:
        if emotions.count(emotion) > 1:
            raise EmojifyError(f"{name} has more than one picture for {emotion.label}. Keep one.")
    draft = _read_pictures(list(files.items()), Draft(manifest, {}, problems))
    if not draft.pictures and not draft.problems:
        names = ", ".join(f"{label}.png" for label in LABELS)
        raise EmojifyError(f"{name} contains no pictures. Name them {names}.")
    return draft


def _parse_manifest(content: bytes, zip_name: str) -> PackManifest:
    try:
        manifest = PackManifest.parse(content)
    except EmojifyError as error:
        raise EmojifyError(f"The {MANIFEST_FILE} in {zip_name} is invalid: {error}") from error
    except (ValueError, TypeError) as error:
        raise EmojifyError(f"The {MANIFEST_FILE} in {zip_name} cannot be read. Fix it or leave it out.") from error
    return manifest if manifest.name else replace(manifest, name=PurePosixPath(zip_name).stem)
