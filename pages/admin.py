"""Admin: where the admins of a public copy sign in. The menu lists it for signed-in users only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAuthError

from emojify.public import MAX_SIGN_IN_AGE_S, is_visitor
from emojify.settings import Settings
from pages.parts.auth import can_sign_in, session_claims
from pages.parts.entry import enter_page
from pages.parts.messages import escape_markdown, show_error

enter_page(__file__)

MAX_SIGN_IN_AGE_H = MAX_SIGN_IN_AGE_S // 3600


def main() -> None:
    """Show who is signed in, and the button to sign in or out."""
    settings = Settings.from_environment()
    st.title("Admin", anchor=False)
    claims = session_claims()
    if not settings.public or not settings.admins:
        st.info("Nobody needs to sign in: this copy is not public, or EMOJIFY_ADMINS is not set.")
    elif not claims.get("is_logged_in"):
        st.markdown("Visitors need no account. Admins of this copy sign in to change packs, models and data.")
        show_sign_in()
    elif is_visitor():
        st.warning(escape_markdown(rejection_reason(claims, settings)))
        st.button("Sign out", icon=":material/logout:", on_click=st.logout)
    else:
        st.markdown(
            f"You are signed in as {escape_markdown(str(claims['email']))}, for at most {MAX_SIGN_IN_AGE_H} hours. "
            "You can use every page. What you change there changes for everybody."
        )
        st.button("Sign out", icon=":material/logout:", on_click=st.logout)


def show_sign_in() -> None:
    if not can_sign_in():
        st.info("Nobody can sign in yet: there is no [auth] in .streamlit/secrets.toml. docs/deploy.md says how.")
    elif st.button("Sign in", type="primary", icon=":material/login:"):
        try:
            st.login()
        except StreamlitAuthError as error:
            show_error(str(error))


def rejection_reason(claims: Mapping[str, Any], settings: Settings) -> str:
    """Return why the signed-in user is not accepted as an admin, and what to do."""
    email = str(claims.get("email"))
    if email.lower() not in settings.admins:
        return f"{email} is not an admin of this copy. Ask its owner to add it to EMOJIFY_ADMINS."
    if claims.get("email_verified") is not True:
        return f"Your provider does not say that {email} is verified. Verify the address there, then sign in again."
    return f"You signed in more than {MAX_SIGN_IN_AGE_H} hours ago. Sign out, then sign in again."


main()
