"""The data sets below one folder: which there are, what a check in the background found, and adding one.

data/<name>             a folder, a zip or a csv
data/.checks/<name>/    what the last check of it found, and the process that checks
data/.incoming/<name>   brought by somebody, not checked yet: it gets its place when it is found to be good
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
from emojify.files import UNFINISHED, clear_leftovers
from emojify.public import admin_only
from emojify.runs.run import read_json_or_empty, read_tail

CHECKS, INCOMING = ".checks", ".incoming"
REPORT = "report.json"
FINGERPRINT_FILE = "of.txt"
MAX_UPLOAD_MB = 150
"""Less than ``.streamlit/config.toml`` allows. Kaggle's zip of pictures takes 64, the original csv 97, zipped."""

SUFFIXES = (".zip", ".csv")
_VOTES = ("labels.csv", "fer2013new.csv")  # FER+'s, which may lie beside a data set
_CHUNK_BYTES = 1 << 20
_MAX_CLASSES = 32  # folders in a split's folder


@dataclass(frozen=True)
class DatasetCheck:
    """How a check of a data set stands.

    Attributes:
        done: whether it is over.
        progress: share of the data set that has been read, 0 to 1.
        step: what is being done.
        error: why the data set can't be used; empty if it can.
        report: what was found: see :mod:`emojify.training.report`.
    """

    done: bool
    progress: float = 0.0
    step: str = ""
    error: str = ""
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def pictures(self) -> dict[str, int]:
        """How many there are, by split."""
        return {split: sum(row.values()) for split, row in self.report["counts"].items()}


