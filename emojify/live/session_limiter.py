"""Limit how many sessions may run live video at once.

A session takes a slot for its connection, and holds it by sending frames. A browser that disappears sends none: when
another session needs the slot, the idle session's connection is closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from weakref import WeakKeyDictionary

from emojify.errors import EmojifyError
from emojify.settings import Settings

# After this long without a frame a session loses its slot. A browser that is gone sends no frames; one whose camera
# stutters sends the next frame sooner than this.
IDLE_TIMEOUT_S = 10.0

FULL_MESSAGE = "Every place for live video is taken right now. Try again in a minute."


class SessionLimiter:
    """The live-video slots of one process. Thread-safe: the threads of all sessions share one instance.

    Args:
        max_sessions: the number of slots; None for no limit.
        clock_s: returns a monotonic time in seconds.

    Example:
        >>> limiter, first, second = SessionLimiter(1), SessionLimiter(None), SessionLimiter(None)
        >>> limiter.acquire(first), limiter.acquire(second)  # any weakly referenceable object can be a session
        (True, False)
    """

    def __init__(self, max_sessions: int | None, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.max_sessions = max_sessions
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._last_used_s: WeakKeyDictionary[object, float] = WeakKeyDictionary()
        self._closers: WeakKeyDictionary[object, Callable[[], None]] = WeakKeyDictionary()

    def connect(self, session: object, close: Callable[[], None]) -> None:
        """Take or keep a slot for a connection of ``session``, and close the connections of idle sessions.

        Args:
            session: has at most one connection.
            close: closes the connection; called in a thread of its own. Must not hold a reference to ``session``.

        Raises:
            EmojifyError: if all slots are in use.
        """
        if not self.acquire(session):
            raise EmojifyError(FULL_MESSAGE)
        with self._lock:
            self._closers[session] = close
            now_s = self._clock_s()
            idle = [one for one, used_s in self._last_used_s.items() if now_s - used_s >= IDLE_TIMEOUT_S]
            for one in idle:
                del self._last_used_s[one]
            closers = [self._closers.pop(one) for one in idle if one in self._closers]
        for closer in closers:
            threading.Thread(target=closer, name="close-idle", daemon=True).start()

    def acquire(self, session: object) -> bool:
        """Take or keep a slot; return False if all slots are in use.

        Call once per frame: an idle session is released after :data:`IDLE_TIMEOUT_S`.
        """
        if self.max_sessions is None:
            return True
        with self._lock:
            allowed = self._has_room(session)
            if allowed:
                self._last_used_s[session] = self._clock_s()
            return allowed

    def has_room(self, session: object) -> bool:
        """Return what :meth:`acquire` would return, without taking a slot."""
        with self._lock:
            return self._has_room(session)

    def release(self, session: object) -> None:
        """Free the slot of ``session`` at once, if it has one."""
        with self._lock:
            self._last_used_s.pop(session, None)

    def _has_room(self, session: object) -> bool:
        if self.max_sessions is None:
            return True
        now_s = self._clock_s()
        others = sum(
            other is not session and now_s - used_s < IDLE_TIMEOUT_S for other, used_s in self._last_used_s.items()
        )
        return others < self.max_sessions


@cache
def shared_session_limiter() -> SessionLimiter:
    """Return the limiter of this process, with ``EMOJIFY_MAX_SESSIONS`` slots.

    Raises:
        EmojifyError: if a setting is invalid.
    """
    return SessionLimiter(Settings.from_environment().max_sessions)
