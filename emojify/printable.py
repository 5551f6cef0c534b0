"""Text of strangers, such as the names in a zip, without the characters that change what a terminal or a page does.

:func:`print_printable` protects everything that a process prints. Pages call :func:`printable` through
``pages.parts.messages.escape_markdown``.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from typing import Any

_UNDECODED = re.compile("[\udc80-\udcff]+")
"""Bytes that Python could not decode, such as those of a file's name in the C locale (PEP 383)."""
_SUSPICIOUS = re.compile(r"[^\n\t\x20-\x7e]")
_KEPT = "\u200c\u200d"  # they join letters of Persian and Hindi, and the parts of an emoji
_REPLACED = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories: control characters, invisible ones such as those that reverse text, halves of a pair, and
separators of lines and paragraphs."""


def printable(text: str) -> str:
    r"""Return ``text`` with unprintable characters as escapes of JSON; line ends and tabs stay. ::

        printable("cat\x1b[2J.png")  # "cat\\u001b[2J.png"

    JSON stays the same JSON. Undecoded bytes that are UTF-8 become the letters that they stand for.
    """
    return _SUSPICIOUS.sub(_printable_character, _UNDECODED.sub(_decode, text))


def _decode(match: re.Match[str]) -> str:
    return match[0].encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _printable_character(match: re.Match[str]) -> str:
    character = match[0]
    if character in _KEPT or unicodedata.category(character) not in _REPLACED:
        return character
    escape = json.dumps(character)[1:-1]
    return escape if escape.startswith("\\") else f"\\u{ord(character):04x}"  # JSON leaves DEL as it is


class PrintableStream:
    """A text stream that writes :func:`printable` text to another one.

    Attributes:
        unfiltered: the other stream, for control sequences of our own such as those of a progress bar.
    """

    def __init__(self, unfiltered: Any) -> None:
        self.unfiltered = unfiltered

    def write(self, text: str) -> int:
        return int(self.unfiltered.write(printable(text)))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unfiltered, name)


def print_printable() -> None:
    """From now on, print only printable characters to stdout and stderr, also in tracebacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, PrintableStream):  # None: a process without a console
            if stream.encoding == "ascii":  # in the C locale, where names of files are UTF-8, too
                stream.reconfigure(encoding="utf-8")
            setattr(sys, name, PrintableStream(stream))


def unfiltered(stream: Any) -> Any:
    """Return the stream below a :class:`PrintableStream`; another stream is returned as it is."""
    return stream.unfiltered if isinstance(stream, PrintableStream) else stream
