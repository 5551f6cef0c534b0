"""The pages of a public copy: read-only, with a visitor's own pack kept in the session."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import MagicMock, patch

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emojify.files import fingerprint
from emojify.live.session_limiter import SessionLimiter
from emojify.packs.pack import VISITOR_PACK_ID
from emojify.public import ADMIN_ONLY_MESSAGE
from tests.helpers.page_driver import VISITOR_PAGES, labels, open_app, press, shown_text, unescaped, upload_pack

pytestmark = [pytest.mark.usefixtures("streamer"), pytest.mark.slow]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MODELS", "EMOJIS", "DATA", "RUNS"):
        monkeypatch.setenv(f"EMOJIFY_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("EMOJIFY_PUBLIC", "1")
    st.cache_resource.clear()
    return tmp_path


def open_live_page(page: AppTest) -> AppTest:
    return page.switch_page("pages/live.py").run()


def test_visitor_pack_stays_in_its_session(workspace: Path) -> None:
    before = fingerprint(workspace)
    anna, ben = open_app(), open_app()
    upload_pack(anna)
    assert not anna.exception
    assert "cats is ready" in shown_text(anna)
    assert "gone once you close or reload it" in shown_text(anna)
    assert open_live_page(anna).selectbox(key="pack").options == ["Classic", "Squares", "cats"]
    anna.selectbox(key="pack").set_value(VISITOR_PACK_ID).run()
    assert not anna.exception
    assert anna.session_state["live_session"].processor._settings.annotator is not None
    assert open_live_page(ben).selectbox(key="pack").options == ["Classic", "Squares"]
    assert fingerprint(workspace) == before


def test_second_visitor_pack_replaces_the_first(workspace: Path) -> None:
    page = open_app()
    upload_pack(upload_pack(page))
    assert open_live_page(page).selectbox(key="pack").options == ["Classic", "Squares", "cats"]


def test_visitor_avatar_stays_in_its_session(workspace: Path) -> None:
    before = fingerprint(workspace)
    page = open_app()
    page.switch_page("pages/avatar_maker.py").run()
    next(field for field in page.text_input if field.label == "Name").set_value("Me")
    press(page, "Save as a pack")
    assert not page.exception
    assert open_live_page(page).selectbox(key="pack").options == ["Classic", "Squares", "Me"]
    assert fingerprint(workspace) == before


def test_visitor_cannot_change_packs(workspace: Path) -> None:
    page = open_app().switch_page("pages/emoji_packs.py").run()
    assert not page.exception
    assert "Squares" in shown_text(page)
    assert not {"Save", "Yes, delete it for good"} & set(labels(page))


def test_menu_lists_visitor_pages_only() -> None:
    with patch("streamlit.navigation") as navigation:
        open_app().run()
    (pages,) = navigation.call_args.args
    assert [page.title for page in pages] == VISITOR_PAGES


@pytest.mark.parametrize("name", ["teach", "videos", "training"])
def test_closed_page_refuses_its_address(workspace: Path, name: str) -> None:
    before = fingerprint(workspace)
    page = open_app().switch_page(f"pages/{name}.py").run()
    assert not page.exception
    assert [info.value for info in page.info] == [ADMIN_ONLY_MESSAGE]
    assert not page.title
    assert not page.button
    assert fingerprint(workspace) == before


def test_invalid_setting_stops_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOJIFY_PUBLIC", "yes")
    page = open_app().run()
    assert [unescaped(error.value) for error in page.error] == ["EMOJIFY_PUBLIC must be 1 or 0, not 'yes'."]
    assert not page.title


def test_full_copy_offers_the_next_free_place(streamer: MagicMock) -> None:
    limiter, other = SessionLimiter(1), SessionLimiter(None)  # any object can hold a slot
    limiter.acquire(other)
    with patch("emojify.live.processor.shared_session_limiter", return_value=limiter):
        page = open_app().run()
        assert not page.exception
        assert "Every place for live video is taken" in shown_text(page)
        assert "Press Start" not in shown_text(page)
        streamer.assert_not_called()
        limiter.release(other)
        press(page, "Try again")
        assert "is taken" not in shown_text(page)
        streamer.assert_called_once()
