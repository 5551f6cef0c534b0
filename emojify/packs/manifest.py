"""``pack.json``: the name, author and license of a pack, and where the head is in its pictures.

Unknown keys are dropped.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from emojify.errors import EmojifyError
from emojify.files import parse_json
from emojify.vision.annotators import Head

MANIFEST_FILE = "pack.json"
MAX_MANIFEST_BYTES = 16_000
MAX_CHARACTERS = {"name": 60, "author": 80, "license": 120, "description": 300}
MAX_AVATAR_KEYS = 64
MAX_AVATAR_CHARACTERS = 4_000  # as JSON
MAX_ID_CHARACTERS = 40

_FORMER_KEYS = {"license": "licence"}  # version 0.1.0 wrote the key on the right
# Joiners and tags are invisible, but emoji and some alphabets need them. All other characters of the Unicode category
# "format" are removed: they could reverse the text around a name.
_NEEDED_FORMAT_CHARACTERS = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")  # not allowed as folder names on Windows


@dataclass(frozen=True)
class PackManifest:
    """The content of ``pack.json``. Texts are cleaned on creation.

    Attributes:
        name, author, license, description: one line of text each, without control characters, cut at
            ``MAX_CHARACTERS``.
        head: where the head is in the pictures.
        avatar: the choices of the avatar maker, by part; None for a pack made in another way.

    Raises:
        EmojifyError: if ``avatar`` is nested or too large.
    """

    name: str
    author: str = ""
    license: str = ""
    description: str = ""
    head: Head = field(default_factory=Head)
    avatar: Mapping[str, str | float | bool | None] | None = None

    def __post_init__(self) -> None:
        for key, limit in MAX_CHARACTERS.items():
            object.__setattr__(self, key, clean_text(getattr(self, key), limit))
        if self.avatar is not None:
            _check_avatar(self.avatar)

    @classmethod
    def parse(cls, content: bytes) -> PackManifest:
        """Parse the bytes of a ``pack.json``. The name may be empty.

        Raises:
            ValueError, TypeError: if the content is not a JSON object of the expected types.
            EmojifyError: if a value is out of range.
        """
        raw = parse_json(content.decode("utf-8"))
        if not isinstance(raw, dict):
            raise TypeError("not an object")
        head = raw.get("head") or {}
        if not isinstance(head, dict):
            raise TypeError("the head is not an object")
        texts = {key: str(raw.get(key) or raw.get(_FORMER_KEYS.get(key, key)) or "") for key in MAX_CHARACTERS}
        return cls(head=Head(**{key: float(share) for key, share in head.items()}), avatar=raw.get("avatar"), **texts)

    def to_json(self) -> bytes:
        """Return the content of a ``pack.json`` from which :meth:`parse` makes an equal manifest."""
        content: dict[str, Any] = asdict(self)
        if self.avatar is None:
            del content["avatar"]
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def clean_text(text: str, max_characters: int) -> str:
    """Return ``text`` as one line without control characters, cut to ``max_characters``.

    Letters of all alphabets and emoji are kept.
    """
    kept = [
        " " if character.isspace() else character
        for character in text
        if character.isspace()
        or character in _NEEDED_FORMAT_CHARACTERS
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
    ]
    return " ".join("".join(kept).split())[:max_characters].rstrip()


def make_id(name: str) -> str:
    """Return a folder name for a pack: the small letters, digits and hyphens of its name, or ``pack`` if none."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name)[:MAX_ID_CHARACTERS].strip("-")
    if not slug:
        return "pack"
    return f"pack-{slug}" if _WINDOWS_DEVICES.fullmatch(slug) else slug


def _check_avatar(avatar: object) -> None:
    is_flat = isinstance(avatar, dict) and all(
        isinstance(key, str) and (value is None or isinstance(value, str | int | float))
        for key, value in avatar.items()
    )
    try:
        is_valid = (
            is_flat
            and len(avatar) <= MAX_AVATAR_KEYS  # type: ignore[arg-type]  # is_flat: it is a dict
            and len(json.dumps(avatar, allow_nan=False)) <= MAX_AVATAR_CHARACTERS
        )
    except ValueError:  # NaN or infinity
        is_valid = False
    if not is_valid:
        raise EmojifyError("Its avatar must be a few numbers and words, each under a name.")
