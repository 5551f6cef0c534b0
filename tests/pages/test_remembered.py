"""Choices from the browser's storage, which may have been changed there."""

from __future__ import annotations

import json
from unittest.mock import MagicMock, patch

import pytest
from streamlit.testing.v1 import AppTest

from emojify.vision.detectors.haar import Method
from pages.parts.browser_storage import MAX_CHARACTERS
from pages.parts.remembered import read_choices, restore
from tests.helpers.page_driver import open_app

PACKS = ["classic", "person"]
VALID = {
    "pack": "person", "style": "box", "mirror": False, "smoothing": 0.5, "threshold": 0.6, "detector": "haar",
    "scale_factor": 1.2, "min_neighbors": 7, "per_person": True, "size": 1.5, "rise": -0.2,
}  # fmt: skip


def test_valid_choices_are_read() -> None:
    assert read_choices(json.dumps(VALID), PACKS) == VALID | {"detector": Method.HAAR}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pack", "gone"), ("pack", ["classic"]), ("style", "nope"), ("mirror", 1), ("smoothing", -1),
        ("smoothing", "0"), ("smoothing", True), ("threshold", 1e9), ("threshold", float("nan")), ("detector", "none"),
        ("detector", None), ("per_person", "yes"), ("size", 3), ("rise", -1),
        ("scale_factor", 1.0), ("min_neighbors", 2.5), ("min_neighbors", 0), ("model", "other"), ("live_session", "x"),
    ],
)  # fmt: skip
def test_changed_choice_is_left_out(key: str, value: object) -> None:
    expected = read_choices(json.dumps({name: kept for name, kept in VALID.items() if name != key}), PACKS)
    assert read_choices(json.dumps(VALID | {key: value}), PACKS) == expected


@pytest.mark.parametrize("stored", [None, 7, "", "{", "[]", "null", " " * MAX_CHARACTERS + "{}", "[" * 1000])
def test_anything_else_is_no_choice(stored: object) -> None:
    assert read_choices(stored, PACKS) == {}


def test_address_has_precedence() -> None:
    with patch("pages.parts.remembered.st") as st:
        st.query_params, st.session_state = {"pack": "Classic"}, MagicMock()
        restore(json.dumps(VALID), PACKS)
    chosen = dict(call.args for call in st.session_state.__setitem__.call_args_list)
    assert "pack" not in chosen
    assert chosen["style"] == "box"


@pytest.mark.slow
def test_restored_choices_are_used_by_the_page(streamer: MagicMock) -> None:
    page: AppTest = open_app().run()
    for key, value in read_choices(json.dumps(VALID), PACKS).items():
        page.session_state[key] = value
    page.run()
    assert not page.exception
    assert not page.warning
    live = page.session_state["live_session"].processor._settings
    assert (live.mirror, live.smoothing.threshold, live.detection.min_neighbors) == (False, 0.6, 7)
    assert page.selectbox(key="pack").value == "person"


def test_browser_is_asked_again_after_a_lost_answer() -> None:
    page = open_app()
    page.session_state.choices_restored = False
    questions = [page.run().get("bidi_component")[0].proto for _ in range(2)]
    assert questions[0].id == questions[1].id
    assert questions[0].json != questions[1].json  # the browser answers when the data of the component change
