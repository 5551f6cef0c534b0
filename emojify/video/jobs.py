"""Jobs of the videos page: each file has a private folder, and a background process renders it there.

    <data>/videos/<token>/in.*          the uploaded file
    <data>/videos/<token>/out.*         the result
    <data>/videos/<token>/job.json      the request, see RenderRequest
    <data>/videos/<token>/report.json   progress and result, written by ``python -m emojify render --report``
    <data>/videos/<token>/process.*     see emojify.processes

The token is random and gives access to the video. It is part of the page's address, so a reload or a later visit finds
the job again. Jobs are removed after a day.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import clear_leftovers, make_private_folder, new_folder, read_json, remove_tree, write_json
from emojify.os_errors import readable_os_errors
from emojify.public import admin_only

MAX_AGE_S = 24 * 3600.0
MAX_RUNNING = 2  # more jobs at once would all be slow
JOB, REPORT, STOPPED = "job.json", "report.json", "stopped"

State = Literal["waiting", "running", "estimated", "done", "failed", "stopped", "lost"]


@dataclass(frozen=True)
class RenderRequest:
    """How to render an uploaded file.

    Attributes:
        name: name of the file on the user's machine.
        suffix: suffix of the result, ``".mp4"``.
        pack: id of the emoji pack.
        style: one of :data:`~emojify.vision.annotators.STYLES`.

    Raises:
        TypeError: if a field is not a string.
    """

    name: str
    suffix: str
    pack: str
    style: str

    def __post_init__(self) -> None:
        if not all(isinstance(value, str) for value in vars(self).values()):
            raise TypeError("render request fields must be strings")

    @property
    def result_name(self) -> str:
        """File name under which the result is downloaded."""
        return f"{Path(self.name).stem or 'video'}-emojified{self.suffix}"

    def to_json(self) -> dict[str, str]:
        """Return the content of ``job.json``, which calls the suffix ``ending``."""
        return {"name": self.name, "ending": self.suffix, "pack": self.pack, "style": self.style}

    @classmethod
    def from_json(cls, content: Any) -> RenderRequest:
        """Read what :meth:`to_json` returns.

        Raises:
            TypeError: if ``content`` is not a dict of exactly these four strings.
        """
        fields = dict(content)
        return cls(suffix=fields.pop("ending", None), **fields)


@dataclass(frozen=True)
class Job:
    """One uploaded file and its folder."""

    folder: Path
    request: RenderRequest

    @property
    def token(self) -> str:
        """Secret name of the job, part of the page's address."""
        return self.folder.name

    @property
    def source(self) -> Path:
        """The uploaded file."""
        return next(self.folder.glob("in.*"))

    @property
    def added_s(self) -> float:
        """When the job was added, in seconds since 1970; 0 if it was deleted meanwhile."""
        try:
            return (self.folder / JOB).stat().st_mtime
        except OSError:
            return 0.0

    @property
    def target(self) -> Path:
        """The result; exists once the state is ``"done"``."""
        return self.folder / f"out{self.request.suffix}"

    def report(self) -> dict[str, Any]:
        """Return the newest report of the process: ``state``, one of :data:`State`, and the fields that go with it."""
        running = processes.is_running(self.folder)  # asked before reading: a process writes its report, then ends
        try:
            report = dict(read_json(self.folder / REPORT))
        except (OSError, ValueError, TypeError):
            report = {"state": "waiting"}
        if not isinstance(report.get("state"), str):  # the file was edited by hand
            report = {"state": "lost"}
        if not running and report["state"] in ("waiting", "running"):
            report = {"state": "stopped" if (self.folder / STOPPED).exists() else "lost"}
        return report

    @admin_only
    def start(self, estimate_only: bool = False) -> None:
        """Start the process and return at once.

        Raises:
            EmojifyError: if too many jobs run already, or the process can't be started.
        """
        others = [path for path in self.folder.parent.iterdir() if processes.is_running(path)]
        if len(others) >= MAX_RUNNING:
            raise EmojifyError("Other videos are being rendered. Try again when one of them is done.")
        command = ["render", self.source, self.target, "--pack", self.request.pack, "--style", self.request.style]
        command += ["--report", self.folder / REPORT, "--overwrite", *(["--estimate"] if estimate_only else [])]
        with readable_os_errors("The rendering cannot be started"):
            for name in (REPORT, STOPPED):
                (self.folder / name).unlink(missing_ok=True)
            processes.start([str(part) for part in command], self.folder)

    @admin_only
    def stop(self) -> None:
        """Ask the process to end. It leaves no unfinished result."""
        with suppress(OSError):  # a full disk must not keep the process from being stopped
            (self.folder / STOPPED).touch()  # a process that has only just started can't report that it was stopped
        processes.stop(self.folder)

    @admin_only
    def delete(self) -> None:
        """End the process and remove the folder. Does nothing if the folder is already gone.

        Raises:
            EmojifyError: if the folder can't be removed or the process does not end.
        """
        failed = "The video can't be deleted"
        with readable_os_errors(failed, "Try again."):
            try:
                processes.kill(self.folder)
                remove_tree(self.folder)
            except FileNotFoundError:
                return  # deleted from another browser tab at the same time
            except psutil.Error as error:
                raise EmojifyError(f"{failed}: its process does not end. Try again.") from error


