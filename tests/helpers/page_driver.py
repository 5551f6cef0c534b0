"""Read and operate a page under Streamlit's AppTest."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from emojify.settings import ROOT
from tests.helpers.pack_files import pack_zip

ALL_PAGES = ["Live", "Teach it your face", "Videos", "Emoji packs", "Make an avatar", "Training"]
VISITOR_PAGES = ["Live", "Emoji packs", "Make an avatar"]
"""Titles of the menu, for everybody and for visitors of a public copy."""

TEXT_KINDS = (
    "title", "subheader", "markdown", "caption", "info", "warning", "error", "success", "toast", "code", "progress",
    "html",
)  # fmt: skip


def open_app() -> AppTest:
    """Return a session of the whole app that has not run yet, in a browser that remembers no choices."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    app.session_state.choices_restored = True
    return app


def labels(page: AppTest) -> list[str]:
    """Return the labels of all buttons."""
    return [button.label for button in page.button]


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label and run the page."""
    (button,) = [button for button in page.button if button.label == label]
    return button.click().run()


def shown_text(page: AppTest) -> str:
    """Return the text of all elements, a line each, without Markdown's backslashes."""
    texts = [
        str(getattr(element.proto, "text", "") or getattr(element, "value", "") or getattr(element.proto, "body", ""))
        for kind in TEXT_KINDS
        for element in page.get(kind)
    ]
    return unescaped("\n".join(texts))


def unescaped(text: str) -> str:
    """Return the text that Markdown shows for an escaped one."""
    return text.replace("\u2060", "").replace("\\", "")


def upload_pack(page: AppTest) -> AppTest:
    """Add the pack ``cats`` on the page of emoji packs."""
    page.switch_page("pages/emoji_packs.py").run()
    page.file_uploader[0].set_value([("cats.zip", pack_zip(), "")]).run()
    return press(page, "Add this pack")
