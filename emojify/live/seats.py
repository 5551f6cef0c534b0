"""How many may have live video at once. A seat is kept by using it; so none is lost to somebody who just went away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from weakref import WeakKeyDictionary

from emojify.settings import Settings

KEPT_S = 10.0  # without a frame; a browser that is gone sends none, one whose camera stutters is back sooner


class Seats:
    """The seats of one process, asked by the threads of all sessions.

    Args:
        number: how many there are; None for as many as are wanted.
        clock_s: tells the time in seconds.
    """

    def __init__(self, number: int | None, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.number = number
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._used_s: WeakKeyDictionary[object, float] = WeakKeyDictionary()

    @property
    def sentence(self) -> str:
        """For whoever finds them all taken."""
        return "Every place for live video is taken right now. Try again in a minute: somebody may have left by then."

    def take(self, who: object) -> bool:
        """Whether ``who`` may have live video now. Ask for every frame: that is what keeps the seat."""
        if self.number is None:
            return True
        with self._lock:
            free = self._free_for(who)
            if free:
                self._used_s[who] = self._clock_s()
            return free

    def is_free_for(self, who: object) -> bool:
        """Whether :meth:`take` would say yes; takes nothing."""
        with self._lock:
            return self._free_for(who)

    def leave(self, who: object) -> None:
        """Free the seat at once, if ``who`` has one."""
        with self._lock:
            self._used_s.pop(who, None)

    def _free_for(self, who: object) -> bool:
        if self.number is None:
            return True
        now_s = self._clock_s()
        others = [used_s for other, used_s in self._used_s.items() if other is not who and now_s - used_s < KEPT_S]
        return len(others) < self.number


@cache
def shared_seats() -> Seats:
    """Those of this process, as many as ``EMOJIFY_MAX_SESSIONS`` says.

    Raises:
        EmojifyError: if a setting cannot be understood.
    """
    return Seats(Settings.from_environment().max_sessions)
