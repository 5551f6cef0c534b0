"""Which model the live page selects."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest

from emojify.vision.per_face import AnnotatorPerFace
from emojify.vision.placement import Placement
from pages.parts.live_controls import model_to_select
from tests.helpers.page_driver import open_app


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


@pytest.mark.slow
def test_size_and_packs_per_person_reach_the_video(streamer: MagicMock) -> None:
    page = open_app().run()
    page.toggle(key="per_person").set_value(True).run()
    page.slider(key="size").set_value(1.5).run()
    page.slider(key="rise").set_value(-0.2).run()
    assert not page.exception
    annotator = page.session_state["live_session"].processor._settings.annotator
    assert isinstance(annotator, AnnotatorPerFace)
    stickers = annotator._annotators
    assert len(stickers) > 1
    assert {sticker._placement for sticker in stickers} == {Placement(1.5, -0.2)}  # type: ignore[attr-defined]