class DatasetStore:
    """The data sets in ``folder``, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def datasets(self) -> list[Path]:
        """Every data set, by name."""
        return [path for path in self._list(self.folder) if path.name.lower() not in _VOTES]

    def incoming(self) -> list[Path]:
        """What was brought and is not checked yet, or was found to be bad."""
        return self._list(self.folder / INCOMING)

    @admin_only
    def check(self, path: Path) -> DatasetCheck:
        """How the check of a data set stands. Starts one if there is none of it as it is now.

        Raises:
            EmojifyError: if a check can't be started.
        """
        place = self._check_folder(path)
        stamp = dataset_fingerprint(path)
        try:
            current = (place / FINGERPRINT_FILE).read_text(encoding="utf-8") == stamp
        except OSError:
            current = False
        if current:
            check = self._status(place)
            return replace(check, error=check.error.replace(str(path.absolute()), path.name))
        with suppress(psutil.Error):
            processes.kill(place)  # the check of what it was before
        try:
            place.mkdir(parents=True, exist_ok=True)
            for name in (REPORT, processes.LOG):
                (place / name).unlink(missing_ok=True)
            (place / FINGERPRINT_FILE).write_text(stamp, encoding="utf-8")
            command = ["data", "check", str(path.absolute()), "--report", str(place / REPORT)]
            processes.start(command, place, interactive=True)
        except OSError as error:
            raise EmojifyError(f"The check of {path.name} can't be started: {error.strerror or error}.") from error
        return DatasetCheck(done=False, step="starting")

    @admin_only
    def recheck(self, path: Path) -> None:
        """Forget what the last check found.

        Raises:
            EmojifyError: if that can't be.
        """
        with _readable_errors(f"The check of {path.name} can't be had again"):
            (self._check_folder(path) / FINGERPRINT_FILE).unlink(missing_ok=True)

    @admin_only
    def upload(self, name: str, content: BinaryIO, size: int, on_progress: Callable[[float], None]) -> Path:
        """Take in a zip or a csv for checking. Returns where it lies meanwhile.

        Raises:
            EmojifyError: if its name ends in something else, one with its name is there already, or there is no room.
        """
        name = _safe_name(name)
        if (self.folder / name).exists():
            raise EmojifyError(f"There is a data set {name} already. Rename the file, then bring it again.")
        place = self.folder / INCOMING
        try:
            place.mkdir(parents=True, exist_ok=True)
            clear_leftovers(place)
            free = shutil.disk_usage(place).free
            if free < 2 * size:
                raise EmojifyError(f"The disk has {free // 1_000_000} MB left: too little. Make room first.")
            partial = place / f"{UNFINISHED}{name}"
            written = 0
            with partial.open("wb") as file:
                while chunk := content.read(_CHUNK_BYTES):
                    file.write(chunk)
                    written += len(chunk)
                    on_progress(min(written / max(size, 1), 1.0))
            partial.replace(place / name)
        except OSError as error:
            raise EmojifyError(f"{name} can't be written: {error.strerror}.") from error
        return place / name

    @admin_only
    def accept(self, path: Path) -> Path:
        """Give what was brought its place, with what its check found. Returns where it lies now.

        Raises:
            EmojifyError: if something has its name meanwhile, or it can't be moved.
        """
        target = self.folder / path.name
        if target.exists():
            raise EmojifyError(f"There is a data set {path.name} already. Rename the file, then bring it again.")
        found = self._check_folder(path)
        with _readable_errors(f"{path.name} can't be put among the data sets"):
            path.replace(target)
        place = self._check_folder(target)
        with suppress(OSError):  # what was found is then looked for anew
            shutil.rmtree(place, ignore_errors=True)
            found.replace(place)
            (place / FINGERPRINT_FILE).write_text(dataset_fingerprint(target), encoding="utf-8")
        return target

    @admin_only
    def discard(self, path: Path) -> None:
        """Remove what was brought, and stop its check. Nothing else is ever removed here.

        Raises:
            EmojifyError: if it can't be removed.
        """
        if path.parent != self.folder / INCOMING:
            raise ValueError(f"{path} was not brought")
        with _readable_errors(f"{path.name} can't be removed"):
            with suppress(psutil.Error):  # it ends by itself when it finds nothing to read
                processes.kill(self._check_folder(path))
            path.unlink(missing_ok=True)
        shutil.rmtree(self._check_folder(path), ignore_errors=True)

    def _status(self, place: Path) -> DatasetCheck:
        running = processes.is_running(place)  # asked first: one that ends in between has written its report
        report = read_json_or_empty(place / REPORT)
        if report.get("error"):
            return DatasetCheck(done=True, error=str(report["error"]))
        if isinstance(report.get("counts"), dict) and isinstance(report.get("faces"), dict):
            return DatasetCheck(done=True, report=report)
        if running:
            progress = read_json_or_empty(place / f"{REPORT}.progress")
            done, of = progress.get("done", 0), progress.get("of", 0)
            return DatasetCheck(
                done=False, progress=done / of if of else 0.0, step=str(progress.get("doing", "starting"))
            )
        said = read_tail(place / processes.LOG).strip().splitlines()
        why = f" It said last: {said[-1][:300]}" if said else ""
        return DatasetCheck(done=True, error=f"The check stopped unexpectedly, perhaps for want of memory.{why}")

    def _check_folder(self, path: Path) -> Path:
        brought = "-brought" if path.parent.name == INCOMING else ""
        return self.folder / CHECKS / f"{path.name}{brought}"

    @staticmethod
    def _list(folder: Path) -> list[Path]:
        try:
            paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        except OSError:
            return []
        return [path for path in paths if path.is_dir() or path.suffix.lower() in SUFFIXES]


@contextmanager
def _readable_errors(failed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmojifyError(f"{failed}: {error.strerror}.") from error
    except psutil.Error as error:
        raise EmojifyError(f"{failed}: its check does not end. Try again.") from error


def _safe_name(name: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise EmojifyError(f"{name} is neither a zip nor a csv. Zip the folder of pictures, then bring that.")
    stem = re.sub(r"[^\w-]+", "-", Path(name).stem).strip("-_")[:60]
    return f"{stem or 'data'}{suffix}"


def dataset_fingerprint(path: Path) -> str:
    """Changes when a file does, or when a picture comes or goes in a folder; they are too many to ask each."""
    paths = [path]
    if path.is_dir():
        paths += path.iterdir()
        for folder in [one for one in paths[1:] if one.is_dir()]:
            paths += [one for one in islice(folder.iterdir(), _MAX_CLASSES) if one.is_dir()]
    elif path.suffix.lower() == ".csv":
        paths += [path.parent / name for name in _VOTES]
    lines = []
    for one in sorted(paths):
        try:
            status = one.stat()
        except OSError:
            continue
        lines.append(f"{one.name}:{status.st_mtime_ns}:{0 if one.is_dir() else status.st_size}")
    return "\n".join(lines)
