"""What people bring becomes a draft of a pack: pictures or a zip, checked and drawn anew. Nothing is written here.

Nothing of a zip is ever extracted. Its entries are read one by one into memory, each with a hard limit, and only
those whose place in a pack is known; the pictures that leave here are encoded by us, under names of our own.
"""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from PIL import Image

from emojify.emotions import LABELS, Emotion, parse_emotion
from emojify.errors import EmojifyError
from emojify.packs.manifest import MANIFEST_FILE, MAX_MANIFEST_BYTES, PackManifest
from emojify.pictures import FORMATS, open_picture, square_png

MAX_ZIP_MB = 8
MAX_PICTURE_MB = 2
MAX_MEGAPIXELS = 16  # decoded, 64 MB for a moment; a phone's photos have 12
SIDE_PX = 512  # larger ones are shrunk to this; a face in a live video is seldom larger
SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")

_MB = 1_000_000
_MAX_ENTRIES = 64  # a pack has eight; the rest is for what macOS adds to each
_MAX_UNPACKED_MB = 7 * MAX_PICTURE_MB + 1
_MAX_RATIO = 100  # pictures and a little text; zeros reach 1000
_ENTRY_MARK = b"PK\1\2"
_LITTER_FOLDERS = ("__MACOSX",)
_LITTER_FILES = (".ds_store", "thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class CheckedPicture:
    """A picture as it will lie in the pack.

    Attributes:
        png: RGBA, square, at most ``SIDE_PX`` wide, without anything else in the file.
        notes: what was done to it or will look odd, in sentences.
    """

    png: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A pack that is not in the store yet; pictures may still be missing."""

    manifest: PackManifest
    pictures: Mapping[Emotion, CheckedPicture]

    @property
    def missing(self) -> tuple[Emotion, ...]:
        return tuple(emotion for emotion in Emotion if emotion not in self.pictures)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note for emotion in Emotion if emotion in self.pictures for note in self.pictures[emotion].notes)

    def fill_missing(self) -> Draft:
        """The same with the neutral picture wherever one is missing; as it was where there is no neutral one."""
        neutral = self.pictures.get(Emotion.NEUTRAL)
        if neutral is None:
            return self
        return replace(self, pictures=dict.fromkeys(self.missing, CheckedPicture(neutral.png)) | dict(self.pictures))

    def check_complete(self) -> None:
        """Raises EmojifyError if it has no name, or with the names of the missing emotions, if there are any."""
        if not self.manifest.name:
            raise EmojifyError("The pack needs a name.")
        if self.missing:
            names = ", ".join(emotion.label for emotion in self.missing)
            raise EmojifyError(f"These emotions have no picture: {names}. Bring them, or let the neutral one fill in.")


def emotion_from_file_name(file_name: str) -> Emotion | None:
    """The emotion that a picture file is named after, in any case; None if it is no such name."""
    path = PurePosixPath(file_name)
    if path.suffix.lower() not in SUFFIXES:
        return None
    try:
        return parse_emotion(path.stem)
    except EmojifyError:
        return None


def read_picture(content: bytes, name: str) -> CheckedPicture:
    """Check a PNG, JPEG or WebP picture and draw it anew: RGBA, padded to a square, at most ``SIDE_PX`` wide.

    Raises:
        EmojifyError: if it is too large in bytes or pixels, damaged, or no such picture.
    """
    if len(content) > MAX_PICTURE_MB * _MB:
        raise EmojifyError(f"{name} is larger than {MAX_PICTURE_MB} MB. Save it smaller, then bring it again.")
    opened = open_picture(content, name, MAX_MEGAPIXELS)
    notes = []
    if _moves(content):
        notes.append(f"{name} moves: the pack takes its first frame.")
    if opened.mode == "RGB":
        notes.append(f"{name} has no see-through background: it will cover the face as a whole rectangle.")
    return CheckedPicture(square_png(opened, SIDE_PX), tuple(notes))


def _moves(content: bytes) -> bool:
    picture = Image.open(io.BytesIO(content), formats=FORMATS)
    # A phone's JPEG may hold a second picture, the depth of the scene; that is no film.
    return picture.format in ("PNG", "WEBP") and getattr(picture, "n_frames", 1) > 1


def read_files(files: Sequence[tuple[str, bytes]]) -> tuple[Draft, tuple[str, ...]]:
    """A draft from what was dropped together: one zip, or pictures that are named after their emotions.

    Args:
        files: name and content of each.

    Returns:
        The draft, and why some of the files are not in it; the others are.
    """
    manifest, pictures, problems = PackManifest(""), dict[Emotion, CheckedPicture](), list[str]()
    for name, content in files:
        try:
            if PurePosixPath(name).suffix.lower() == ".zip":
                if len(files) > 1:
                    raise EmojifyError(f"{name} came with other files. Bring a zip alone.")
                return read_zip(content, name), ()
            emotion = emotion_from_file_name(name)
            if emotion is None:
                raise EmojifyError(f"{name} is not named after an emotion. Put it into its place below.")
            if emotion in pictures:
                raise EmojifyError(f"{name} is a second picture for {emotion.label}: the first one stays.")
            pictures[emotion] = read_picture(content, name)
        except EmojifyError as error:
            problems.append(str(error))
    return Draft(manifest, pictures), tuple(problems)


def read_zip_file(path: Path) -> Draft:
    """:func:`read_zip` of a file.

    Raises:
        EmojifyError: if it cannot be read; see :func:`read_zip` for the rest.
    """
    try:
        if not path.is_file():  # a device or a pipe would have no end
            raise EmojifyError(f"{path} is not a file. Name a zip with the seven pictures.")
        with path.open("rb") as file:
            content = file.read(MAX_ZIP_MB * _MB + 1)
    except OSError as error:
        raise EmojifyError(f"{path} cannot be read: {error.strerror}.") from error
    return read_zip(content, path.name)


def read_zip(content: bytes, name: str) -> Draft:
    """A draft from the bytes of a zip with pictures and perhaps a ``pack.json``, at its top or in one folder.

    Raises:
        EmojifyError: if it is not such a zip or goes over a limit; the sentence names the entry.
    """
    if len(content) > MAX_ZIP_MB * _MB:
        raise EmojifyError(f"{name} is larger than {MAX_ZIP_MB} MB. Save the pictures smaller, then zip them again.")
    # Counted before zipfile makes an object of each; more than a few by chance would take pictures of gigabytes.
    if content.count(_ENTRY_MARK) > _MAX_ENTRIES:
        raise EmojifyError(f"{name} holds more than {_MAX_ENTRIES} files. A pack needs eight at most.")
    if not content.startswith((b"PK\3\4", b"PK\5\6")):  # zipfile would also take what hides behind something else
        raise EmojifyError(f"{name} is not a zip. Bring a zip with the seven pictures.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = _read_entries(archive, name)
    # All that zipfile raises on damaged or odd files; RuntimeError stands for a password.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise EmojifyError(f"{name} is damaged or of an unusual kind: it cannot be read to its end.") from error
    content_of_manifest = files.pop(MANIFEST_FILE, None)
    manifest = (
        PackManifest(name=PurePosixPath(name).stem)
        if content_of_manifest is None
        else _parse_manifest(content_of_manifest, name)
    )
    pictures: dict[Emotion, CheckedPicture] = {}
    for file_name, picture in files.items():
        emotion = parse_emotion(PurePosixPath(file_name).stem)
        if emotion in pictures:
            raise EmojifyError(f"{name} has more than one picture for {emotion.label}. Keep one.")
        pictures[emotion] = read_picture(picture, file_name)
    if not pictures:
        raise EmojifyError(
            f"{name} holds no pictures. They are called {', '.join(f'{label}.png' for label in LABELS)}."
        )
    return Draft(manifest, pictures)


def _parse_manifest(content: bytes, zip_name: str) -> PackManifest:
    try:
        manifest = PackManifest.parse(content)
    except EmojifyError as error:
        raise EmojifyError(f"The {MANIFEST_FILE} in {zip_name} cannot be: {error}") from error
    except (ValueError, TypeError) as error:
        raise EmojifyError(f"The {MANIFEST_FILE} in {zip_name} cannot be read. Mend it or leave it out.") from error
    return manifest if manifest.name else replace(manifest, name=PurePosixPath(zip_name).stem)


def _read_entries(archive: zipfile.ZipFile, zip_name: str) -> dict[str, bytes]:
    """The pictures and the manifest, by their names without the folder. Every name is checked before any is read."""
    wanted: dict[str, zipfile.ZipInfo] = {}
    folders, unpacked = set(), 0
    for info in archive.infolist():
        path = _checked_path(info, zip_name)
        if _is_litter(path) or info.is_dir():
            continue
        if len(path.parts) > 2:
            raise EmojifyError(f"{zip_name}: {_shown(path)} lies too deep. One folder is fine, a folder in it is not.")
        file_name = MANIFEST_FILE if path.name.lower() == MANIFEST_FILE else path.name
        if file_name != MANIFEST_FILE and emotion_from_file_name(file_name) is None:
            raise EmojifyError(
                f"{zip_name}: {_shown(path)} does not belong in a pack. "
                f"It takes a picture for each of {', '.join(LABELS)} and a {MANIFEST_FILE}."
            )
        if file_name in wanted:
            raise EmojifyError(f"{zip_name} holds {_shown(path)} twice. Keep one.")
        limit = MAX_MANIFEST_BYTES if file_name == MANIFEST_FILE else MAX_PICTURE_MB * _MB
        unpacked += info.file_size
        if info.file_size > limit or unpacked > _MAX_UNPACKED_MB * _MB:
            raise EmojifyError(f"{zip_name}: {_shown(path)} is too large: a picture may have {MAX_PICTURE_MB} MB.")
        if info.file_size > _MAX_RATIO * max(1, info.compress_size):
            raise EmojifyError(f"{zip_name}: {_shown(path)} is packed too tightly to be a picture.")
        wanted[file_name] = info
        folders.add(path.parent)
    if len(folders) > 1:
        raise EmojifyError(f"{zip_name} holds pictures in several folders. Put them into one.")
    # One more byte than it says it has: zipfile then checks the sum, and what the zip says of itself is not trusted.
    return {file_name: _read_entry(archive, info) for file_name, info in wanted.items()}


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as file:
        content = file.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise zipfile.BadZipFile("not as long as it says")
    return content


def _checked_path(info: zipfile.ZipInfo, zip_name: str) -> PurePosixPath:
    """The entry's path, if it is one that stays below the zip's top and stands for a plain file or folder."""
    name = info.orig_filename  # as in the file; `filename` has been made harmless, and would hide what was tried
    parts = name.removesuffix("/").split("/")
    shown = _shown(PurePosixPath(name))
    if (
        any(part in ("", ".", "..") for part in parts)
        or "\\" in name
        or ":" in name  # a drive, or a second stream of a file
        or any(unicodedata.category(character) == "Cc" for character in name)
    ):
        raise EmojifyError(f"{zip_name}: the name {shown} is not one that a pack may have.")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise EmojifyError(f"{zip_name}: {shown} is a link or a device, not a picture.")
    if info.flag_bits & 1:
        raise EmojifyError(f"{zip_name} is locked with a password. Zip the pictures without one.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise EmojifyError(f"{zip_name} is packed in an unusual way. Make a plain zip of the pictures.")
    return PurePosixPath(name)


def _is_litter(path: PurePosixPath) -> bool:
    """Whether macOS or Windows put it there unasked."""
    return path.parts[0] in _LITTER_FOLDERS or path.name.lower() in _LITTER_FILES or path.name.startswith("._")


def _shown(path: PurePosixPath) -> str:
    """A name from a zip, safe to print and short."""
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(path))
    return text if len(text) <= 80 else f"{text[:77]}…"
