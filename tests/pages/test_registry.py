"""The list of pages: each has a file, and visitors of a public copy get those that are for them."""

from __future__ import annotations

import ast

import pytest

from emojify.settings import ROOT, Settings
from pages.parts.registry import ADMIN_PAGE, PAGES, PageEntry, is_for_visitors, menu


def test_every_page_file_is_listed() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py")}
    assert {page.file for page in (*PAGES, ADMIN_PAGE)} == files


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_is_for_visitors_takes_any_path(page: PageEntry) -> None:
    assert is_for_visitors(page.file) is is_for_visitors(str(ROOT / page.file)) is page.for_visitors


def test_unlisted_page_is_not_for_visitors() -> None:
    assert not is_for_visitors("pages/new.py")


def test_menu_lists_admin_page_in_public_copies_only() -> None:
    public = Settings(public=True, admins=frozenset({"anna@example.org"}))
    assert [page.title for page in menu(Settings(), visitor=False, signed_in=True)] == [page.title for page in PAGES]
    assert menu(public, visitor=True, signed_in=False)[-1].hidden
    assert not menu(public, visitor=True, signed_in=True)[-1].hidden


@pytest.mark.parametrize("page", [*PAGES, ADMIN_PAGE], ids=lambda page: page.title)
def test_every_page_calls_enter_page_first(page: PageEntry) -> None:
    statements = ast.parse((ROOT / page.file).read_text(encoding="utf-8")).body
    first = next(
        node
        for node in statements
        if not isinstance(node, ast.Import | ast.ImportFrom) and not ast.unparse(node).startswith(("'", '"'))
    )
    assert ast.unparse(first) == "enter_page(__file__)"
