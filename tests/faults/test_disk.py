"""A disk that is full, or cannot be written, at any step of anything: a sentence, and nothing is lost or half."""

from __future__ import annotations

import errno

import pytest

from emojify.errors import EmojifyError
from tests.helpers.failing_disk import BrokenDisk, broken
from tests.helpers.workspace import OPERATIONS, Operation, Workspace, kill_what_was_started, open_descriptors

MANY = 200
NEEDS_NO_CHANGE = ("look again",)  # there is nothing yet that it could forget


def refusal_of(workspace: Workspace, operation: Operation) -> str | None:
    """The sentence with which it is refused; None if it is done."""
    try:
        operation(workspace)
    except EmojifyError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in NEEDS_NO_CHANGE])
def test_folders_that_cannot_be_written_stay_as_they_are(workspace: Workspace, name: str) -> None:
    before = workspace.seen()
    with broken(BrokenDisk(workspace.root, errno.EROFS, allowed=0)) as disk:
        refusal = refusal_of(workspace, OPERATIONS[name])
    assert disk.refused
    assert refusal is None or refusal.endswith(".")
    assert workspace.seen() == before
    workspace.check()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_disk_that_is_full_from_any_step_on_loses_nothing(workspace: Workspace, operation: Operation) -> None:
    for step in range(MANY):
        before, descriptors = workspace.seen(), open_descriptors()
        with broken(BrokenDisk(workspace.root, errno.ENOSPC, allowed=step)) as disk:
            refusal = refusal_of(workspace, operation)
        workspace.check()
        if refusal is None:
            return
        assert disk.refused
        assert refusal.endswith(".")
        assert workspace.seen() == before
        assert open_descriptors() == descriptors
        kill_what_was_started(workspace)
    pytest.fail("it never got through")
