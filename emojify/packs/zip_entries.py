"""Read the entries of an uploaded zip that belong in a pack, one by one into memory, after their names and sizes."""

from __future__ import annotations

import re
import stat
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from emojify.emotions import Emotion, parse_emotion
from emojify.errors import EmojifyError
from emojify.packs.manifest import MANIFEST_FILE, MAX_MANIFEST_BYTES
from emojify.pictures import SUFFIXES

MAX_PICTURE_MB = 2
_MB = 1_000_000
# The numbers of FER-2013's classes, in the order of its files.
_FER_NUMBERS = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
_MAX_UNPACKED_MB = 7 * MAX_PICTURE_MB + 1
_MAX_COMPRESSION_RATIO = 100  # zeros reach 1000, pictures and short texts stay far below 100
_SYSTEM_FOLDERS = ("__MACOSX",)
_SYSTEM_FILES = (".ds_store", "thumbs.db", "desktop.ini")


def read_entries(archive: zipfile.ZipFile, zip_name: str) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return the pictures and the manifest by file name, without the folder, and a sentence for each other file.

    All names and sizes are checked before any content is read. The other files are never read.
    """
    entries: dict[str, zipfile.ZipInfo] = {}
    folders, problems = set(), list[str]()
    for info in archive.infolist():
        path = _parse_entry_path(info, zip_name)
        if _is_system_file(path) or info.is_dir():
            continue
        file_name = _name_in_pack(path, zip_name)
        if file_name is None:
            problems.append(f"{zip_name}: {_left_out(path)}")
            continue
        if file_name in entries:
            raise EmojifyError(f"{zip_name} contains {_printable(path)} twice. Keep one.")
        entries[file_name] = info
        folders.add(path.parent)
        _check_sizes(entries, path, zip_name)
    if len(folders) > 1:
        raise EmojifyError(f"{zip_name} contains pictures in several folders. Put them into one.")
    return {file_name: _read_entry(archive, info) for file_name, info in entries.items()}, tuple(problems)


def _name_in_pack(path: PurePosixPath, zip_name: str) -> str | None:
    """Return the name under which an entry belongs in a pack; None if it does not.

    Raises:
        EmojifyError: if it is in a folder of a folder.
    """
    if len(path.parts) > 2:
        raise EmojifyError(
            f"{zip_name}: {_printable(path)} is nested too deep. The pictures may be in one folder, but not deeper."
        )
    if path.name.lower() == MANIFEST_FILE:
        return MANIFEST_FILE
    return None if emotion_from_file_name(path.name) is None else path.name


def _left_out(path: PurePosixPath) -> str:
    """Return why an entry is no picture of a pack."""
    if path.suffix and emotion_from_file_name(f"{path.stem}.png") is not None:
        return f"{_printable(path)} is in a format that can't be opened. Save it as PNG."
    return f"{_printable(path)} is not named after one of the seven emotions."


def _check_sizes(entries: Mapping[str, zipfile.ZipInfo], path: PurePosixPath, zip_name: str) -> None:
    """Check the size of the entry added last, and the sum of all sizes."""
    file_name, info = list(entries.items())[-1]
    limit = MAX_MANIFEST_BYTES if file_name == MANIFEST_FILE else MAX_PICTURE_MB * _MB
    unpacked = sum(entry.file_size for entry in entries.values())
    if info.file_size > limit or unpacked > _MAX_UNPACKED_MB * _MB:
        raise EmojifyError(f"{zip_name}: {_printable(path)} is too large: a picture may have {MAX_PICTURE_MB} MB.")
    if info.file_size > _MAX_COMPRESSION_RATIO * max(1, info.compress_size):
        raise EmojifyError(f"{zip_name}: {_printable(path)} is compressed too much to be a picture.")


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # Ask for one byte more than the declared size: zipfile then verifies the checksum, and a false size is noticed.
    with archive.open(info) as file:
        content = file.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise zipfile.BadZipFile("the size differs from the declared one")
    return content


def _parse_entry_path(info: zipfile.ZipInfo, zip_name: str) -> PurePosixPath:
    """Return an entry's path; raise EmojifyError unless it is a plain file or folder at a safe relative path."""
    name = info.orig_filename  # the name in the zip; zipfile cleans `filename`, which would hide an attack
    parts = name.removesuffix("/").split("/")
    shown = _printable(PurePosixPath(name))
    if (
        any(part in ("", ".", "..") for part in parts)
        or "\\" in name
        or ":" in name  # a drive, or an alternate data stream of a file
        or any(unicodedata.category(character) == "Cc" for character in name)
    ):
        raise EmojifyError(f"{zip_name}: the name {shown} is not allowed in a pack.")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise EmojifyError(f"{zip_name}: {shown} is a link or a device, not a picture.")
    if info.flag_bits & 1:
        raise EmojifyError(f"{zip_name} is protected by a password. Zip the pictures without one.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise EmojifyError(f"{zip_name} is compressed in an unusual way. Make a plain zip of the pictures.")
    return PurePosixPath(name)


def _is_system_file(path: PurePosixPath) -> bool:
    """Return True for files that macOS or Windows add by themselves."""
    return path.parts[0] in _SYSTEM_FOLDERS or path.name.lower() in _SYSTEM_FILES or path.name.startswith("._")


def _printable(path: PurePosixPath) -> str:
    """Return a name from a zip without unprintable characters, at most 80 characters long."""
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(path))
    return text if len(text) <= 80 else f"{text[:77]}…"


def emotion_from_file_name(file_name: str) -> Emotion | None:
    """Return the emotion that a picture file is named after; None for any other name.

    The name may have other words and numbers beside the emotion, as ``Sad_Face2.png``. A number from 0 to 6 alone is
    the class of FER-2013.
    """
    path = PurePosixPath(file_name)
    stem = path.stem.strip()
    if path.suffix.lower().removeprefix(".") not in SUFFIXES:
        return None
    if len(stem) == 1 and stem in "0123456":
        return parse_emotion(_FER_NUMBERS[int(stem)])
    found = set()
    for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", stem):
        try:
            found.add(parse_emotion(word))
        except EmojifyError:
            continue
    return found.pop() if len(found) == 1 else None
