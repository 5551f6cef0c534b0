"""kill -9 in the middle of whatever the app does to its folders: before each change, and within each file.

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
from tests.helpers.workspace import OPERATIONS, TOKEN, Workspace, kill_what_was_started

MANY = 200
TORN_AT_BYTES = (0, 1, 70, 1000)
STARTS_A_PROCESS = {"launch a fit", "resume a fit", "check data", "begin a video", "stop a video"}
IN_ONE_STEP = {
    "add a pack", "edit a pack", "remove a pack", "promote", "roll back", "withdraw a model", "remove a model",
    "delete a run", "bring data", "add samples", "delete a sample", "discard a draft", "bring a video",
    "change a video", "delete a video", "discard data", "look again",
}  # fmt: skip
IN_SEVERAL = {"settle data", "delete samples", "keep a draft", "forget everything", "clear old videos"}
CLEARED_BY = {
    "emojis": "add a pack", "emojis/squares": "edit a pack", "models": "roll back", "runs": "launch a fit",
    "data": "discard a draft", "data/.incoming": "bring data", "data/samples": "add samples",
    "data/videos": "clear old videos", f"data/videos/{TOKEN}": "change a video",
}  # fmt: skip


class Do(Protocol):
    def __call__(self, root: Path, operation: str, steps: int = NEVER, max_bytes: int = NEVER) -> str: ...


@pytest.fixture(scope="module")
def do() -> Iterator[Do]:
    """Has a operation done in a process that lives for so many changes, and for files of so many bytes."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.crash"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        to, said = server.stdin, server.stdout

        def ask(root: Path, operation: str, steps: int = NEVER, max_bytes: int = NEVER) -> str:
            print(
                json.dumps({"root": str(root), "operation": operation, "steps": steps, "max_bytes": max_bytes}),
                file=to, flush=True,
            )  # fmt: skip
            return said.readline().strip()

        yield ask
        to.close()


def content(workspace: Workspace) -> Counter[bytes]:
    """What is there to be seen, whatever it is called: names have a time or a draw in them."""
    return Counter(workspace.seen().values())


def leftovers(workspace: Workspace) -> list[Path]:
    found = (path for path in workspace.root.rglob(".*") if path.name.startswith((UNFINISHED, REMOVED)))
    return [path for path in found if not path.parent.name.startswith((UNFINISHED, REMOVED))]


def look_at(workspace: Workspace, operation: str, begun: Counter[bytes], done: Counter[bytes]) -> None:
    """That a workspace in which somebody was killed is as it was or complete."""
    workspace.check()
    left = content(workspace)
    assert set(left) <= set(begun) | set(done), "something is half"
    if operation in IN_ONE_STEP:
        assert left in (begun, done)


def go_on(workspace: Workspace, operation: str, done: Counter[bytes], do: Do) -> None:
    """That whoever starts the app again gets done what the killed one had begun."""
    left = content(workspace)
    if left == done or (operation == "keep a draft" and drafts.find_latest(workspace.settings) is None):
        return
    end = do(workspace.root, operation)
    if operation != "settle data" or end == "done":
        assert end == "done"
        assert content(workspace) == done
    else:  # moved already; what its check found is found anew
        assert end.startswith("refused")
        assert content(workspace) == left
    workspace.check()


def tidy(workspace: Workspace) -> None:
    """That what a kill left behind is gone an hour later, with the next change beside it."""
    for path in leftovers(workspace):
        _age(path)
        with suppress(EmojifyError):  # the operation itself may have nothing to do any more
            OPERATIONS[CLEARED_BY[str(path.parent.relative_to(workspace.root))]](workspace)
        assert not path.exists()
    workspace.check()


def _age(path: Path) -> None:
    for one in (*path.rglob("*"), path):
        seconds = one.stat().st_mtime - 2 * ABANDONED_AFTER_S
        os.utime(one, (seconds, seconds))


@pytest.fixture
def furnish(workspace: Workspace, tiny_model: bytes) -> Callable[[], Workspace]:
    """The workspace as it was at first."""

    def anew() -> Workspace:
        kill_what_was_started(workspace)
        shutil.rmtree(workspace.root)
        return Workspace(workspace.root, tiny_model)

    return anew


DEADLY = [name for name in OPERATIONS if name not in STARTS_A_PROCESS]


@pytest.mark.parametrize("operation", DEADLY)
def test_killed_before_any_change_all_is_as_it_was_or_complete(
    workspace: Workspace, furnish: Callable[[], Workspace], operation: str, do: Do
) -> None:
    begun = content(workspace)
    assert do(workspace.root, operation) == "done"
    done = content(workspace)
    for step in range(MANY):
        furnish()
        if (end := do(workspace.root, operation, step)) != "killed":
            assert (end, content(workspace)) == ("done", done)
            assert step > 0
            return
        look_at(workspace, operation, begun, done)
        go_on(workspace, operation, done, do)
        tidy(workspace)
    pytest.fail("it never got through")


@pytest.mark.parametrize(
    "operation", ["add a pack", "bring data", "add samples", "promote", "keep a draft", "bring a video"]
)
def test_killed_within_a_file_all_is_as_it_was(
    workspace: Workspace, furnish: Callable[[], Workspace], operation: str, do: Do
) -> None:
    begun = content(workspace)
    assert do(workspace.root, operation) == "done"
    done, deaths = content(workspace), 0
    for max_bytes in TORN_AT_BYTES:
        furnish()
        if do(workspace.root, operation, max_bytes=max_bytes) == "killed":
            deaths += 1
            assert content(workspace) == begun
            go_on(workspace, operation, done, do)
    assert deaths >= 2


def test_every_deed_is_one_of_the_kinds() -> None:
    assert set(OPERATIONS) == STARTS_A_PROCESS | IN_ONE_STEP | IN_SEVERAL
