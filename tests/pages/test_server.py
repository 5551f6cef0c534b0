"""Which of the requests of a browser count, while it goes from one page to another."""

from __future__ import annotations

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from pages.parts.server import LEAVING_S, Way

LIVE, MAKER, PACKS = "live", "maker", "packs"


def click(page: str) -> ClientState:
    return ClientState(page_script_hash=page)


def word(page: str, fragment: str = "") -> ClientState:
    states = WidgetStates(widgets=[WidgetState(id="video", json_value="{}")])
    return ClientState(page_script_hash=page, widget_states=states, fragment_id=fragment)


@pytest.fixture(params=["", LIVE])
def way(request: pytest.FixtureRequest) -> Way:
    """On the live page, opened with or without its name."""
    way = Way()
    assert not way.is_from_behind(click(request.param), 0)
    assert not way.is_from_behind(word(LIVE), 0.1)
    return way


def test_what_the_old_page_says_after_the_click_does_not_count(way: Way) -> None:
    assert not way.is_from_behind(click(MAKER), 10)
    assert way.is_from_behind(word(LIVE), 10.1)
    assert way.is_from_behind(word(LIVE, fragment="watch"), 10.2)
    assert not way.is_from_behind(word(MAKER), 10.3)


def test_clicks_always_count(way: Way) -> None:
    for page in (MAKER, PACKS, LIVE, LIVE, MAKER):
        assert not way.is_from_behind(click(page), 10)
    assert way.is_from_behind(word(LIVE), 10.1)


def test_who_was_sent_on_by_a_page_is_heard_there_at_once(way: Way) -> None:
    """By ``st.switch_page`` the server changes the page, so that no click comes first."""
    assert not way.is_from_behind(click(MAKER), 10)
    assert not way.is_from_behind(word(MAKER), 10.1)  # the button that does it
    assert not way.is_from_behind(word(LIVE), 10.2)


def test_a_fragment_that_runs_by_the_clock_is_no_click(way: Way) -> None:
    assert not way.is_from_behind(ClientState(page_script_hash=LIVE, fragment_id="watch"), 10)
    assert not way.is_from_behind(word(PACKS), 10.1)


def test_after_a_while_everything_counts_again(way: Way) -> None:
    assert not way.is_from_behind(click(MAKER), 10)
    assert not way.is_from_behind(word(LIVE), 10 + LEAVING_S)
