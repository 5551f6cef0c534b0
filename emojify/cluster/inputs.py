"""What a fit reads besides its run folder: data sets, teachers, first weights. Each travels as one archive.

A machine of the cluster keeps archives by their SHA-256, so each one is sent to it once.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from emojify.errors import EmojifyError
from emojify.os_errors import readable_os_errors
from emojify.runs.config import FitConfig

MAX_INPUT_BYTES = 4_000_000_000
CHUNK_BYTES = 16 << 20

_WEIGHTS = ("config.json", "card.json", "best.weights.h5", "weights.npz")  # of a run or a model
_VOTES = ("labels.csv", "fer2013new.csv")  # read from the folder of a csv


@dataclass(frozen=True)
class Input:
    """Files that a fit reads.

    Attributes:
        name: of the file or folder that the settings name.
        files: the files by their path in the archive, which begins with ``name`` or is a sibling's name.
    """

    name: str
    files: dict[str, Path]


def config_inputs(config: FitConfig) -> dict[str, Input]:
    """Return what a fit with these settings reads, by the path that the settings name.

    Raises:
        EmojifyError: if something is missing.
    """
    paths = [Path(path) for path in (config.data, config.added_data, config.begin_with) if path]
    inputs = {str(path): _data_input(path) for path in paths}
    for teacher in map(Path, config.teachers):
        files = {f"{teacher.name}/{name}": teacher / name for name in _WEIGHTS if (teacher / name).is_file()}
        inputs[str(teacher)] = Input(teacher.name, files)
    return inputs


def with_paths(config: FitConfig, paths: dict[str, str]) -> FitConfig:
    """Return settings with other paths in place of those that :func:`config_inputs` names."""
    return replace(
        config,
        data=paths[config.data],
        added_data=paths.get(config.added_data, ""),
        begin_with=paths.get(config.begin_with, ""),
        teachers=tuple(paths[teacher] for teacher in config.teachers),
    )


@contextmanager
def packed(item: Input) -> Iterator[tuple[str, IO[bytes]]]:
    """Pack an input; yield the SHA-256 of the archive and the archive. Equal files give equal archives.

    Raises:
        EmojifyError: if it is too large to be sent, or can't be read.
    """
    size = sum(path.stat().st_size for path in item.files.values())
    if size > MAX_INPUT_BYTES:
        raise EmojifyError(
            f"{item.name} has {size / 1e9:.1f} GB; at most {MAX_INPUT_BYTES / 1e9:.0f} GB are sent to a cluster. "
            "Use fewer or smaller pictures."
        )
    with readable_os_errors(f"{item.name} can't be packed"), tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for name, path in sorted(item.files.items()):
                header = tarfile.TarInfo(name)
                header.size = path.stat().st_size
                with path.open("rb") as content:
                    archive.addfile(header, content)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        yield digest, file


def _data_input(path: Path) -> Input:
    if path.is_dir():
        return Input(path.name, {f"{path.name}/{file.relative_to(path).as_posix()}": file for file in _files(path)})
    if not path.is_file():
        raise EmojifyError(f"There is no {path}.")
    siblings = [path.parent / name for name in _VOTES] if path.suffix.lower() == ".csv" else []
    return Input(path.name, {file.name: file for file in (path, *siblings) if file.is_file()})


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, through links too, each real folder once."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (path for name in names if (path := Path(parent, name)).is_file())
