"""Visitors that disconnect leave nothing in the server. ``python -m benchmarks.visits`` measures many more."""

import pytest

from tests.helpers.visits import FRAMES, run_visits

pytestmark = pytest.mark.slow

POLITE, ABRUPT = 6, 8
MAX_GROWTH = 1.1


def test_visitors_leave_no_memory_threads_or_sessions() -> None:
    frames, (first, middle, last) = run_visits(POLITE, ABRUPT)
    assert len(frames) == POLITE + ABRUPT
    assert min(frames) >= FRAMES - 1  # every visitor had live video
    for state in (first, middle, last):
        assert state.sessions == 0
        assert state.connections == 0
        assert state.threads <= first.threads
        assert state.memory_bytes < first.memory_bytes * MAX_GROWTH
