"""Measure what visitors leave in the server's process. Print figures; assert nothing.

    python -m benchmarks.visits [--polite 100] [--abrupt 200]

:mod:`tests.helpers.visits` says how the visitors connect and leave.
"""

from __future__ import annotations

import argparse

from tests.helpers.visits import run_visits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--polite", type=int, default=100)
    parser.add_argument("--abrupt", type=int, default=200)
    options = parser.parse_args()
    frames, states = run_visits(options.polite, options.abrupt)
    print(f"{len(frames)} visitors, each with {min(frames)} frames or more")
    times = ("at first", f"after {options.polite} closed connections", f"after {options.abrupt} killed visitors")
    for when, state in zip(times, states, strict=True):
        print(f"{when:28} {state.memory_bytes / 1e6:.1f} MB, {state.threads} threads, {state.connections} connections, "
              f"{state.sessions} sessions")  # fmt: skip


if __name__ == "__main__":
    main()
