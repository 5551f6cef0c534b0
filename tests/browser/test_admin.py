"""Signing in on a public copy, with an OpenID provider on this machine and Chromium."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from skimage import data
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from emojify.packs.importer import read_zip
from emojify.packs.store import add_pack
from emojify.pictures import encode_png
from emojify.settings import ROOT
from tests.helpers.browser import PRIORITY_HOOK, RENDER_TIMEOUT_MS, TIMEOUT_MS, expect_pages, run_app
from tests.helpers.openid_provider import CLIENT, CLIENT_SECRET, Provider, run_provider
from tests.helpers.pack_files import pack_zip
from tests.helpers.page_driver import ALL_PAGES, VISITOR_PAGES

COOKIE_SECRET = "a long and random text of this test"
SECRETS = """
[auth]
redirect_uri = "http://localhost:{{port}}/oauth2callback"
cookie_secret = "{cookie}"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with run_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in packs and an added one, which can be deleted."""
    workspace = tmp_path_factory.mktemp("workspace")
    for pack in ("classic", "person"):
        shutil.copytree(ROOT / "emojis" / pack, workspace / "emojis" / pack)
    add_pack(workspace / "emojis", read_zip(pack_zip(), "cats.zip"))
    return workspace


@pytest.fixture(scope="module")
def public_url(workspace: Path, provider: Provider) -> Iterator[str]:
    secrets = workspace / "home" / ".streamlit" / "secrets.toml"  # Streamlit reads them from the home folder too
    secrets.parent.mkdir(parents=True)
    secrets.write_text(SECRETS.format(cookie=COOKIE_SECRET, client=CLIENT, secret=CLIENT_SECRET, provider=provider.url))
    folders = {f"EMOJIFY_{name}": str(workspace / name.lower()) for name in ("EMOJIS", "DATA", "RUNS")}
    environment = {"EMOJIFY_PUBLIC": "1", "EMOJIFY_ADMINS": "anna@example.org", "PYTHONPATH": PRIORITY_HOOK}
    with run_app(HOME=str(workspace / "home"), **environment, **folders) as url:
        yield url


def sign_in(page: Page, url: str, who: str) -> None:
    page.goto(f"{url}/admin")
    page.get_by_role("button", name="Sign in").click(timeout=TIMEOUT_MS)
    page.get_by_role("link", name=who, exact=True).click(timeout=TIMEOUT_MS)
    expect(page.get_by_role("heading", name="Emojify")).to_be_visible(timeout=TIMEOUT_MS)


def test_admin_changes_packs_between_sign_in_and_sign_out(
    browser: Browser, public_url: str, provider: Provider, workspace: Path
) -> None:
    visitors = browser.new_context()
    visitor = visitors.new_page()
    visitor.goto(public_url)
    expect_pages(visitor, *VISITOR_PAGES)
    assert provider.requested_paths == [], "the provider was asked although nobody signed in"

    context = browser.new_context()
    page = context.new_page()
    sign_in(page, public_url, "anna@example.org")
    expect_pages(page, *ALL_PAGES, "Admin")
    page.get_by_role("link", name="Emoji packs").click()
    page.get_by_role("button", name="Change").click(timeout=TIMEOUT_MS)
    page.get_by_text("Delete this pack").click(timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Yes, delete it for good").click(timeout=TIMEOUT_MS)
    expect(page.get_by_text("cats is deleted.")).to_be_visible(timeout=TIMEOUT_MS)
    assert sorted(path.name for path in (workspace / "emojis").iterdir() if path.is_dir()) == ["classic", "person"]

    page.get_by_role("link", name="Videos").click()  # a process of its own renders the video: it may write as well
    expect(page.get_by_role("heading", name="Videos")).to_be_visible(timeout=TIMEOUT_MS)
    (workspace / "me.png").write_bytes(encode_png(np.ascontiguousarray(data.astronaut()[..., ::-1])))
    page.locator('input[type="file"]').set_input_files(workspace / "me.png", timeout=TIMEOUT_MS)
    page.get_by_role("button", name="Emojify it").click(timeout=TIMEOUT_MS)
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_visible(timeout=RENDER_TIMEOUT_MS)

    visitor.reload()  # another browser has no more rights than before
    expect_pages(visitor, *VISITOR_PAGES)

    page.get_by_role("link", name="Admin").click()
    page.get_by_role("button", name="Sign out").click(timeout=TIMEOUT_MS)
    expect_pages(page, *VISITOR_PAGES)
    page.goto(f"{public_url}/training")
    expect(page.get_by_text("Page not found")).to_be_visible(timeout=TIMEOUT_MS)
    expect_pages(page, *VISITOR_PAGES)
    visitors.close()
    context.close()


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("ben@example.org", "is not an admin of this copy"),
        ("anna@example.org, not verified", "is verified. Verify the address there"),
    ],
)
def test_other_accounts_stay_visitors(browser: Browser, public_url: str, who: str, sentence: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, public_url, who)
    expect_pages(page, *VISITOR_PAGES, "Admin")
    page.get_by_role("link", name="Admin").click(timeout=TIMEOUT_MS)
    expect(page.get_by_text(sentence)).to_be_visible(timeout=TIMEOUT_MS)
    context.close()


@pytest.mark.parametrize(
    ("secret", "pages"),
    [(COOKIE_SECRET, (*ALL_PAGES, "Admin")), ("another secret", VISITOR_PAGES)],
    ids=["signed by the app", "signed by another app"],
)
def test_cookie_needs_the_apps_signature(
    browser: Browser, public_url: str, secret: str, pages: tuple[str, ...]
) -> None:
    claims = {"origin": public_url, "is_logged_in": True, "email": "anna@example.org", "email_verified": True}
    value = create_signed_value(secret, "_streamlit_user", json.dumps({**claims, "iat": 9e9}))
    context = browser.new_context()
    context.add_cookies([{"name": "_streamlit_user", "value": value.decode(), "url": public_url}])
    page = context.new_page()
    page.goto(public_url)
    expect_pages(page, *pages)
    context.close()
