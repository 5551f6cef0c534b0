"""Visitors come and go, politely or not, and leave nothing behind. ``python -m benchmarks.visits`` has many more."""

import pytest

from tests.helpers.visits import FRAMES, come_and_go

pytestmark = pytest.mark.slow

POLITE, ABRUPT = 6, 8
MAX_GROWTH = 1.1


def test_visitors_who_say_goodbye_and_visitors_who_are_just_gone_leave_nothing_behind() -> None:
    frames, (first, middle, last) = come_and_go(POLITE, ABRUPT)
    assert len(frames) == POLITE + ABRUPT
    assert min(frames) >= FRAMES - 1  # live video in every one of them
    for left in (first, middle, last):
        assert left.seats == 0
        assert left.connections == 0
        assert left.threads <= first.threads
        assert left.memory_bytes < first.memory_bytes * MAX_GROWTH
