import gc

import pytest

from emojify.live.seats import KEPT_S, Seats


class Visitor:
    pass


class Clock:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_next_one_waits_until_somebody_leaves(clock: Clock) -> None:
    seats, anna, ben, carl = Seats(2, clock), Visitor(), Visitor(), Visitor()
    assert [seats.take(who) for who in (anna, ben, carl)] == [True, True, False]
    assert seats.take(anna)
    assert (seats.is_free_for(anna), seats.is_free_for(carl)) == (True, False)
    seats.leave(ben)
    assert seats.take(carl)
    assert not seats.take(ben)


def test_a_seat_that_nobody_uses_is_free_again(clock: Clock) -> None:
    seats, gone, waiting = Seats(1, clock), Visitor(), Visitor()
    seats.take(gone)
    clock.now_s += KEPT_S - 0.1
    assert not seats.take(waiting)
    clock.now_s += 0.1
    assert seats.take(waiting)
    assert KEPT_S <= 15, "a seat of somebody who is gone, taken for longer than others are asked to wait"
    assert not seats.take(gone)  # back too late


def test_using_a_seat_keeps_it(clock: Clock) -> None:
    seats, anna, ben = Seats(1, clock), Visitor(), Visitor()
    for _ in range(5):
        assert seats.take(anna)
        clock.now_s += KEPT_S - 1
    assert not seats.take(ben)


def test_asking_takes_nothing(clock: Clock) -> None:
    seats, anna, ben = Seats(1, clock), Visitor(), Visitor()
    assert seats.is_free_for(anna)
    assert seats.take(ben)


def test_a_session_that_is_forgotten_leaves_its_seat(clock: Clock) -> None:
    seats, anna, ben = Seats(1, clock), Visitor(), Visitor()
    seats.take(anna)
    del anna
    gc.collect()
    assert seats.take(ben)


def test_without_a_number_there_is_always_room(clock: Clock) -> None:
    seats = Seats(None, clock)
    assert all(seats.take(Visitor()) and seats.is_free_for(Visitor()) for _ in range(1000))
