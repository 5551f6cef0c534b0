"""Signing in on a public copy: who sees what, and that the rights of one session are never another one's."""

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
from tests.helpers.page_driver import labels, open_app, press, shown_text, upload_pack

VISITORS_PAGES = ["Live", "Emoji packs", "Make an avatar"]
ALL_PAGES = ["Live", "Teach it your face", "Videos", "Emoji packs", "Make an avatar", "Training"]


pytestmark = pytest.mark.usefixtures("streamer")


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


def opened_by(who: dict[str, Any] | None) -> AppTest:
    page = open_app()
    page.user = who or {}
    return page


def pages_for(who: dict[str, Any] | None) -> tuple[list[str], list[str]]:
    """What the navigation shows, and what can be reached by its address alone."""
    with patch("streamlit.navigation") as navigation:
        opened_by(who).run()
    (pages,) = navigation.call_args.args
    shown = [page.title for page in pages if page.visibility == "visible"]
    return shown, [page.title for page in pages if page.visibility == "hidden"]


def admin_page(who: dict[str, Any] | None) -> AppTest:
    page = opened_by(who).run()
    page.switch_page("pages/admin.py").run()
    assert not page.exception
    return page


@pytest.mark.parametrize(
    ("who", "shown", "hidden"),
    [
        (None, VISITORS_PAGES, ["Admin"]),
        ({"is_logged_in": False}, VISITORS_PAGES, ["Admin"]),
        (user("ben@example.org"), [*VISITORS_PAGES, "Admin"], []),
        (user(email_verified=False), [*VISITORS_PAGES, "Admin"], []),
        (user(), [*ALL_PAGES, "Admin"], []),
    ],
    ids=["nobody", "signed out", "not an admin", "unverified", "admin"],
)
def test_everybody_is_offered_what_is_theirs(who: dict[str, Any] | None, shown: list[str], hidden: list[str]) -> None:
    assert pages_for(who) == (shown, hidden)


def test_nothing_of_it_is_there_in_a_copy_that_is_not_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOJIFY_PUBLIC")
    assert pages_for(user()) == (ALL_PAGES, [])
    assert pages_for(None) == (ALL_PAGES, [])


def test_nor_in_one_without_admins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMOJIFY_ADMINS")
    assert pages_for(user()) == (VISITORS_PAGES, [])


def test_signed_out_there_is_one_button() -> None:
    with patch("pages.parts.auth.can_sign_in", return_value=True), patch("streamlit.login") as login:
        page = admin_page(None)
        assert labels(page) == ["Sign in"]
        press(page, "Sign in")
    login.assert_called_once_with()


def test_without_a_provider_the_page_says_so_and_offers_no_button() -> None:
    page = admin_page(None)
    assert "there is no [auth] in .streamlit/secrets.toml" in shown_text(page)
    assert not page.button


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        (user("ben@example.org"), "`ben@example.org` is not an admin of this copy."),
        (user("[x](http://evil) ` b"), "`[x](http://evil)  b` is not an admin"),
        (user(email_verified=False), "does not say that `anna@example.org` is verified"),
        (user(iat=int(time.time()) - MAX_SIGN_IN_AGE_S - 5), "You signed in more than 12 hours ago"),
    ],
    ids=["not an admin", "with markup", "unverified", "long ago"],
)
def test_whoever_is_no_admin_is_told_why_and_may_sign_out(who: dict[str, Any], sentence: str) -> None:
    page = admin_page(who)
    assert sentence in shown_text(page)
    assert labels(page) == ["Sign out"]
    page.switch_page("pages/training.py").run()
    assert [info.value for info in page.info] == [ADMIN_ONLY_MESSAGE]


def test_an_admin_works_as_in_a_copy_that_is_not_public_and_a_visitor_beside_does_not(workspace: Path) -> None:
    admin, visitor = opened_by(user()), opened_by(None)
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


def test_rights_end_with_signing_out_in_the_middle_of_a_page(workspace: Path) -> None:
    """The page still shows the button; the operation behind it is refused."""
    page = upload_pack(opened_by(user()))
    page.checkbox(key="delete-cats").check().run()
    before = fingerprint(workspace / "emojis")
    page.user = {"is_logged_in": False}
    press(page, "Yes, delete it for good")
    assert ADMIN_ONLY_MESSAGE in shown_text(page)
    assert fingerprint(workspace / "emojis") == before


# ---- where the work is done: sessions beside each other, each in a thread of its own as Streamlit runs them ----


@admin_only
def operation() -> str:
    return "done"


def try_it() -> bool:
    try:
        return operation() == "done"
    except EmojifyError:
        return False


def session_of(who: dict[str, Any]) -> ScriptRunContext:
    anything: Any = MagicMock()
    return ScriptRunContext("session", anything, "", anything, anything, "", who, anything, anything)


def in_thread(work: Callable[[], None], session: ScriptRunContext | None) -> threading.Thread:
    thread = threading.Thread(target=work)
    if session is not None:
        add_script_run_ctx(thread, session)
    thread.start()
    return thread


def test_sessions_at_the_same_moment_have_each_their_own_rights() -> None:
    set_claims_provider(session_claims)
    sessions = {
        "admin": session_of(user()),
        "ben": session_of(user("ben@example.org")),
        "nobody": session_of({}),
        "no session": None,
    }
    together = threading.Barrier(2 * len(sessions))
    outcomes: dict[str, set[bool]] = {name: set() for name in sessions}

    def work(name: str) -> None:
        together.wait()
        for _ in range(300):
            outcomes[name].add(try_it())

    threads = [in_thread(lambda name=name: work(name), session) for name, session in sessions.items() for _ in range(2)]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert outcomes == {"admin": {True}, "ben": {False}, "nobody": {False}, "no session": {False}}


def test_a_thread_that_an_admins_page_starts_is_nobodys() -> None:
    set_claims_provider(session_claims)
    outcomes: list[bool] = []

    def page() -> None:
        outcomes.append(try_it())
        inner = threading.Thread(target=lambda: outcomes.append(try_it()))
        inner.start()
        inner.join()

    in_thread(page, session_of(user())).join()
    assert outcomes == [True, False]


def test_signing_out_takes_effect_at_once_in_a_thread_that_goes_on() -> None:
    set_claims_provider(session_claims)
    session = session_of(user())
    outcomes: list[bool] = []

    def page() -> None:
        outcomes.append(try_it())
        session.user_info.clear()  # what st.logout() does
        outcomes.append(try_it())

    in_thread(page, session).join()
    assert outcomes == [True, False]


UNTOUCHED = """
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


def test_what_signs_in_is_not_even_loaded_unless_a_provider_is_set(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNTOUCHED], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
