"""``kill -9`` in the middle of an operation: before each of its changes, and within each file.

Each operation runs in a process of its own, which is killed. Its folders are then checked as the next start of the app
would see them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from emojify.errors import EmojifyError
from emojify.files import ABANDONED_AFTER_S, REMOVED, UNFINISHED
from emojify.settings import ROOT
from emojify.teaching import drafts
from tests.faults.crash import NEVER
from tests.helpers.operations import OPERATIONS, Kind, names_of
from tests.helpers.workspace import VIDEO_ID, Workspace

MAX_CHANGES = 200
TRUNCATED_AT_BYTES = (0, 1, 70, 1000)
# The operation that removes what a kill left behind in a folder.
CLEARED_BY = {
    "emojis": "packs: add", "emojis/squares": "packs: edit", "emojis/me": "packs: change an avatar",
    "models": "models: rollback", "runs": "runs: launch",
    "data": "teaching: discard", "data/.incoming": "data: upload", "data/samples": "samples: add",
    "data/videos": "videos: remove old", f"data/videos/{VIDEO_ID}": "videos: change suffix",
}  # fmt: skip


class RunAndKill(Protocol):
    """Run an operation in a process that is killed after some changes, or in a file larger than some bytes."""

    def __call__(self, root: Path, operation: str, changes: int = NEVER, max_bytes: int = NEVER) -> str: ...


@pytest.fixture(scope="module")
def run_and_kill() -> Iterator[RunAndKill]:
    command = [sys.executable, "-m", "tests.faults.crash"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        requests, answers = server.stdin, server.stdout

        def run(root: Path, operation: str, changes: int = NEVER, max_bytes: int = NEVER) -> str:
            request = {"root": str(root), "operation": operation, "changes": changes, "max_bytes": max_bytes}
            print(json.dumps(request), file=requests, flush=True)
            return answers.readline().strip()

        yield run
        requests.close()


@pytest.fixture(autouse=True)
def without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what only a power failure needs, as the killed processes do: it takes most of the time."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def reset(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], None]:
    """Return a function that restores the workspace's first state."""
    first = shutil.copytree(workspace.root, tmp_path_factory.mktemp("first") / "state")

    def restore() -> None:
        workspace.kill_processes()
        shutil.rmtree(workspace.root)
        shutil.copytree(first, workspace.root)

    return restore


def contents(workspace: Workspace) -> Counter[bytes]:
    """Count the visible files' contents. Their names hold times and random parts, so names are not compared."""
    return Counter(workspace.visible_files().values())


def check_after_kill(workspace: Workspace, operation: str, before: Counter[bytes], done: Counter[bytes]) -> None:
    """Assert that no file is half-written, and that an atomic operation is complete or has not begun."""
    workspace.check()
    left = contents(workspace)
    assert set(left) <= set(before) | set(done), "a file is half-written"
    if OPERATIONS[operation].kind is Kind.ATOMIC:
        assert left in (before, done)


def check_second_call(workspace: Workspace, operation: str, done: Counter[bytes], run_and_kill: RunAndKill) -> None:
    """Assert that a second call completes what the killed process began."""
    left = contents(workspace)
    if left == done or (operation == "teaching: promote" and drafts.find_latest(workspace.settings) is None):
        return
    outcome = run_and_kill(workspace.root, operation)
    if operation != "data: accept" or outcome == "done":
        assert outcome == "done"
        assert contents(workspace) == done
    else:  # the data set was moved before the kill; its check runs anew
        assert outcome.startswith("refused")
        assert contents(workspace) == left
    workspace.check()


def check_leftovers_are_removed(workspace: Workspace) -> None:
    """Assert that the next operation in a folder removes what a kill left there an hour ago."""
    leftovers = [path for path in workspace.root.rglob(".*") if path.name.startswith((UNFINISHED, REMOVED))]
    for path in leftovers:
        if path.parent.name.startswith((UNFINISHED, REMOVED)):
            continue
        _age(path)
        with suppress(EmojifyError):  # the operation may have nothing left to do
            OPERATIONS[CLEARED_BY[str(path.parent.relative_to(workspace.root))]].run(workspace)
        assert not path.exists()
    workspace.check()


def _age(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        seconds = path.stat().st_mtime - 2 * ABANDONED_AFTER_S
        os.utime(path, (seconds, seconds))


@pytest.mark.parametrize("operation", names_of(Kind.ATOMIC, Kind.STEPWISE))
def test_kill_before_any_change_leaves_folders_whole(
    workspace: Workspace, reset: Callable[[], None], operation: str, run_and_kill: RunAndKill
) -> None:
    before = contents(workspace)
    assert run_and_kill(workspace.root, operation) == "done"
    done = contents(workspace)
    for changes in range(MAX_CHANGES):
        reset()
        if (outcome := run_and_kill(workspace.root, operation, changes)) != "killed":
            assert (outcome, contents(workspace)) == ("done", done)
            assert changes > 0
            return
        check_after_kill(workspace, operation, before, done)
        check_second_call(workspace, operation, done, run_and_kill)
        check_leftovers_are_removed(workspace)
    pytest.fail(f"{operation} was killed with {MAX_CHANGES} changes allowed")


@pytest.mark.parametrize(
    "operation", ["packs: add", "data: upload", "samples: add", "models: promote", "teaching: promote", "videos: add"]
)
def test_kill_within_a_file_changes_nothing(
    workspace: Workspace, reset: Callable[[], None], operation: str, run_and_kill: RunAndKill
) -> None:
    before = contents(workspace)
    assert run_and_kill(workspace.root, operation) == "done"
    done, kills = contents(workspace), 0
    for max_bytes in TRUNCATED_AT_BYTES:
        reset()
        if run_and_kill(workspace.root, operation, max_bytes=max_bytes) == "killed":
            kills += 1
            assert contents(workspace) == before
            check_second_call(workspace, operation, done, run_and_kill)
    assert kills >= 2
