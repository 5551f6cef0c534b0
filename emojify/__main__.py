"""Entry point of ``python -m emojify`` and of the command ``emojify``. The commands are in :mod:`emojify.cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType

from emojify.printable import print_printable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: of the command line, without the program's name; by default those of this process.

    Returns:
        The exit status: 0, or 2 for bad input.
    """
    sys.excepthook = _hide_interrupt
    print_printable()
    from emojify.cli import run  # takes half a second, in which Ctrl-C must not print a traceback either

    return run(arguments)


def _hide_interrupt(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print no traceback for Ctrl-C. Python then ends the process by the signal, as shells expect."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


if __name__ == "__main__":
    sys.exit(main())
