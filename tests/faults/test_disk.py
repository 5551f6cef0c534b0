"""A disk that is full or read-only at any step of an operation: one sentence, nothing lost, nothing half-written."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from emojify.errors import EmojifyError
from tests.helpers.failing_disk import FailingDisk, failing
from tests.helpers.operations import OPERATIONS, Kind, Operation, names_of
from tests.helpers.workspace import Workspace

MAX_CHANGES = 200
NAMES = names_of(Kind.ATOMIC, Kind.STEPWISE, Kind.STARTS_PROCESS)


def run_and_catch(workspace: Workspace, operation: Operation) -> str | None:
    """Return the sentence of the EmojifyError that the operation raises; None if it succeeds."""
    try:
        operation.run(workspace)
    except EmojifyError as error:
        return str(error)
    return None


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("name", NAMES)
def test_read_only_folders_stay_unchanged(workspace: Workspace, name: str) -> None:
    before = workspace.visible_files()
    with failing(FailingDisk(workspace.root, errno.EROFS, allowed=0)) as disk:
        refusal = run_and_catch(workspace, OPERATIONS[name])
    assert disk.failures
    assert refusal is None or refusal.endswith(".")
    assert workspace.visible_files() == before
    workspace.check()


@pytest.mark.parametrize("name", NAMES)
def test_full_disk_at_any_step_loses_nothing(workspace: Workspace, name: str) -> None:
    for changes in range(MAX_CHANGES):
        before, descriptors = workspace.visible_files(), open_descriptors()
        with failing(FailingDisk(workspace.root, errno.ENOSPC, allowed=changes)) as disk:
            refusal = run_and_catch(workspace, OPERATIONS[name])
        workspace.check()
        if refusal is None:
            return
        assert disk.failures
        assert refusal.endswith(".")
        assert workspace.visible_files() == before
        assert open_descriptors() == descriptors
        workspace.kill_processes()
    pytest.fail(f"{name} failed with {MAX_CHANGES} changes allowed")
