"""The data sets in one folder: list them, check them in a background process, and add new ones.

data/<name>             a folder, a zip or a csv
data/.checks/<name>/    the report of its last check, and the record of the process that checks it
data/.incoming/<name>   an upload; it moves to data/ when its check finds no error
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import clear_leftovers, make_private_folder, new_file, remove_tree
from emojify.os_errors import readable_os_errors
from emojify.public import admin_only
from emojify.runs.reading import read_json_or_empty, read_tail

CHECKS, INCOMING = ".checks", ".incoming"
REPORT = "report.json"
FINGERPRINT_FILE = "of.txt"
MAX_UPLOAD_MB = 150
"""Less than ``.streamlit/config.toml`` allows. Kaggle's zip of pictures has 64 MB, the zipped original csv 97 MB."""

SUFFIXES = (".zip", ".csv")
_VOTES = ("labels.csv", "fer2013new.csv")  # FER+ votes, which may be in the same folder as a data set
PERSONAL = ("samples", "teachings", "videos")
"""Folders in the same place that are no data sets: a person's recordings, what was taught with them, and videos."""
_CHUNK_BYTES = 1 << 20
_MAX_CLASSES = 32  # class folders of a split that are part of the fingerprint


@dataclass(frozen=True)
class DatasetCheck:
    """The state of a data set's check.

    Attributes:
        done: whether the check has ended.
        progress: share of the data set that has been read, 0 to 1.
        step: what the check is doing, in a few words.
        error: why the data set can't be used; empty if it can be used or the check still runs.
        report: what the check found, see :mod:`emojify.training.report`; empty until then.
    """

    done: bool
    progress: float = 0.0
    step: str = ""
    error: str = ""
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def pictures(self) -> dict[str, int]:
        """Number of pictures by split."""
        return {split: sum(row.values()) for split, row in self.report["counts"].items()}


