"""Targets with something to be found, to see that it is."""

import time


def raises(content: bytes) -> None:
    """What no target may let through."""
    raise KeyError(len(content))


def hangs(content: bytes) -> None:
    """Works for longer than an input may take."""
    end_s = time.process_time() + 2.5
    while time.process_time() < end_s:
        pass


def eats(content: bytes) -> None:
    """Takes more memory than it may; the watch looks once a second."""
    held = b"x" * 700_000_000
    time.sleep(2.5)
    del held
