"""``pack.json``: what a pack is called and where the head is. What is not known here is dropped."""

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

MANIFEST = "pack.json"
MAX_MANIFEST_BYTES = 16_000
MAX_CHARACTERS = {"name": 60, "author": 80, "licence": 120, "description": 300}
MAX_AVATAR_KEYS = 64
MAX_AVATAR_CHARACTERS = 4_000  # as JSON
MAX_ID_CHARACTERS = 40

# Joiners and tags are invisible, but emoji and some alphabets are written with them. Every other character of the
# class "format" goes: with them a name could turn the text around it backwards.
_WRITTEN_WITH = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")  # no folder can be called so


@dataclass(frozen=True)
class About:
    """What ``pack.json`` holds; texts are cleaned on creation.

    Attributes:
        name, author, licence, description: for people: one line each, without control characters, cut at
            ``MAX_CHARACTERS``.
        head: where the head is in the pictures.
        avatar: what the avatar maker needs to draw it again: numbers and words by name; None for a pack that was
            not made there.
    """

    name: str
    author: str = ""
    licence: str = ""
    description: str = ""
    head: Head = field(default_factory=Head)
    avatar: Mapping[str, str | float | bool | None] | None = None

    def __post_init__(self) -> None:
        for key, limit in MAX_CHARACTERS.items():
            object.__setattr__(self, key, clean_text(getattr(self, key), limit))
        if self.avatar is not None:
            _check_avatar(self.avatar)

    @classmethod
    def parse(cls, content: bytes) -> About:
        """Read the bytes of a ``pack.json``. The name may come out empty.

        Raises:
            ValueError, TypeError: if it is no such file.
            EmojifyError: if it is one, and asks for what cannot be.
        """
        raw = parse_json(content.decode("utf-8"))
        if not isinstance(raw, dict):
            raise TypeError("not an object")
        head = raw.get("head") or {}
        if not isinstance(head, dict):
            raise TypeError("the head is not an object")
        texts = {key: str(raw.get(key) or "") for key in MAX_CHARACTERS}
        return cls(head=Head(**{key: float(share) for key, share in head.items()}), avatar=raw.get("avatar"), **texts)

    def to_json(self) -> bytes:
        """What :meth:`parse` reads as an equal one."""
        content: dict[str, Any] = asdict(self)
        if self.avatar is None:
            del content["avatar"]
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def clean_text(text: str, max_characters: int) -> str:
    """One line without control characters, cut to a length; letters of any alphabet and emoji stay."""
    kept = [
        " " if character.isspace() else character
        for character in text
        if character.isspace()
        or character in _WRITTEN_WITH
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
    ]
    return " ".join("".join(kept).split())[:max_characters].rstrip()


def make_id(name: str) -> str:
    """A folder name made from a pack's name: small letters, digits and hyphens; ``pack`` where it has none of them."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name)[:MAX_ID_CHARACTERS].strip("-")
    if not slug:
        return "pack"
    return f"pack-{slug}" if _WINDOWS_DEVICES.fullmatch(slug) else slug


def _check_avatar(avatar: object) -> None:
    plain = isinstance(avatar, dict) and all(
        isinstance(key, str) and (value is None or isinstance(value, str | int | float))
        for key, value in avatar.items()
    )
    try:
        small = (
            plain
            and len(avatar) <= MAX_AVATAR_KEYS  # type: ignore[arg-type]  # plain: it is a dict
            and len(json.dumps(avatar, allow_nan=False)) <= MAX_AVATAR_CHARACTERS
        )
    except ValueError:  # not a number, or infinite
        small = False
    if not small:
        raise EmojifyError("Its avatar must be a few numbers and words, each under a name.")
