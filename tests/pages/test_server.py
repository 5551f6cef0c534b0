"""Which of the requests of a browser count, while it goes from one page to another."""

from __future__ import annotations

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from pages.parts.server import PAGE_CHANGE_S, _Navigation

LIVE, MAKER, PACKS = "live", "maker", "packs"


def click(page: str) -> ClientState:
    return ClientState(page_script_hash=page)


def word(page: str, fragment: str = "") -> ClientState:
    states = WidgetStates(widgets=[WidgetState(id="video", json_value="{}")])
    return ClientState(page_script_hash=page, widget_states=states, fragment_id=fragment)


@pytest.fixture(params=["", LIVE])
def navigation(request: pytest.FixtureRequest) -> _Navigation:
    """On the live page, opened with or without its name."""
    navigation = _Navigation()
    assert not navigation.is_stale_rerun(click(request.param), 0)
    assert not navigation.is_stale_rerun(word(LIVE), 0.1)
    return navigation


def test_what_the_old_page_says_after_the_click_does_not_count(navigation: _Navigation) -> None:
    assert not navigation.is_stale_rerun(click(MAKER), 10)
    assert navigation.is_stale_rerun(word(LIVE), 10.1)
    assert navigation.is_stale_rerun(word(LIVE, fragment="watch"), 10.2)
    assert not navigation.is_stale_rerun(word(MAKER), 10.3)


def test_clicks_always_count(navigation: _Navigation) -> None:
    for page in (MAKER, PACKS, LIVE, LIVE, MAKER):
        assert not navigation.is_stale_rerun(click(page), 10)
    assert navigation.is_stale_rerun(word(LIVE), 10.1)


def test_who_was_sent_on_by_a_page_is_heard_there_at_once(navigation: _Navigation) -> None:
    """By ``st.switch_page`` the server changes the page, so that no click comes first."""
    assert not navigation.is_stale_rerun(click(MAKER), 10)
    assert not navigation.is_stale_rerun(word(MAKER), 10.1)  # the button that does it
    assert not navigation.is_stale_rerun(word(LIVE), 10.2)


def test_a_fragment_that_runs_by_the_clock_is_no_click(navigation: _Navigation) -> None:
    assert not navigation.is_stale_rerun(ClientState(page_script_hash=LIVE, fragment_id="watch"), 10)
    assert not navigation.is_stale_rerun(word(PACKS), 10.1)


def test_after_a_while_everything_counts_again(navigation: _Navigation) -> None:
    assert not navigation.is_stale_rerun(click(MAKER), 10)
    assert not navigation.is_stale_rerun(word(LIVE), 10 + PAGE_CHANGE_S)
