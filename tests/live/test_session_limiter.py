import gc
import threading
import weakref
from unittest.mock import Mock

import pytest

from emojify.errors import EmojifyError
from emojify.live.session_limiter import IDLE_TIMEOUT_S, SessionLimiter


class Session:
    pass


class Clock:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_acquire_refuses_until_a_slot_is_released(clock: Clock) -> None:
    limiter, first, second, third = SessionLimiter(2, clock), Session(), Session(), Session()
    assert [limiter.acquire(session) for session in (first, second, third)] == [True, True, False]
    assert limiter.acquire(first)
    assert (limiter.has_room(first), limiter.has_room(third)) == (True, False)
    limiter.release(second)
    assert limiter.acquire(third)
    assert not limiter.acquire(second)


def test_acquire_reuses_slot_of_idle_session(clock: Clock) -> None:
    limiter, idle, waiting = SessionLimiter(1, clock), Session(), Session()
    limiter.acquire(idle)
    clock.now_s += IDLE_TIMEOUT_S - 0.1
    assert not limiter.acquire(waiting)
    clock.now_s += 0.1
    assert limiter.acquire(waiting)
    assert IDLE_TIMEOUT_S <= 15, "the message asks to try again in a minute: an idle slot must be free well before"
    assert not limiter.acquire(idle)  # its slot was given away


def test_acquire_each_frame_keeps_the_slot(clock: Clock) -> None:
    limiter, active, waiting = SessionLimiter(1, clock), Session(), Session()
    for _ in range(5):
        assert limiter.acquire(active)
        clock.now_s += IDLE_TIMEOUT_S - 1
    assert not limiter.acquire(waiting)


def test_has_room_takes_no_slot(clock: Clock) -> None:
    limiter, first, second = SessionLimiter(1, clock), Session(), Session()
    assert limiter.has_room(first)
    assert limiter.acquire(second)


def test_garbage_collected_session_frees_its_slot(clock: Clock) -> None:
    limiter, first, second = SessionLimiter(1, clock), Session(), Session()
    limiter.acquire(first)
    del first
    gc.collect()
    assert limiter.acquire(second)


def test_limiter_without_maximum_always_has_room(clock: Clock) -> None:
    limiter = SessionLimiter(None, clock)
    assert all(limiter.acquire(Session()) and limiter.has_room(Session()) for _ in range(1000))


def test_connect_refuses_with_a_sentence(clock: Clock) -> None:
    limiter, first, second = SessionLimiter(1, clock), Session(), Session()
    limiter.connect(first, Mock())
    with pytest.raises(EmojifyError, match="Every place for live video is taken"):
        limiter.connect(second, Mock())
    assert limiter.acquire(first)


def test_connect_closes_connections_of_idle_sessions(clock: Clock) -> None:
    limiter, idle, active, newcomer = SessionLimiter(2, clock), Session(), Session(), Session()
    closed, close_active = threading.Event(), Mock()
    limiter.connect(idle, closed.set)
    limiter.connect(active, close_active)
    clock.now_s += IDLE_TIMEOUT_S
    assert limiter.acquire(active)
    limiter.connect(newcomer, Mock())
    assert closed.wait(5)
    close_active.assert_not_called()
    assert not limiter.acquire(idle)


def test_limiter_keeps_no_session_alive(clock: Clock) -> None:
    limiter, session = SessionLimiter(1, clock), Session()
    limiter.connect(session, Mock())
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None
