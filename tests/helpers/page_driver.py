"""What a person does on a page, and sees there."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def labels(page: AppTest) -> list[str]:
    """Of all its buttons."""
    return [button.label for button in page.button]


def press(page: AppTest, label: str) -> AppTest:
    """The one button with that label; the page then runs anew."""
    (button,) = [button for button in page.button if button.label == label]
    return button.click().run()


def unescaped(text: str) -> str:
    """Return the text that Markdown shows for an escaped one."""
    return text.replace("\\", "")
