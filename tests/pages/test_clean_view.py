"""The clean view's address."""

from __future__ import annotations

from pathlib import Path

import pytest

from emojify.packs.store import list_packs
from pages.parts.clean_view import CleanView


def view(query: dict[str, str], packs_folder: Path) -> tuple[str, str, str, bool]:
    found = CleanView.from_query(query, list_packs(packs_folder))
    return found.pack.id, found.style, found.background, found.emoji_only


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ("classic", "sticker", "plain", False)),
        ({"pack": "squares", "style": "box"}, ("squares", "box", "plain", False)),
        ({"pack": "Squares", "style": "Side by side"}, ("squares", "side-by-side", "plain", False)),
        ({"background": "green", "show": "emoji"}, ("classic", "sticker", "green", True)),
        ({"pack": "no", "style": "no", "background": "no", "show": "no"}, ("classic", "sticker", "plain", False)),
    ],
)
def test_from_query_ignores_unknown_values(
    query: dict[str, str], expected: tuple[str, str, str, bool], packs_folder: Path
) -> None:
    assert view(query, packs_folder) == expected
