"""Read files from a folder, a zip or a csv by one interface. Nothing is unpacked to the disk and nothing is cached."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from emojify.errors import EmojifyError
from emojify.os_errors import require_no_pipe
from emojify.pictures import SUFFIXES

MAX_FILE_BYTES = 30_000_000
MAX_TEXT_CHARACTERS = 400_000_000  # the original fer2013.csv has 301 million
MAX_LINE_CHARACTERS = 100_000  # a line of fer2013.csv has at most 9,300
MAX_LINES = 1_000_000
MAX_FILES = 1_000_000

_IMAGE_SUFFIXES = tuple(f".{suffix}" for suffix in (*SUFFIXES, "jpe"))
_ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".zip", ".7z", ".rar")
# ValueError: the name is not text. RuntimeError (and its subclass NotImplementedError): a password, or an unsupported
# compression.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)
_VOTE_FILES = ("labels.csv", "fer2013new.csv")


class Source:
    """The files of a folder."""

    def __init__(self, path: Path, names: list[str]) -> None:
        """Keep the names of all files except hidden ones.

        Raises:
            EmojifyError: if there are more than ``MAX_FILES``.
        """
        if len(names) > MAX_FILES:
            raise EmojifyError(f"{path} holds more than {MAX_FILES:,} files. Give the folder of the data set itself.")
        self.path = path
        self.names = sorted(name for name in names if not any(map(_is_hidden, PurePosixPath(name).parts)))
        """All files, as POSIX paths relative to ``path``."""

    def read(self, name: str) -> bytes:
        """Return the content of one file.

        Raises:
            EmojifyError: if it is larger than ``MAX_FILE_BYTES`` or can't be read.
        """
        try:
            with self._open(name) as file:
                content = file.read(MAX_FILE_BYTES + 1)  # the size in a zip's directory may be wrong
        except _UNREADABLE as error:
            raise self._unreadable(name) from error
        if len(content) > MAX_FILE_BYTES:
            raise EmojifyError(
                f"{name} in {self.path} is larger than {MAX_FILE_BYTES // 1_000_000} MB. Shrink it, or remove it."
            )
        return content

    def lines(self, name: str) -> Iterator[str]:
        """Yield the lines of a text file in UTF-8, each with its line end. Only one is in memory at a time.

        Raises:
            EmojifyError: if the file can't be read, or a line, their number or all of them are too long: a zip of
                300 kB can hold a text of a gigabyte.
        """
        number = characters = 0
        try:
            with self._open(name) as file, io.TextIOWrapper(file, "utf-8-sig", "replace") as text:
                while line := text.readline(MAX_LINE_CHARACTERS + 1):
                    number, characters = number + 1, characters + len(line)
                    if max(number / MAX_LINES, characters / MAX_TEXT_CHARACTERS, len(line) / MAX_LINE_CHARACTERS) > 1:
                        raise EmojifyError(
                            f"{name}, line {number}: the file or this line is too long for FER-2013's csv. Give a "
                            "folder or a zip of pictures instead."
                        )
                    yield line
        except _UNREADABLE as error:
            raise self._unreadable(name) from error

    def image_files(self) -> list[str]:
        """Return the names of pictures, by their suffix."""
        return [name for name in self.names if name.lower().endswith(_IMAGE_SUFFIXES)]

    def find(self, file_name: str) -> str | None:
        """Return the path of the file called ``file_name`` in the fewest subfolders; None if there is none."""
        found = [name for name in self.names if PurePosixPath(name).name.lower() == file_name]
        return min(found, key=lambda name: name.count("/"), default=None)

    def csv_columns(self, name: str) -> list[str]:
        """Return the names in a csv's first line, without the spaces that some copies of FER-2013 have there."""
        header = self._read_start(name).partition("\n")[0]
        return [column.strip().strip('"') for column in header.split(",")]

    def find_pixel_csv(self) -> str | None:
        """Return the path of ``fer2013.csv`` or of another csv with its columns; None if there is none."""
        candidates = [name for name in self.names if name.lower().endswith(".csv")]
        for name in sorted(candidates, key=lambda name: not name.lower().endswith("fer2013.csv")):
            if {"emotion", "pixels"} <= set(self.csv_columns(name)):
                return name
        return None

    def explain_empty(self) -> str:
        """Return a sentence about files that look like a data set but can't be read; empty if there are none."""
        archives = [name for name in self.names if name.lower().endswith(_ARCHIVE_SUFFIXES)]
        if archives:
            return f"It has {archives[0]}, an archive: unpack it, and give the folder or the csv inside."
        tables = [name for name in self.names if name.lower().endswith(".csv")]
        for name in tables:
            if "pixels" in (columns := self.csv_columns(name)):
                return f"{name} has the columns {', '.join(columns)}: without the column emotion it has no labels."
        if tables:
            return (
                f"The first line of {tables[0]} must name the columns emotion and pixels, and Usage if there are "
                "splits, separated by commas."
            )
        return ""

    def _open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")

    def _read_start(self, name: str) -> str:
        try:
            with self._open(name) as file:
                return file.read(1000).decode("utf-8-sig", "replace")
        except _UNREADABLE as error:
            raise self._unreadable(name) from error

    def _unreadable(self, name: str) -> EmojifyError:
        return EmojifyError(f"{name} in {self.path} can't be read. Check its permissions, or remove it.")


class _ZipSource(Source):
    """The files of a zip."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        # Some programs on Windows write backslashes into a zip.
        self._names = {name.replace("\\", "/"): name for name in archive.namelist()}
        super().__init__(path, [name for name in self._names if name and not name.endswith("/")])

    def _open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._names[name])

    def _unreadable(self, name: str) -> EmojifyError:
        return EmojifyError(
            f"{name} in {self.path} can't be read: the zip is damaged, incomplete or locked by a password. "
            "Get it again."
        )


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a folder, a zip, or a csv with the vote files next to it.

    Raises:
        EmojifyError: if it does not exist or is none of these.
    """
    require_no_pipe(path)
    if not path.exists():
        raise EmojifyError(f"There is no {path}. Give a folder, a zip or a csv of FER-2013, or of your own pictures.")
    if path.is_dir():
        yield Source(path, list(_walk(path)))
    elif path.name.lower().endswith((".tar", ".tar.gz", ".tgz")):
        raise EmojifyError(f"{path} is a tar archive. Unpack it, and give the folder or the csv inside.")
    elif path.suffix.lower() == ".csv":
        siblings = [name for name in _VOTE_FILES if (path.parent / name).is_file() and name != path.name]
        yield Source(path.parent, [path.name, *siblings])
    else:
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:  # ValueError: invalid names
            raise EmojifyError(
                f"{path} is no folder, no csv and no whole zip. If it is a download, it is incomplete: get it again."
            ) from error
        with archive:
            yield _ZipSource(path, archive)


def _walk(folder: Path) -> Iterator[str]:
    """Yield the paths of all files below a folder. Linked folders are followed, each real folder once."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        files = (Path(parent) / name for name in names)
        yield from (file.relative_to(folder).as_posix() for file in files if file.is_file())  # no pipes, no devices


def _is_hidden(part: str) -> bool:
    return part.startswith(".") or part == "__MACOSX"
