"""The end of a fit that is on a machine of the cluster: an actor that runs ``emojify train`` in a folder of its own.

<cache>/inputs/<sha256>/   what fits read, see :mod:`emojify.cluster.inputs`; kept for the next fit
<cache>/fits/<run>-*/      the run folder of a fit, copied from and to the machine that sent it; deleted at the end

The cache is ``~/.cache/emojify``, or in ``XDG_CACHE_HOME``. The actor itself never imports TensorFlow.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from emojify import __version__, processes
from emojify.cluster.inputs import with_paths
from emojify.errors import EmojifyError
from emojify.files import new_folder, parse_json, write_atomically, write_json
from emojify.runs.config import FitConfig
from emojify.runs.control import ENDED, PROGRESS, STOP_REQUESTED
from emojify.runs.placement import CLUSTER
from emojify.runs.reading import read_json_or_empty, read_tail
from emojify.runs.run import QUEUED

CHECKPOINT, RESULT = "checkpoint.json", "result.json"
KEPT_HERE = {"config.json", processes.PROCESS, processes.LOG, ENDED, STOP_REQUESTED, QUEUED, CLUSTER}
"""Files of a run folder that are not copied: each end has its own."""

MAX_AGE_S = 30 * 86400  # of unused inputs, and of what killed fits left
_PR_SET_PDEATHSIG = 1  # prctl(2)

Identity = tuple[int, int, int]
"""Inode, size and modification time of a file: all equal means unchanged."""


@dataclass(frozen=True)
class FileChange:
    """New content of a file in the run folder.

    Attributes:
        name: of the file.
        identity: of the file when it was read.
        offset: where ``content`` begins; what the file had before that is unchanged.
        content: to the end of the file.
    """

    name: str
    identity: Identity
    offset: int
    content: bytes


@dataclass(frozen=True)
class Changes:
    """What a fit has done.

    Attributes:
        files: in the order in which they must be written, so that the folder is a whole run at any moment.
        output: what its process has printed, if it was killed; otherwise the run's own log says what there is to say.
        is_running: whether its process works.
        ended: its ``ended.json``; empty while it works, and after a kill.
    """

    files: tuple[FileChange, ...]
    output: str
    is_running: bool
    ended: dict[str, object]


class FitWorker:
    """Runs one fit. Each instance is a Ray actor of its own.

    Args:
        name: of the run.
        cpus: processors that the fit may use.
    """

    def __init__(self, name: str, cpus: float) -> None:
        self._cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emojify"
        for folder in (self._cache / "inputs", self._cache / "fits"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _clear_old(folder)
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._cache / "fits"))
        self._run = self._scratch / name
        self._cpus = max(1, round(cpus))
        self._archive: Path | None = None
        self._lock: int | None = None
        self._fit: subprocess.Popen[bytes] | None = None

    def describe(self) -> tuple[str, str]:
        """Return the machine's name and its version of Emojify."""
        return socket.gethostname(), __version__

    def claim(self, digest: str) -> str:
        """Ask for an input: "present"; "send", if this actor is to receive it; "wait", if another one receives it."""
        folder = self._cache / "inputs" / digest
        if folder.is_dir():
            os.utime(folder)
            return "present"
        if not self._try_lock(folder.with_suffix(".lock")):
            return "wait"
        if folder.is_dir():  # another actor has unpacked it between the two questions
            self._unlock()
            return "present"
        self._archive = folder.with_suffix(".part")
        self._archive.unlink(missing_ok=True)
        return "send"

    def receive(self, chunk: bytes) -> None:
        """Take the next part of the archive that :meth:`claim` asked for."""
        assert self._archive is not None
        with self._archive.open("ab") as file:
            file.write(chunk)

    def unpack(self, digest: str) -> str:
        """Unpack the received archive, or find the one that is here; return its folder.

        Raises:
            EmojifyError: if the archive is damaged.
        """
        folder = self._cache / "inputs" / digest
        if self._archive is not None:
            try:
                with self._archive.open("rb") as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                        raise EmojifyError("The data was damaged on its way. Try again.")
                with new_folder(folder) as new, tarfile.open(self._archive) as archive:
                    archive.extractall(new, filter="data")
            finally:
                self._archive.unlink(missing_ok=True)
                self._archive = None
                self._unlock()
        return str(folder)

    def start(self, config: FitConfig, paths: dict[str, str], files: dict[str, bytes], models: str) -> None:
        """Begin the fit, or continue the one whose files are given.

        Args:
            config: the settings, with the paths of the sender.
            paths: the same paths here.
            files: the content of the run folder so far.
            models: folder with the sender's live model; empty if the fit does not need it.
        """
        self._run.mkdir()
        for name, content in files.items():
            write_atomically(self._run / name, content)
        write_json(self._run / "config.json", asdict(with_paths(config, paths)))
        command = [sys.executable, "-m", "emojify", "train", "--resume", str(self._run)]
        environment = {
            **os.environ,
            "EMOJIFY_PUBLIC": "0",  # who may send fits is decided where they are sent
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "TF_NUM_INTRAOP_THREADS": str(self._cpus),
            "TF_NUM_INTEROP_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        } | ({"EMOJIFY_MODELS": models} if models else {})
        with (self._run / processes.LOG).open("ab") as log:
            self._fit = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )

    def changes(self, known: dict[str, Identity]) -> Changes:
        """Return what differs from the files that the caller has already."""
        is_running = self._fit is not None and self._fit.poll() is None  # asked first: then all it wrote is read
        found = {}
        for name in self._names(is_running):
            with suppress(FileNotFoundError):  # an older checkpoint, deleted meanwhile
                found[name] = _read_change(self._run / name, known.get(name))
        if not all((self._run / name).exists() for name in _parts(found.get(CHECKPOINT))):
            del found[CHECKPOINT]  # the fit has written the next one meanwhile, which the next call returns
        files = sorted((change for change in found.values() if change), key=lambda change: _write_order(change.name))
        ended = {} if is_running else read_json_or_empty(self._run / ENDED)
        output = "" if is_running or ended else read_tail(self._run / processes.LOG)
        return Changes(tuple(files), output, is_running, ended)

    def stop(self) -> None:
        """Ask the fit to end after its batch."""
        if self._fit is not None and self._fit.poll() is None:
            self._fit.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Delete the folder of the fit."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _names(self, is_running: bool) -> list[str]:
        """Return the files to copy in the order in which they must be read.

        A fit writes the progress of an epoch before its checkpoint. The checkpoint is read first, so the copy's
        progress may only be ahead of it, as after a kill, and never behind.
        """
        names = {path.name for path in self._run.iterdir() if path.is_file() and not path.name.startswith(".")}
        if is_running:
            names.discard(RESULT)  # makes a run finished: not before everything else is there
        return sorted(names - KEPT_HERE, key=lambda name: (name != CHECKPOINT, not name.startswith("checkpoint"), name))

    def _try_lock(self, path: Path) -> bool:
        import fcntl  # not on Windows, which has no multi-node clusters

        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _parts(checkpoint: FileChange | None) -> list[str]:
    """Return the files that a ``checkpoint.json`` names."""
    content = parse_json(checkpoint.content.decode()) if checkpoint is not None else {}
    return [content[key] for key in ("weights", "average") if content.get(key)]


def _write_order(name: str) -> int:
    return {PROGRESS: 1, CHECKPOINT: 2, RESULT: 3}.get(name, 0)


def _read_change(path: Path, known: Identity | None) -> FileChange | None:
    """Return the new content of a file, or None if it is unchanged."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        identity = (status.st_ino, status.st_size, status.st_mtime_ns)
        if identity == known:
            return None
        has_grown = known is not None and known[0] == identity[0] and known[1] < identity[1]
        grows = path.suffix in (".jsonl", ".log") or path.name.startswith("events.")
        offset = known[1] if known is not None and has_grown and grows else 0
        file.seek(offset)
        content = file.read(identity[1] - offset)
    return FileChange(path.name, identity, offset, content)


def _end_with_parent() -> None:
    """Let the system end this process when the actor's process ends, however that happens. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _clear_old(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > MAX_AGE_S:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def check_version(host: str, version: str) -> None:
    """Refuse a machine with another version of Emojify.

    Raises:
        EmojifyError: if it has one.
    """
    if version != __version__:
        raise EmojifyError(
            f"{host} has Emojify {version}, this machine {__version__}. Install the same version on all machines."
        )
