"""The runs below one folder: launch, queue, stop, resume, delete.

One fit at a time has the processor; more are queued. A queued run is a folder with its settings and a ``queued.json``;
whoever looks (a page, or a fit that has just ended) starts the next one.
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import psutil

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import UNFINISHED, clear_leftovers, locked, remove_tree, write_atomically
from emojify.public import admin_only
from emojify.runs.config import FitConfig
from emojify.runs.control import ENDED, STOP_REQUESTED
from emojify.runs.run import EXPORT_FOLDER, QUEUED, Run, State, read_json_or_empty, read_run

ROOM_BYTES = 300_000_000
"""What a run may take: weights, optimizer and average of the larger network, the old ones beside the new."""


class RunStore:
    """The runs in ``folder``, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def runs(self) -> list[Run]:
        """Every run, the newest first; folders that are broken too."""
        free = self.free_bytes()
        return [read_run(folder, disk_free_bytes=free) for folder in self._folders()]

    def ids(self) -> list[str]:
        """Ids of all runs, the newest first; cheaper than the runs themselves."""
        return [folder.name for folder in self._folders()]

    def get(self, run_id: str) -> Run:
        """The run with this id.

        Raises:
            EmojifyError: if there is none.
        """
        if not run_id or "/" in run_id or run_id.startswith(".") or not (self.folder / run_id).is_dir():
            raise EmojifyError(f"There is no run {run_id!r} any more.")
        return read_run(self.folder / run_id, disk_free_bytes=self.free_bytes())

    def queue(self) -> list[str]:
        """Ids of the runs that wait, the next one first."""
        waiting = [folder for folder in self._folders() if (folder / QUEUED).exists()]
        return [folder.name for folder in sorted(waiting, key=_since)]

    @admin_only
    def launch(self, config: FitConfig) -> Run:
        """Begin a fit, or queue it behind those that are under way.

        Raises:
            EmojifyError: if its data is not there, the disk is too full or its process can't be started; then there
                is no new run.
        """
        if not Path(config.data).exists():
            raise EmojifyError(f"There is no {config.data} any more. Choose another data set.")
        self._refuse_full_disk()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder):  # two browsers may launch in the same second
                run_id = self._write_new(config)
        except OSError as error:
            raise EmojifyError(f"The run can't be written to {self.folder}: {error.strerror}.") from error
        try:
            self.start_next()
        except EmojifyError:
            shutil.rmtree(self.folder / run_id, ignore_errors=True)
            raise
        return self.get(run_id)

    @admin_only
    def resume(self, run_id: str) -> None:
        """Go on with a run after its last whole epoch, now or when those before it are done.

        Raises:
            EmojifyError: if it can't go on, or its process can't be started; it is then as it was.
        """
        run = self.get(run_id)
        if not run.can_resume:
            raise EmojifyError(f"{run_id} can't go on: it is {run.state.value}. {run.reason}")
        self._refuse_full_disk()
        try:
            self._enqueue(run.folder)
        except OSError as error:
            raise EmojifyError(f"{run_id} can't be written: {error.strerror}.") from error
        try:
            self.start_next()
        except EmojifyError:
            (run.folder / QUEUED).unlink(missing_ok=True)
            raise

    @admin_only
    def stop(self, run_id: str) -> None:
        """Ask a run to end after its batch; one that waits leaves the queue. Does nothing if it is over.

        Raises:
            EmojifyError: if there is no such run, or it can't be taken out of the queue.
        """
        folder = self.get(run_id).folder
        try:
            (folder / QUEUED).unlink(missing_ok=True)
        except OSError as error:
            raise EmojifyError(f"{run_id} can't be taken out of the queue: {error.strerror}.") from error
        if processes.is_running(folder):
            with suppress(OSError):  # a full disk is a reason to stop a fit, never one that keeps it going
                write_atomically(folder / STOP_REQUESTED, b"{}\n")
            processes.stop(folder)

    @admin_only
    def kill(self, run_id: str) -> None:
        """Kill a run's process, for one that does not answer. The epochs that were whole stay.

        Raises:
            EmojifyError: if there is no such run, or the system does not let go of it.
        """
        folder = self.get(run_id).folder
        try:
            processes.kill(folder)
        except psutil.Error as error:
            raise EmojifyError(f"{run_id} does not end. Try again, or restart the machine.") from error

    @admin_only
    def delete(self, run_id: str, live_model: str) -> None:
        """Remove a run for good, its checkpoints with it. Models that were made of it stay.

        Raises:
            EmojifyError: if it is under way, or the live model was made of it.
        """
        run = self.get(run_id)
        if run.is_source_of(live_model):
            raise EmojifyError(f"The live model was made of {run_id}: put another one live first.")
        with locked(self.folder):
            if processes.is_running(run.folder):
                raise EmojifyError(f"{run_id} is under way: stop it first.")
            if processes.is_running(run.folder / EXPORT_FOLDER):
                raise EmojifyError(f"A model of {run_id} is being made: wait until it is there.")
            try:
                remove_tree(run.folder)
            except OSError as error:
                raise EmojifyError(f"{run_id} can't be deleted: {error.strerror}.") from error

    @admin_only
    def start_next(self, ended: str = "") -> None:
        """Start the run that has waited longest, if none is under way.

        Args:
            ended: a run whose process is in its last moments and no longer counts.

        Raises:
            EmojifyError: if its process can't be started; it stays in the queue.
        """
        if not self.queue():
            return
        with locked(self.folder):
            if any(processes.is_running(folder) for folder in self._folders() if folder.name != ended):
                return
            waiting = self.queue()
            if not waiting:
                return
            folder = self.folder / waiting[0]
            try:
                for name in (ENDED, STOP_REQUESTED):
                    (folder / name).unlink(missing_ok=True)
                processes.start(["train", "--resume", str(folder)], folder)
            except OSError as error:
                raise EmojifyError(f"The fit can't be started: {error.strerror or error}.") from error
            with suppress(OSError):  # it runs; where this stays, it is said to run all the same
                (folder / QUEUED).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Room on the disk of the runs."""
        place = self.folder
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free

    def _refuse_full_disk(self) -> None:
        free = self.free_bytes()
        if free < ROOM_BYTES:
            raise EmojifyError(
                f"The disk has {free // 1_000_000} MB left; a fit may need {ROOM_BYTES // 1_000_000}. Make room first, "
                "for example by deleting old runs."
            )

    def _folders(self) -> list[Path]:
        try:
            return sorted(
                (path for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith(".")),
                key=lambda path: path.name,
                reverse=True,
            )
        except OSError:
            return []

    def _write_new(self, config: FitConfig) -> str:
        """A folder that waits in the queue, all at once or not at all; gives its id."""
        clear_leftovers(self.folder)
        run_id = self._new_id(config.network)
        draft = self.folder / f"{UNFINISHED}{run_id}"
        try:
            draft.mkdir()
            write_atomically(draft / "config.json", (json.dumps(asdict(config), indent=1) + "\n").encode())
            self._enqueue(draft)
            draft.rename(self.folder / run_id)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return run_id

    def _new_id(self, network: str) -> str:
        base = run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{network}"
        number = 2
        while (self.folder / run_id).exists():
            run_id, number = f"{base}-{number}", number + 1
        return run_id

    @staticmethod
    def _enqueue(folder: Path) -> None:
        write_atomically(folder / QUEUED, (json.dumps({"since": time.time()}) + "\n").encode())


def _since(folder: Path) -> tuple[float, str]:
    since = read_json_or_empty(folder / QUEUED).get("since")
    return (float(since) if isinstance(since, (int, float)) else 0.0, folder.name)


__all__ = ["Run", "RunStore", "State"]
