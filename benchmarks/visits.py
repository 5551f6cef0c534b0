"""Measure what visitors leave in the server's process. Print figures; assert nothing.

    python -m benchmarks.visits [--polite 100] [--abrupt 200]

:mod:`tests.helpers.visits` says how the visitors connect and leave.
"""

from __future__ import annotations

import argparse

from tests.helpers.visits import come_and_go


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--polite", type=int, default=100)
    parser.add_argument("--abrupt", type=int, default=200)
    options = parser.parse_args()
    frames, left = come_and_go(options.polite, options.abrupt)
    print(f"{len(frames)} visitors, each with {min(frames)} frames or more")
    times = ("at first", f"after {options.polite} goodbyes", f"after {options.abrupt} closed tabs")
    for when, one in zip(times, left, strict=True):
        print(f"{when:28} {one.memory_bytes / 1e6:.1f} MB, {one.threads} threads, {one.connections} connections, "
              f"{one.seats} seats taken")  # fmt: skip


if __name__ == "__main__":
    main()
