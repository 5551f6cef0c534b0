"""The clean view's address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from emojify.packs.store import list_packs
from emojify.vision.placement import Placement
from emojify.vision.smoothing import SmoothingSettings
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


def test_from_query_reads_picture_settings(packs_folder: Path) -> None:
    query = {"mirror": "0", "smoothing": "0.1", "threshold": "0.6", "model": "seed"}
    found = CleanView.from_query(query, list_packs(packs_folder), ["seed"])
    assert (found.mirror, found.smoothing, found.model) == (False, SmoothingSettings(0.1, 0.6), "seed")


@pytest.mark.parametrize("value", ["nope", "-1", "nan", "7", ""])
def test_from_query_ignores_invalid_numbers(value: str, packs_folder: Path) -> None:
    query = {"mirror": value, "smoothing": value, "threshold": value, "model": value, "size": value, "rise": value}
    found = CleanView.from_query(query, list_packs(packs_folder), ["seed"])
    assert (found.mirror, found.smoothing, found.model) == (True, SmoothingSettings(), "")
    assert found.placement == Placement()


def test_to_query_round_trip(packs_folder: Path) -> None:
    packs = list_packs(packs_folder)
    smoothing, placement = SmoothingSettings(0.15, 0.55), Placement(1.5, -0.2)
    view = CleanView(packs.get("squares"), "box", "green", True, False, smoothing, "seed", placement, True)
    query = dict(parse_qsl(view.to_query().removeprefix("?")))
    assert query["view"] == "clean"
    assert CleanView.from_query(query, packs, ["seed"]) == view
