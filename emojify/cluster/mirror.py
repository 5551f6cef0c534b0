"""The end of a remote fit that is on this machine: its run folder, which follows the one on the cluster."""

from __future__ import annotations

from pathlib import Path

from emojify.cluster.worker import CHECKPOINT, KEPT_HERE, Changes, FileChange, Identity
from emojify.files import write_atomically
from emojify.printable import printable
from emojify.runs.reading import read_json_or_empty
from emojify.runs.run import RUN_LOG


class Mirror:
    """Copies what a fit on the cluster writes into its run folder here.

    A kill at any moment leaves a run that can be resumed, because files are written in the order in which a fit writes
    them. ::

        mirror = Mirror(run)
        mirror.apply(changes)

    Args:
        run: the run's folder, which exists.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self.known: dict[str, Identity] = {}
        """The files on the cluster as they were when they were last copied."""

    def files(self) -> dict[str, bytes]:
        """Return the content of the run folder so far, by file name."""
        paths = [path for path in self._run.iterdir() if path.is_file() and not path.name.startswith(".")]
        return {path.name: path.read_bytes() for path in paths if path.name not in KEPT_HERE}

    def apply(self, changes: Changes) -> None:
        """Write what has changed, and print what the fit has printed.

        Raises:
            OSError: if the folder can't be written. The same changes can be asked for and applied again.
        """
        for change in changes.files:
            if change.name == RUN_LOG:
                self._print(change)
            if change.offset:
                self._append(change)
            else:
                write_atomically(self._run / change.name, change.content)
            self.known[change.name] = change.identity
        if changes.output:
            print(printable(changes.output), flush=True)
        self._remove_old_checkpoints()

    def _print(self, log: FileChange) -> None:
        """Print the new lines of the run's log."""
        path = self._run / RUN_LOG
        printed = path.stat().st_size if path.exists() else 0
        text = log.content[max(0, printed - log.offset) :].decode("utf-8", "replace").rstrip("\n")
        if text:
            print(printable(text), flush=True)

    def _append(self, change: FileChange) -> None:
        with (self._run / change.name).open("r+b") as file:
            file.truncate(change.offset)  # a part of this change, if an earlier attempt to write it was interrupted
            file.seek(change.offset)
            file.write(change.content)

    def _remove_old_checkpoints(self) -> None:
        checkpoint = read_json_or_empty(self._run / CHECKPOINT)
        current = {checkpoint.get("weights"), checkpoint.get("average")}
        for path in self._run.glob("checkpoint-*"):
            if checkpoint and path.name not in current:
                path.unlink()
