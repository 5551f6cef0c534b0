"""Rerun requests of a page that the browser is leaving, as Streamlit receives them."""

from __future__ import annotations

from unittest.mock import MagicMock, patch

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.app_session import AppSession

from pages.parts import stale_reruns
from pages.parts.stale_reruns import PAGE_CHANGE_S, _Navigation

LIVE, AVATAR, PACKS = "live", "avatar", "packs"


def page_click(page: str) -> ClientState:
    """Return the request of a click on ``page`` in the menu."""
    return ClientState(page_script_hash=page)


def widget_change(page: str, fragment: str = "") -> ClientState:
    """Return the request of a widget or component of ``page``."""
    states = WidgetStates(widgets=[WidgetState(id="video", json_value="{}")])
    return ClientState(page_script_hash=page, widget_states=states, fragment_id=fragment)


@pytest.fixture(params=["", LIVE])
def navigation(request: pytest.FixtureRequest) -> _Navigation:
    """The live page, opened with or without its name in the address."""
    navigation = _Navigation()
    assert not navigation.is_stale_rerun(page_click(request.param), 0)
    assert not navigation.is_stale_rerun(widget_change(LIVE), 0.1)
    return navigation


def test_rerun_of_old_page_is_stale(navigation: _Navigation) -> None:
    assert not navigation.is_stale_rerun(page_click(AVATAR), 10)
    assert navigation.is_stale_rerun(widget_change(LIVE), 10.1)
    assert navigation.is_stale_rerun(widget_change(LIVE, fragment="watch"), 10.2)
    assert not navigation.is_stale_rerun(widget_change(AVATAR), 10.3)


def test_page_click_is_never_stale(navigation: _Navigation) -> None:
    for page in (AVATAR, PACKS, LIVE, LIVE, AVATAR):
        assert not navigation.is_stale_rerun(page_click(page), 10)
    assert navigation.is_stale_rerun(widget_change(LIVE), 10.1)


def test_switch_page_target_is_not_stale(navigation: _Navigation) -> None:
    """``st.switch_page`` changes the page on the server, so no click comes first."""
    assert not navigation.is_stale_rerun(page_click(AVATAR), 10)
    assert not navigation.is_stale_rerun(widget_change(AVATAR), 10.1)  # the button that calls switch_page
    assert not navigation.is_stale_rerun(widget_change(LIVE), 10.2)


def test_timer_fragment_starts_no_page_change(navigation: _Navigation) -> None:
    assert not navigation.is_stale_rerun(ClientState(page_script_hash=LIVE, fragment_id="watch"), 10)
    assert not navigation.is_stale_rerun(widget_change(PACKS), 10.1)


def test_rerun_is_not_stale_after_timeout(navigation: _Navigation) -> None:
    assert not navigation.is_stale_rerun(page_click(AVATAR), 10)
    assert not navigation.is_stale_rerun(widget_change(LIVE), 10 + PAGE_CHANGE_S)


def test_only_stale_requests_are_dropped() -> None:
    session = MagicMock(spec=AppSession)
    with patch.object(stale_reruns, "_original_request_rerun") as request_rerun:
        for request in (page_click(LIVE), widget_change(LIVE), page_click(AVATAR), widget_change(LIVE), None):
            stale_reruns._request_rerun_unless_stale(session, request)
    asked = [call.args[1] for call in request_rerun.call_args_list]
    assert asked == [page_click(LIVE), widget_change(LIVE), page_click(AVATAR), None]
