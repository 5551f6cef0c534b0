"""Files that hold several videos one after another, because somebody joined them byte by byte.

FFmpeg reads on in MPEG transport streams and WebM, but stops after the first part in the formats here.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

_FLV = re.compile(rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09")  # Adobe Flash Video File Format Specification 10.1, E.2
_ASF = re.compile(re.escape(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")))  # the header object's GUID
_SIGNATURES = {"flv": _FLV, "asf": _ASF}


def next_part_offset(path: Path, demuxer: str) -> int | None:
    """Return where the second video of a file begins, in bytes; None if it holds only one.

    Args:
        path: the file.
        demuxer: FFmpeg's name of its format.
    """
    if path.stat().st_size == 0:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if demuxer.startswith("mov,"):
            return _second_ftyp(content)
        pattern = _SIGNATURES.get(demuxer)
        found = pattern.search(content, 1) if pattern else None
        return found.start() if found else None


def _second_ftyp(content: mmap.mmap) -> int | None:
    """Walk the top-level boxes of an MP4 or MOV file (ISO/IEC 14496-12, 4.2)."""
    offset, seen = 0, 0
    while offset + 8 <= len(content):
        size, kind = int.from_bytes(content[offset : offset + 4], "big"), content[offset + 4 : offset + 8]
        if size == 1:
            size = int.from_bytes(content[offset + 8 : offset + 16], "big")
        if kind == b"ftyp":
            seen += 1
            if seen == 2:
                return offset
        if size < 8:  # 0: to the end of the file
            return None
        offset += size
    return None
