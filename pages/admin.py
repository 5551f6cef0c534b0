"""Admin: whoever looks after a public copy signs in here. Visitors are not shown the way."""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitAuthError

from emojify.public import MAX_SIGN_IN_AGE_S, is_visitor
from emojify.settings import Settings
from pages.parts.auth import can_sign_in, session_claims
from pages.parts.entry import enter_page

enter_page(__file__)


def plainly(email: object) -> str:
    return f"`{str(email).replace('`', '')}`"


def offer_to_sign_in() -> None:
    if not can_sign_in():
        st.info("Nobody can sign in yet: there is no [auth] in .streamlit/secrets.toml. docs/deploy.md says how.")
    elif st.button("Sign in", type="primary", icon=":material/login:"):
        try:
            st.login()
        except StreamlitAuthError as error:
            st.error(str(error))


def offer_to_sign_out() -> None:
    st.button("Sign out", icon=":material/logout:", on_click=st.logout)


settings = Settings.from_environment()
st.title("Look after this copy", anchor=False)
who = session_claims()
if not settings.public or not settings.admins:
    st.info("There is nothing to sign in to: this copy is not public, or has no EMOJIFY_ADMINS.")
elif not who.get("is_logged_in"):
    st.markdown("Visitors look and wear. Whoever looks after this copy signs in and does the rest.")
    offer_to_sign_in()
elif is_visitor():
    if str(who.get("email")).lower() not in settings.admins:
        st.warning(f"{plainly(who.get('email'))} is not one of those who look after this copy.")
    elif who.get("email_verified") is not True:
        st.warning(
            f"Your provider does not say that {plainly(who.get('email'))} is verified, so it could be anybody's."
        )
    else:
        st.warning(f"You signed in more than {MAX_SIGN_IN_AGE_S // 3600} hours ago. Sign out, then in again.")
    offer_to_sign_out()
else:
    st.markdown(
        f"You are signed in as {plainly(who['email'])}, for at most {MAX_SIGN_IN_AGE_S // 3600} hours: "
        "every page is yours, and what you change there is changed for everybody."
    )
    offer_to_sign_out()
