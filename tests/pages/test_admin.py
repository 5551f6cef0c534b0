"""Signing in on a public copy: what each user sees, and that sessions do not share rights."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest

from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.packs.store import list_packs
from emojify.public import ADMIN_ONLY_MESSAGE, MAX_SIGN_IN_AGE_S, admin_only, set_claims_provider
from emojify.settings import ROOT
from pages.parts.auth import session_claims
from tests.helpers.page_driver import ALL_PAGES, VISITOR_PAGES, labels, open_app, press, shown_text, upload_pack

pytestmark = [pytest.mark.usefixtures("streamer"), pytest.mark.slow]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MODELS", "EMOJIS", "DATA", "RUNS"):
        monkeypatch.setenv(f"EMOJIFY_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("EMOJIFY_PUBLIC", "1")
    monkeypatch.setenv("EMOJIFY_ADMINS", "anna@example.org")
    st.cache_resource.clear()
    return tmp_path


def user(email: str = "anna@example.org", **changes: object) -> dict[str, Any]:
    return {"is_logged_in": True, "email": email, "email_verified": True, "iat": int(time.time()), **changes}


def open_app_as(claims: dict[str, Any] | None) -> AppTest:
    page = open_app()
    page.user = claims or {}
    return page


def menu_for(claims: dict[str, Any] | None) -> tuple[list[str], list[str]]:
    """Return the titles in the menu, and those of pages that have an address only."""
    with patch("streamlit.navigation") as navigation:
        open_app_as(claims).run()
    (pages,) = navigation.call_args.args
    shown = [page.title for page in pages if page.visibility == "visible"]
    return shown, [page.title for page in pages if page.visibility == "hidden"]


def admin_page(claims: dict[str, Any] | None) -> AppTest:
    page = open_app_as(claims).run()
    page.switch_page("pages/admin.py").run()
    assert not page.exception
    return page


@pytest.mark.parametrize(
    ("claims", "shown", "hidden"),
    [
        (None, VISITOR_PAGES, ["Admin"]),
        ({"is_logged_in": False}, VISITOR_PAGES, ["Admin"]),
        (user("ben@example.org"), [*VISITOR_PAGES, "Admin"], []),
        (user(email_verified=False), [*VISITOR_PAGES, "Admin"], []),
        (user(), [*ALL_PAGES, "Admin"], []),
    ],
    ids=["nobody", "signed out", "not an admin", "unverified", "admin"],
)
def test_menu_depends_on_user(claims: dict[str, Any] | None, shown: list[str], hidden: list[str]) -> None:
    assert menu_for(claims) == (shown, hidden)


def test_private_copy_has_no_admin_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOJIFY_PUBLIC")
    assert menu_for(user()) == (ALL_PAGES, [])
    assert menu_for(None) == (ALL_PAGES, [])


def test_copy_without_admins_has_no_admin_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOJIFY_ADMINS")
    assert menu_for(user()) == (VISITOR_PAGES, [])


def test_signed_out_page_shows_sign_in() -> None:
    with patch("pages.parts.auth.can_sign_in", return_value=True), patch("streamlit.login") as login:
        page = admin_page(None)
        assert labels(page) == ["Sign in"]
        press(page, "Sign in")
    login.assert_called_once_with()


def test_missing_provider_shows_no_button() -> None:
    page = admin_page(None)
    assert "there is no [auth] in .streamlit/secrets.toml" in shown_text(page)
    assert not page.button


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        (user("ben@example.org"), "ben@example.org is not an admin of this copy."),
        (user("[x](http://evil) ` b"), "[x](http://evil) ` b is not an admin"),
        (user(email_verified=False), "does not say that anna@example.org is verified"),
        (user(iat=int(time.time()) - MAX_SIGN_IN_AGE_S - 5), "You signed in more than 12 hours ago"),
    ],
    ids=["not an admin", "with markup", "unverified", "long ago"],
)
def test_rejected_user_sees_reason_and_sign_out(claims: dict[str, Any], sentence: str) -> None:
    page = admin_page(claims)
    assert sentence in shown_text(page)
    assert labels(page) == ["Sign out"]
    page.switch_page("pages/training.py").run()
    assert [info.value for info in page.info] == [ADMIN_ONLY_MESSAGE]


def test_admin_can_change_packs_and_visitor_cannot(workspace: Path) -> None:
    admin, visitor = open_app_as(user()), open_app_as(None)
    upload_pack(visitor)
    assert set(list_packs(workspace / "emojis").labels) == {"classic", "squares"}
    upload_pack(admin)
    assert not admin.exception
    assert set(list_packs(workspace / "emojis").labels) == {"classic", "squares", "cats"}
    before = fingerprint(workspace / "emojis")
    visitor.switch_page("pages/emoji_packs.py").run()
    assert not {box.label for box in visitor.checkbox} & {"Delete this pack"}
    admin.checkbox(key="delete-cats").check().run()
    assert fingerprint(workspace / "emojis") == before
    press(admin, "Yes, delete it for good")
    assert fingerprint(workspace / "emojis") != before
    for name in ("teach", "videos", "training"):
        admin.switch_page(f"pages/{name}.py").run()
        assert not admin.exception
        assert ADMIN_ONLY_MESSAGE not in shown_text(admin)


def test_signing_out_ends_rights_on_open_page(workspace: Path) -> None:
    """The page still shows the button; its operation is refused."""
    page = upload_pack(open_app_as(user()))
    page.checkbox(key="delete-cats").check().run()
    before = fingerprint(workspace / "emojis")
    page.user = {"is_logged_in": False}
    press(page, "Yes, delete it for good")
    assert ADMIN_ONLY_MESSAGE in shown_text(page)
    assert fingerprint(workspace / "emojis") == before


# ---- admin_only in concurrent sessions, each in a thread of its own as Streamlit runs them ----


@admin_only
def operation() -> str:
    return "done"


def is_allowed() -> bool:
    try:
        return operation() == "done"
    except EmojifyError:
        return False


def session_of(claims: dict[str, Any]) -> ScriptRunContext:
    unused: Any = MagicMock()
    return ScriptRunContext("session", unused, "", unused, unused, "", claims, unused, unused)


def in_thread(work: Callable[[], None], session: ScriptRunContext | None) -> threading.Thread:
    thread = threading.Thread(target=work)
    if session is not None:
        add_script_run_ctx(thread, session)
    thread.start()
    return thread


def test_concurrent_sessions_have_separate_rights() -> None:
    set_claims_provider(session_claims)
    sessions = {
        "admin": session_of(user()),
        "ben": session_of(user("ben@example.org")),
        "nobody": session_of({}),
        "no session": None,
    }
    barrier = threading.Barrier(2 * len(sessions))
    outcomes: dict[str, set[bool]] = {name: set() for name in sessions}

    def work(name: str) -> None:
        barrier.wait()
        for _ in range(300):
            outcomes[name].add(is_allowed())

    threads = [in_thread(lambda name=name: work(name), session) for name, session in sessions.items() for _ in range(2)]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert outcomes == {"admin": {True}, "ben": {False}, "nobody": {False}, "no session": {False}}


def test_thread_of_admin_page_has_no_rights() -> None:
    set_claims_provider(session_claims)
    outcomes: list[bool] = []

    def page() -> None:
        outcomes.append(is_allowed())
        inner = threading.Thread(target=lambda: outcomes.append(is_allowed()))
        inner.start()
        inner.join()

    in_thread(page, session_of(user())).join()
    assert outcomes == [True, False]


def test_signing_out_applies_to_running_thread() -> None:
    set_claims_provider(session_claims)
    session = session_of(user())
    outcomes: list[bool] = []

    def page() -> None:
        outcomes.append(is_allowed())
        session.user_info.clear()  # what st.logout() does
        outcomes.append(is_allowed())

    in_thread(page, session).join()
    assert outcomes == [True, False]


RUN_ADMIN_PAGE = """
import sys
import streamlit.web.server.starlette.starlette_app
from streamlit.testing.v1 import AppTest
from unittest.mock import patch
with patch("streamlit_webrtc.component.get_this_session_info", return_value=None):
    app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
    app.switch_page("pages/admin.py").run()
assert not app.exception, app.exception
print(sorted({name.split(".")[0] for name in sys.modules} & {"authlib", "joserfc", "httpx"}))
"""


def test_sign_in_libraries_load_only_with_provider(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN_ADMIN_PAGE], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
