"""Which model the live page selects."""

from __future__ import annotations

import pytest

from pages.parts.live_controls import model_to_select


@pytest.mark.parametrize(
    ("selected", "previous_live", "expected"),
    [
        (None, None, "new"),  # a new session
        ("old", "old", "new"),  # follows the live model
        ("mine", "old", "mine"),  # was chosen by hand
        ("gone", "old", "new"),  # was chosen by hand and deleted since
    ],
)
def test_model_to_select_follows_live_model(selected: str | None, previous_live: str | None, expected: str) -> None:
    assert model_to_select(selected, previous_live, "new", ["new", "old", "mine"]) == expected