class DatasetStore:
    """The data sets in ``folder``, which need not exist yet. ::

    store = DatasetStore(Path("data"))
    for path in store.datasets():
        print(path.name, store.check(path).pictures)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def datasets(self) -> list[Path]:
        """Return the paths of all data sets, sorted by name."""
        return [path for path in self._list(self.folder) if path.name.lower() not in (*_VOTES, *PERSONAL)]

    def incoming(self) -> list[Path]:
        """Return the paths of the uploads that are not checked yet or whose check found an error."""
        return self._list(self.folder / INCOMING)

    @admin_only
    def check(self, path: Path) -> DatasetCheck:
        """Return the state of a data set's check. Start a check if there is none, or the data set has changed since.

        Raises:
            EmojifyError: if the check can't be started.
        """
        check_folder = self._check_folder(path)
        fingerprint = dataset_fingerprint(path)
        try:
            current = (check_folder / FINGERPRINT_FILE).read_text(encoding="utf-8") == fingerprint
        except OSError:
            current = False
        if current:
            check = self._status(check_folder)
            return replace(check, error=check.error.replace(str(path.absolute()), path.name))
        with suppress(psutil.Error):
            processes.kill(check_folder)  # it checks the former content
        with readable_os_errors(f"The check of {path.name} can't be started"):
            self._start_check(path, check_folder, fingerprint)
        return DatasetCheck(done=False, step="starting")

    @admin_only
    def recheck(self, path: Path) -> None:
        """Discard the result of the last check; the next :meth:`check` starts a new one.

        Raises:
            EmojifyError: if the result can't be discarded.
        """
        with _readable_errors(f"The check of {path.name} can't be repeated"):
            (self._check_folder(path) / FINGERPRINT_FILE).unlink(missing_ok=True)

    @admin_only
    def upload(self, name: str, content: BinaryIO, size: int, on_progress: Callable[[float], None]) -> Path:
        """Write a zip or a csv to the uploads. Call :meth:`check` next, then :meth:`accept` or :meth:`discard`.

        Args:
            name: the file's name; unsafe characters are replaced.
            content: open for reading.
            size: number of bytes in ``content``.
            on_progress: called with the share that has been written, 0 to 1.

        Returns:
            The path of the upload.

        Raises:
            EmojifyError: if the name has another ending, a data set has this name, or the disk is too full.
        """
        name = _safe_name(name)
        self._refuse_taken_name(name)
        folder = self.folder / INCOMING
        with readable_os_errors(f"{name} can't be written"):
            make_private_folder(self.folder)
            make_private_folder(folder)
            clear_leftovers(folder)
            free = shutil.disk_usage(folder).free
            if free < 2 * size:
                raise EmojifyError(f"The disk has only {free // 1_000_000} MB left. Make room first.")
            written = 0
            with new_file(folder / name, mode=0o600) as temporary, temporary.open("wb") as file:
                while chunk := content.read(_CHUNK_BYTES):
                    file.write(chunk)
                    written += len(chunk)
                    on_progress(min(written / max(size, 1), 1.0))
        return folder / name

    @admin_only
    def accept(self, path: Path) -> Path:
        """Move an upload and the result of its check to the data sets. Return its new path.

        Raises:
            EmojifyError: if a data set has its name meanwhile, or the upload can't be moved.
        """
        self._refuse_taken_name(path.name)
        target = self.folder / path.name
        upload_checks, checks = self._check_folder(path), self._check_folder(target)
        with _readable_errors(f"{path.name} can't be moved to the data sets"):
            path.replace(target)
        with suppress(OSError):  # without the result of the check, the data set is checked again
            shutil.rmtree(checks, ignore_errors=True)
            upload_checks.replace(checks)
            (checks / FINGERPRINT_FILE).write_text(dataset_fingerprint(target), encoding="utf-8")
        return target

    @admin_only
    def discard(self, path: Path) -> None:
        """Stop the check of an upload and delete the upload.

        Raises:
            EmojifyError: if it can't be deleted.
            ValueError: if ``path`` is not an upload.
        """
        if path.parent != self.folder / INCOMING:
            raise ValueError(f"{path} was not uploaded")
        self._remove(path)

    @admin_only
    def delete(self, path: Path) -> None:
        """Stop the check of a data set and delete the data set. Of a link, only the link is deleted.

        Raises:
            EmojifyError: if it can't be deleted.
            ValueError: if ``path`` is not one of :meth:`datasets`.
        """
        if path not in self.datasets():
            raise ValueError(f"{path} is no data set of {self.folder}")
        self._remove(path)

    def _remove(self, path: Path) -> None:
        with _readable_errors(f"{path.name} can't be deleted"):
            with suppress(psutil.Error):  # the check ends by itself when the file is gone
                processes.kill(self._check_folder(path))
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                path.unlink(missing_ok=True)
        shutil.rmtree(self._check_folder(path), ignore_errors=True)

    @staticmethod
    def _start_check(path: Path, check_folder: Path, fingerprint: str) -> None:
        make_private_folder(check_folder.parent)
        make_private_folder(check_folder)
        for name in (REPORT, processes.LOG):
            (check_folder / name).unlink(missing_ok=True)
        (check_folder / FINGERPRINT_FILE).write_text(fingerprint, encoding="utf-8")
        command = ["data", "check", str(path.absolute()), "--report", str(check_folder / REPORT)]
        processes.start(command, check_folder, interactive=True)

    @staticmethod
    def _status(check_folder: Path) -> DatasetCheck:
        # Ask for the process first: one that ends between the two questions has written its report.
        running = processes.is_running(check_folder)
        report = read_json_or_empty(check_folder / REPORT)
        if report.get("error"):
            return DatasetCheck(done=True, error=str(report["error"]))
        if isinstance(report.get("counts"), dict) and isinstance(report.get("faces"), dict):
            return DatasetCheck(done=True, report=report)
        if running:
            progress = read_json_or_empty(check_folder / f"{REPORT}.progress")
            done, total, step = progress.get("done", 0), progress.get("of", 0), progress.get("doing", "starting")
            return DatasetCheck(done=False, progress=done / total if total else 0.0, step=str(step))
        output = read_tail(check_folder / processes.LOG).strip().splitlines()
        last_line = f" Its last output: {output[-1][:300]}" if output else ""
        error = f"The check stopped unexpectedly, perhaps because the memory ran out.{last_line}"
        return DatasetCheck(done=True, error=error)

    def _check_folder(self, path: Path) -> Path:
        suffix = "-brought" if path.parent.name == INCOMING else ""
        return self.folder / CHECKS / f"{path.name}{suffix}"

    def _refuse_taken_name(self, name: str) -> None:
        if (self.folder / name).exists():
            raise EmojifyError(f"There is already a data set named {name}. Rename the file, then upload it again.")

    @staticmethod
    def _list(folder: Path) -> list[Path]:
        try:
            paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        except OSError:
            return []
        return [path for path in paths if path.is_dir() or path.suffix.lower() in SUFFIXES]


@contextmanager
def _readable_errors(action: str) -> Iterator[None]:
    """Turn errors of the disk, and of a process that does not end, into an EmojifyError."""
    try:
        with readable_os_errors(action):
            yield
    except psutil.Error as error:
        raise EmojifyError(f"{action}: its check does not stop. Try again.") from error


def _safe_name(name: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise EmojifyError(f"{name} is neither a zip nor a csv. Zip the folder of pictures, then upload the zip.")
    stem = re.sub(r"[^\w-]+", "-", Path(name).stem).strip("-_")[:60]
    return f"{stem or 'data'}{suffix}"


def dataset_fingerprint(path: Path) -> str:
    """Return a text that changes when a file of the data set changes.

    Of a folder, only the folders down to the classes are looked at, not the pictures, which may be many thousands: the
    text changes when a picture is added or removed, not when one is overwritten.
    """
    paths = [path]
    if path.is_dir():
        paths += path.iterdir()
        for folder in [child for child in paths[1:] if child.is_dir()]:
            paths += [child for child in islice(folder.iterdir(), _MAX_CLASSES) if child.is_dir()]
    elif path.suffix.lower() == ".csv":
        paths += [path.parent / name for name in _VOTES]
    lines = []
    for child in sorted(paths):
        try:
            status = child.stat()
        except OSError:
            continue
        lines.append(f"{child.name}:{status.st_mtime_ns}:{0 if child.is_dir() else status.st_size}")
    return "\n".join(lines)
