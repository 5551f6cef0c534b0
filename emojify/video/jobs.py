"""Videos that the page renders: each in a private folder of its own, worked on by a process of its own.

    <data>/videos/<token>/in.*          what was brought
    <data>/videos/<token>/out.*         what came out
    <data>/videos/<token>/job.json      what was asked for
    <data>/videos/<token>/report.json   how far it is, what came of it
    <data>/videos/<token>/process.*     see emojify.processes

The token cannot be guessed, and whoever has it has the video: it stands in the page's address, so that a reload or
another visit finds the video again. A folder that nobody deleted goes after a day.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import UNFINISHED, clear_leftovers, parse_json, remove_tree, write_atomically
from emojify.public import admin_only

KEPT_S = 24 * 3600.0
MAX_RUNNING = 2  # more at once would all be slow
JOB, REPORT, STOPPED = "job.json", "report.json", "stopped"

State = Literal["waiting", "running", "estimated", "done", "failed", "stopped", "lost"]


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a video.

    Attributes:
        name: the file's, as they call it.
        ending: of what comes out, ``".mp4"``.
        pack: id of the emoji pack.
        style: one of :data:`~emojify.vision.annotators.STYLES`.
    """

    name: str
    ending: str
    pack: str
    style: str

    def __post_init__(self) -> None:
        if not all(isinstance(text, str) for text in vars(self).values()):
            raise TypeError("a wish is made of words")

    @property
    def result_name(self) -> str:
        """What to call the result."""
        return f"{Path(self.name).stem or 'video'}-emojified{self.ending}"


@dataclass(frozen=True)
class Job:
    """A video of the page."""

    folder: Path
    wish: Wish

    @property
    def token(self) -> str:
        return self.folder.name

    @property
    def source(self) -> Path:
        return next(self.folder.glob("in.*"))

    @property
    def target(self) -> Path:
        return self.folder / f"out{self.wish.ending}"

    def report(self) -> dict[str, Any]:
        """What the process says: ``state``, and what belongs to it. See :data:`State`."""
        runs = processes.is_running(self.folder)  # asked first: whoever ends between the two has written its report
        try:
            report = dict(parse_json((self.folder / REPORT).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            report = {"state": "waiting"}
        if not isinstance(report.get("state"), str):  # somebody edited it
            report = {"state": "lost"}
        if not runs and report["state"] in ("waiting", "running"):
            report = {"state": "stopped" if (self.folder / STOPPED).exists() else "lost"}
        return report

    @admin_only
    def begin(self, only_estimate: bool = False) -> None:
        """Start the process, and return at once.

        Raises:
            EmojifyError: if too many run already, or it cannot be started.
        """
        others = [path for path in self.folder.parent.iterdir() if processes.is_running(path)]
        if len(others) >= MAX_RUNNING:
            raise EmojifyError("Other videos are being worked on. Try again when one of them is done.")
        command = ["render", self.source, self.target, "--pack", self.wish.pack, "--style", self.wish.style]
        command += ["--report", self.folder / REPORT, "--overwrite", *(["--estimate"] if only_estimate else [])]
        try:
            for name in (REPORT, STOPPED):
                (self.folder / name).unlink(missing_ok=True)
            processes.start([str(part) for part in command], self.folder)
        except OSError as error:
            raise EmojifyError(f"The work cannot be started: {error.strerror}.") from error

    @admin_only
    def stop(self) -> None:
        """Ask the process to end; it leaves nothing half-written."""
        with suppress(OSError):  # a full disk keeps nobody from stopping
            (self.folder / STOPPED).touch()  # one that has only begun cannot say itself that it was stopped
        processes.stop(self.folder)

    @admin_only
    def delete(self) -> None:
        """Remove the video, what came of it, and whoever works on it.

        Raises:
            EmojifyError: if it can't be removed.
        """
        try:
            processes.kill(self.folder)
            remove_tree(self.folder)
        except FileNotFoundError:
            return  # somebody else was quicker
        except (OSError, psutil.Error) as error:
            why = error.strerror if isinstance(error, OSError) else "the work on it does not end"
            raise EmojifyError(f"The video can't be deleted: {why}. Try again.") from error


class JobStore:
    """The videos below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @admin_only
    def add(self, content: memoryview | bytes, wish: Wish) -> Job:
        """Keep a video, in a folder that only this app's user can read.

        Raises:
            EmojifyError: if it cannot be written; nothing is left of it.
        """
        folder = self.folder / secrets.token_urlsafe(16)
        unfinished = folder.with_name(f"{UNFINISHED}{folder.name}")
        ending = re.sub(r"[^a-z0-9]", "", Path(wish.name).suffix.lower())[:5]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            clear_leftovers(self.folder)
            unfinished.mkdir(mode=0o700)
            (unfinished / f"in.{ending or 'video'}").write_bytes(content)
            write_atomically(unfinished / JOB, json.dumps(vars(wish)).encode())
            unfinished.rename(folder)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise EmojifyError(f"The video cannot be kept: {error.strerror}. Make room on the disk.") from error
        return Job(folder, wish)

    @admin_only
    def change(self, job: Job, ending: str) -> Job:
        """The same video, to become something else.

        Raises:
            EmojifyError: if that can't be written.
        """
        changed = Job(job.folder, replace(job.wish, ending=ending))
        clear_leftovers(job.folder)
        try:
            write_atomically(job.folder / JOB, json.dumps(vars(changed.wish)).encode())
        except OSError as error:
            raise EmojifyError(f"The video cannot be kept: {error.strerror}. Make room on the disk.") from error
        return changed

    def get(self, token: str) -> Job | None:
        """The video with this token; None if there is none (any more)."""
        if not re.fullmatch(r"[\w-]{16,40}", token):
            return None
        folder = self.folder / token
        try:
            return Job(folder, Wish(**parse_json((folder / JOB).read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            return None

    @admin_only
    def remove_old(self, now_s: float | None = None) -> None:
        """Delete what was brought more than a day ago."""
        now_s = time.time() if now_s is None else now_s
        if not self.folder.is_dir():
            return
        for folder in self.folder.iterdir():
            try:
                old = now_s - folder.stat().st_mtime > KEPT_S
            except OSError:
                continue  # somebody deleted it meanwhile
            if old and not processes.is_running(folder):
                shutil.rmtree(folder, ignore_errors=True)
