"""Targets with a fault, for the tests of the fuzzer."""

import time


def raises(content: bytes) -> None:
    """Raise an error that no target may let through."""
    raise KeyError(len(content))


def hangs(content: bytes) -> None:
    """Use more processor time than an input may take."""
    end_s = time.process_time() + 2.5
    while time.process_time() < end_s:
        pass


def allocates(content: bytes) -> None:
    """Allocate more memory than a target may have, for longer than the second between libFuzzer's checks."""
    held = b"x" * 700_000_000
    time.sleep(2.5)
    del held
