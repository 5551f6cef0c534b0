"""The runs in one folder: launch, queue, stop, resume and delete them.

One fit at a time runs on this machine; the others wait in a queue. Fits on a cluster do not wait here. A waiting run is
a folder with its settings and a ``queued.json``. Pages and fits that have just ended call :meth:`RunStore.start_next`,
which starts the one that has waited longest.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import psutil

from emojify import processes
from emojify.errors import EmojifyError
from emojify.files import clear_leftovers, locked, new_folder, remove_tree, write_json
from emojify.os_errors import readable_os_errors
from emojify.public import admin_only
from emojify.runs.config import FitConfig
from emojify.runs.control import ENDED, STOP_REQUESTED
from emojify.runs.placement import Placement, read_placement, write_placement
from emojify.runs.reading import read_json_or_empty
from emojify.runs.run import EXPORT_FOLDER, QUEUED, Run, read_run

REQUIRED_BYTES = 300_000_000
"""Disk space that a run may need: weights, optimizer and average of the larger network, old and new files together."""


class RunStore:
    """The runs in ``folder``, which need not exist yet. ::

    store = RunStore(Path("runs"))
    run = store.launch(FitConfig("data/fer2013.zip"))
    print(run.id, store.get(run.id).state)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def runs(self) -> list[Run]:
        """Return every run, the newest first, broken ones included."""
        free = self.free_bytes()
        return [read_run(folder, disk_free_bytes=free) for folder in self._folders()]

    def ids(self) -> list[str]:
        """Return the ids of all runs, the newest first. Cheaper than :meth:`runs`: no file is read."""
        return [folder.name for folder in self._folders()]

    def get(self, run_id: str) -> Run:
        """Return the run with this id.

        Raises:
            EmojifyError: if there is none.
        """
        if not run_id or "/" in run_id or run_id.startswith(".") or not (self.folder / run_id).is_dir():
            raise EmojifyError(f"There is no run {run_id!r} any more.")
        return read_run(self.folder / run_id, disk_free_bytes=self.free_bytes())

    def queue(self) -> list[str]:
        """Return the ids of the waiting runs, the next one first."""
        waiting = [folder for folder in self._folders() if (folder / QUEUED).exists()]
        return [folder.name for folder in sorted(waiting, key=_queued_since)]

    @admin_only
    def launch(self, config: FitConfig, placement: Placement | None = None) -> Run:
        """Start a fit, or queue it if another one is running.

        Args:
            config: its settings.
            placement: the cluster to fit on; None for this machine.

        Raises:
            EmojifyError: if the data set is missing, the disk is too full or the process can't be started. There is
                then no new run.
        """
        if not Path(config.data).exists():
            raise EmojifyError(f"There is no {config.data} any more. Choose another data set.")
        self._refuse_full_disk()
        with readable_os_errors(f"The run can't be written to {self.folder}"):
            self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder):  # two browsers may launch in the same second
                run_id = self._write_new(config, placement)
        try:
            self.start_next()
        except EmojifyError:
            shutil.rmtree(self.folder / run_id, ignore_errors=True)
            raise
        return self.get(run_id)

    @admin_only
    def resume(self, run_id: str) -> None:
        """Continue a run after its last finished epoch, or queue it if another one is running.

        Raises:
            EmojifyError: if it can't be resumed or its process can't be started; the run is then unchanged.
        """
        run = self.get(run_id)
        if not run.can_resume:
            raise EmojifyError(f"{run_id} can't be resumed: it is {run.state.value}. {run.reason}")
        self._refuse_full_disk()
        with readable_os_errors(f"{run_id} can't be written"):
            self._enqueue(run.folder)
        try:
            self.start_next()
        except EmojifyError:
            (run.folder / QUEUED).unlink(missing_ok=True)
            raise

    @admin_only
    def stop(self, run_id: str) -> None:
        """Ask a run to end after its current batch; take a waiting one out of the queue. Ignore one that has ended.

        Raises:
            EmojifyError: if there is no such run, or it can't be taken out of the queue.
        """
        folder = self.get(run_id).folder
        with readable_os_errors(f"{run_id} can't be taken out of the queue"):
            (folder / QUEUED).unlink(missing_ok=True)
        if processes.is_running(folder):
            with suppress(OSError):  # a fit must be stoppable when the disk is full
                write_json(folder / STOP_REQUESTED, {})
            processes.stop(folder)

    @admin_only
    def kill(self, run_id: str) -> None:
        """Kill the process of a run that does not react to :meth:`stop`. Finished epochs are kept.

        Raises:
            EmojifyError: if there is no such run, or its process does not end.
        """
        folder = self.get(run_id).folder
        try:
            processes.kill(folder)
        except psutil.Error as error:
            raise EmojifyError(f"{run_id} does not end. Try again, or restart the machine.") from error

    @admin_only
    def delete(self, run_id: str, live_model: str) -> None:
        """Delete a run with its checkpoints. Models that were exported from it are kept.

        Args:
            run_id: the run.
            live_model: id of the live model; its run is not deleted.

        Raises:
            EmojifyError: if the run is being fitted or exported, or the live model was exported from it.
        """
        run = self.get(run_id)
        if run.is_source_of(live_model):
            raise EmojifyError(f"The live model was made from {run_id}: put another one live first.")
        with locked(self.folder):
            if processes.is_running(run.folder):
                raise EmojifyError(f"{run_id} is running: stop it first.")
            if processes.is_running(run.folder / EXPORT_FOLDER):
                raise EmojifyError(f"A model of {run_id} is being made: wait until it is finished.")
            with readable_os_errors(f"{run_id} can't be deleted"):
                remove_tree(run.folder)

    @admin_only
    def start_next(self, ended: str = "") -> None:
        """Start the run that has waited longest, unless another one is running here, and all that wait for a cluster.

        Args:
            ended: id of a run that is about to end, and whose process does not count as running.

        Raises:
            EmojifyError: if a process can't be started; the run stays in the queue.
        """
        if not self.queue():
            return
        with locked(self.folder):
            others = [folder for folder in self._folders() if folder.name != ended]
            is_busy = any(processes.is_running(folder) and not read_placement(folder) for folder in others)
            for run_id in self.queue():
                folder = self.folder / run_id
                is_here = read_placement(folder) is None
                if not (is_here and is_busy):
                    self._start(folder)
                    is_busy = is_busy or is_here

    @staticmethod
    def _start(folder: Path) -> None:
        with readable_os_errors("The fit can't be started"):
            for name in (ENDED, STOP_REQUESTED):
                (folder / name).unlink(missing_ok=True)
            processes.start(["train", "--resume", str(folder)], folder)
        with suppress(OSError):  # the state of a run with a process is never "waiting", even if the file stays
            (folder / QUEUED).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Return the free space on the disk of the runs."""
        folder = self.folder
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def _refuse_full_disk(self) -> None:
        free = self.free_bytes()
        if free < REQUIRED_BYTES:
            raise EmojifyError(
                f"The disk has {free // 1_000_000} MB left; a fit may need {REQUIRED_BYTES // 1_000_000} MB. "
                "Make room first, for example by deleting old runs."
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

    def _write_new(self, config: FitConfig, placement: Placement | None) -> str:
        """Write a new run that waits in the queue, in one step. Return its id."""
        clear_leftovers(self.folder)
        run_id = self._new_id(config.network)
        with new_folder(self.folder / run_id) as folder:
            write_json(folder / "config.json", asdict(config))
            write_placement(folder, placement)
            self._enqueue(folder)
        return run_id

    def _new_id(self, network: str) -> str:
        base = run_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{network}"
        number = 2
        while (self.folder / run_id).exists():
            run_id, number = f"{base}-{number}", number + 1
        return run_id

    @staticmethod
    def _enqueue(folder: Path) -> None:
        write_json(folder / QUEUED, {"since": time.time()})


def _queued_since(folder: Path) -> tuple[float, str]:
    since = read_json_or_empty(folder / QUEUED).get("since")
    return (float(since) if isinstance(since, (int, float)) else 0.0, folder.name)
