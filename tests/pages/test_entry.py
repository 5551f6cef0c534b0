"""The message while a page is imported for the first time."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.helpers.page_driver import shown_text


def first_visit() -> None:
    from pages.parts import entry

    entry._entered.discard("live.py")
    entry.show_loading("pages/live.py")


def page_that_runs() -> None:
    from pages.parts import entry

    entry._entered.discard("live.py")
    entry.show_loading("pages/live.py")
    entry.enter_page("pages/live.py")


def later_visit() -> None:
    from pages.parts import entry

    entry._entered.add("live.py")
    entry.show_loading("pages/live.py")


def test_first_visit_says_that_the_page_is_loading() -> None:
    assert "Loading" in shown_text(AppTest.from_function(first_visit).run())


def test_page_keeps_its_place_in_later_runs() -> None:
    """Otherwise Streamlit builds the page's elements anew, and live video that just started ends."""
    first, later = (AppTest.from_function(visit).run() for visit in (first_visit, later_visit))
    assert len(first.main.children) == len(later.main.children) == 1


def test_message_goes_when_the_page_runs_and_does_not_come_again() -> None:
    assert "Loading" not in shown_text(AppTest.from_function(page_that_runs).run())
    assert "Loading" not in shown_text(AppTest.from_function(later_visit).run())
