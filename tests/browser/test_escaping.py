"""What Streamlit makes of escaped texts. Its Markdown has extensions that only the browser's code knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.helpers.browser import TIMEOUT_MS, run_app

TEXTS = [
    "![x](http://127.0.0.1:9/a)", "&#33;&#91;x&#93;(http://127.0.0.1:9/b)", "&lbrack;x&rpar; &amp; &lt;b&gt;",
    "http://evil.example/x", "www.evil.example/x", "HTTP://EVIL.example", "ftp://evil.example", "me@evil.example",
    "<http://evil.example>", "mailto:a@b.cd", "xmpp:a@b.cd/x", "[x]: http://evil.example", "[x](http://evil.example)",
    ":material/warning:", ":red[hot]", ":blue-background[x]", ":badge[x]", ":small[x]", ":shortcut[Ctrl+K]",
    ":streamlit:", ":smile:", ":+1:", ":rainbow[x]", ":red-badge[x]", "::note[x]", ":::note\nx\n:::",
    "$x^2$", "$$x$$", r"\(x\)", r"\[x\]", "-> <- -- <-> >= <= ~= --", "a -- b", "# head", "- item", "1. item",
    "    code", "\tcode", "> quote", "| a | b |\n|---|---|\n| c | d |", "one\ntwo\n\nthree", "a\n===", "***", "`code`",
    "~~x~~", "~x~", "[^1]", "<img src=http://127.0.0.1:9/c>", "<b>x</b>", "x\\", "\\![x](y)", "- [x] task",
    "![](//127.0.0.1:9/d)", "cat~1.png", "a_b_c.png", "x*y", "a & b", "Ünï 日本 👩\u200d🚀",
]  # fmt: skip
PAGE = """
import json, sys
sys.path.insert(0, {root!r})
import streamlit as st
from pages.parts.messages import escape_markdown
for number, text in enumerate(json.loads({texts!r})):
    with st.container(key=f"text{{number}}"):
        st.{call}
st.caption("All shown")
"""
FORMATTED = ":is(a, img, code, pre, .katex, strong, em, del, li, table, blockquote, sup, kbd, input, span[style])"


@pytest.mark.parametrize("call", ["markdown('Name: ' + escape_markdown(text))", "error(escape_markdown(text))"])
def test_escaped_text_is_shown_as_it_is(call: str, browser: Browser, tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[2])
    page_file = tmp_path / "streamlit_app.py"
    page_file.write_text(PAGE.format(root=root, texts=json.dumps(TEXTS), call=call), encoding="utf-8")
    with run_app(tmp_path, EMOJIFY_PUBLIC="0") as url:
        page = browser.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(url)
        expect(page.get_by_text("All shown")).to_be_visible(timeout=TIMEOUT_MS)
        page.wait_for_timeout(1000)
        for number, text in enumerate(TEXTS):
            place = page.locator(f".st-key-text{number}")
            shown = "".join((place.text_content() or "").replace("\u2060", "").split())
            assert shown.removeprefix("Name:") == "".join(text.split())
            assert place.locator("[data-testid=stMarkdownContainer]").locator(FORMATTED).count() == 0, text
        assert not [request for request in requests if "127.0.0.1:9" in request or "evil" in request]
        page.close()
