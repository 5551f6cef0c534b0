"""Read files that another process may be writing and that a person may have edited. Nothing here raises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emojify.files import read_json

TAIL_BYTES = 12_000


def read_json_or_empty(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or an empty dict if the file is missing or holds anything else."""
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def read_tail(path: Path, max_bytes: int = TAIL_BYTES) -> str:
    """Return the last whole lines of a text file, or an empty string if it can't be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - max_bytes))
            content = file.read(max_bytes)
    except OSError:
        return ""
    text = content.decode("utf-8", "replace")
    return text if size <= max_bytes else text.partition("\n")[2]
