"""A disk that is full, or cannot be written, at any step of anything: a sentence, and nothing is lost or half."""

from __future__ import annotations

import errno

import pytest

from emojify.errors import EmojifyError
from tests.faults.broken_disk import BrokenDisk, broken
from tests.faults.house import DEEDS, Deed, House, kill_what_was_started, open_descriptors

MANY = 200
NEEDS_NO_CHANGE = ("look again",)  # there is nothing yet that it could forget


def refusal_of(house: House, deed: Deed) -> str | None:
    """The sentence with which it is refused; None if it is done."""
    try:
        deed(house)
    except EmojifyError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", [name for name in DEEDS if name not in NEEDS_NO_CHANGE])
def test_folders_that_cannot_be_written_stay_as_they_are(house: House, name: str) -> None:
    before = house.seen()
    with broken(BrokenDisk(house.root, errno.EROFS, allowed=0)) as disk:
        refusal = refusal_of(house, DEEDS[name])
    assert disk.refused
    assert refusal is None or refusal.endswith(".")
    assert house.seen() == before
    house.check()


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_a_disk_that_is_full_from_any_step_on_loses_nothing(house: House, deed: Deed) -> None:
    for step in range(MANY):
        before, descriptors = house.seen(), open_descriptors()
        with broken(BrokenDisk(house.root, errno.ENOSPC, allowed=step)) as disk:
            refusal = refusal_of(house, deed)
        house.check()
        if refusal is None:
            return
        assert disk.refused
        assert refusal.endswith(".")
        assert house.seen() == before
        assert open_descriptors() == descriptors
        kill_what_was_started(house)
    pytest.fail("it never got through")