class JobStore:
    """The jobs below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @admin_only
    def add(self, content: memoryview | bytes, request: RenderRequest) -> Job:
        """Save an uploaded file in a new folder that only the app's own user can read.

        Raises:
            EmojifyError: if the file can't be written. No part of it is left in that case.
        """
        suffix = re.sub(r"[^a-z0-9]", "", Path(request.name).suffix.lower())[:5]
        with self._new_job(request) as (job, unfinished):
            (unfinished / f"in.{suffix or 'video'}").write_bytes(content)
        return job

    @admin_only
    def add_version(self, job: Job, request: RenderRequest) -> Job:
        """Add a job for the same uploaded file, which is not copied where the file system has hard links.

        Raises:
            EmojifyError: if the file can't be written. No part of it is left in that case.
        """
        with self._new_job(request) as (version, unfinished):
            copy = unfinished / job.source.name
            try:
                copy.hardlink_to(job.source)
            except OSError:
                shutil.copy2(job.source, copy)  # with the time of the upload
        return version

    @contextmanager
    def _new_job(self, request: RenderRequest) -> Iterator[tuple[Job, Path]]:
        """Yield a new job, and its unfinished folder, which the block fills with the file."""
        folder = self.folder / secrets.token_urlsafe(16)
        with _readable_save_errors():
            make_private_folder(self.folder)
            clear_leftovers(self.folder)
            with new_folder(folder, mode=0o700) as unfinished:
                yield Job(folder, request), unfinished
                write_json(unfinished / JOB, request.to_json())

    @admin_only
    def change_suffix(self, job: Job, suffix: str) -> Job:
        """Return the same job with another suffix for its result.

        Raises:
            EmojifyError: if ``job.json`` can't be written.
        """
        changed = Job(job.folder, replace(job.request, suffix=suffix))
        clear_leftovers(job.folder)
        with _readable_save_errors():
            write_json(job.folder / JOB, changed.request.to_json())
        return changed

    def get(self, token: str) -> Job | None:
        """Return the job with this token, or None if it does not exist or was removed."""
        if not re.fullmatch(r"[\w-]{16,40}", token):
            return None
        folder = self.folder / token
        try:
            return Job(folder, RenderRequest.from_json(read_json(folder / JOB)))
        except (OSError, ValueError, TypeError):
            return None

    @admin_only
    def remove_old(self, now_s: float | None = None) -> None:
        """Delete jobs whose file was uploaded more than :data:`MAX_AGE_S` ago and whose process has ended.

        Also delete what killed processes left.

        Args:
            now_s: current time in seconds since 1970, for tests.
        """
        now_s = time.time() if now_s is None else now_s
        if not self.folder.is_dir():
            return
        clear_leftovers(self.folder)
        for folder in self.folder.glob("[!.]*"):
            try:
                old = now_s - _uploaded_s(folder) > MAX_AGE_S
            except OSError:
                continue  # deleted since it was listed
            if old and not processes.is_running(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _uploaded_s(folder: Path) -> float:
    """Return when a job's file was uploaded, in seconds since 1970; all versions of a file have the same time."""
    return next(folder.glob("in.*"), folder).stat().st_mtime


def _readable_save_errors() -> AbstractContextManager[None]:
    return readable_os_errors("The video cannot be saved")
