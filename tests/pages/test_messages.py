"""How pages report the results of actions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.messages import escape_markdown


def page_of_two_buttons(persistent: bool) -> None:
    import streamlit as st

    from emojify.errors import EmojifyError
    from pages.parts.messages import run_action, show_result

    def fail(name: str) -> str:
        raise EmojifyError(f"{name} is damaged.")

    st.button("Save", on_click=run_action, args=[lambda: "*Cats* is saved."])
    st.button("Open", on_click=run_action, args=[fail, "*Cats*"])
    st.button("Nothing", on_click=run_action, args=[lambda: None])
    show_result(persistent=persistent)


Click = Callable[[str], AppTest]


def clicker(persistent: bool) -> Click:
    page = AppTest.from_function(page_of_two_buttons, args=(persistent,)).run()

    def click(label: str) -> AppTest:
        return next(button for button in page.button if button.label == label).click().run()

    return click


def messages(page: AppTest) -> tuple[list[str], list[str], list[str]]:
    return (
        [toast.value for toast in page.toast],
        [success.value for success in page.success],
        [error.value for error in page.error],
    )


def test_result_is_shown_once_and_escaped() -> None:
    click = clicker(persistent=False)
    assert messages(click("Save")) == ([r"\*Cats\* is saved\."], [], [])
    assert messages(click("Open")) == ([], [], [r"\*Cats\* is damaged\."])
    assert messages(click("Nothing")) == ([], [], [])


def test_persistent_result_stays_until_next_action() -> None:
    click = clicker(persistent=True)
    saved = r"\*Cats\* is saved\."
    page = click("Save")
    assert messages(page) == ([saved], [saved], [])  # a toast as well, because the box may be out of view
    assert messages(page.run()) == ([], [saved], [])
    page = click("Open")
    assert messages(page) == messages(page.run()) == ([], [], [r"\*Cats\* is damaged\."])
    assert messages(click("Nothing")) == ([], [], [])


@pytest.mark.parametrize("text", ["plain words", "Ünïcode 12 – ok", ""])
def test_escape_markdown_keeps_plain_text(text: str) -> None:
    assert escape_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("![a](b.png) **c**", r"\!\[a\]\(b\.png\) \*\*c\*\*"),
        ("&#33; &lt;b&gt; <b> $x$", r"\&\#33\; \&lt\;b\&gt\; \<b\> \$x\$"),
        ("http://a www.a a@b.cd", "http\\:\u2060\\/\\/a www\u2060\\.a a\\@\u2060b\\.cd"),
        (":streamlit: :red[a]", "\\:\u2060streamlit\\: \\:\u2060red\\[a\\]"),
        ("a -> b -- c", "a \\-\u2060\\> b \\-\u2060\\- c"),
        ("    code\n\tcode", "code\ncode"),
        ("\u202egnp.exe\0", r"\\u202egnp\.exe\\u0000"),
        ("\udcff", r"\\udcff"),
    ],
)
def test_escape_markdown_shows_text_as_it_is(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped
