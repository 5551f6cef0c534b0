"""Who sits before this page, as Streamlit's own sign-in knows it. Not a page of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.auth_util import get_secrets_auth_section
from streamlit.runtime.scriptrunner import get_script_run_ctx


def session_claims() -> Mapping[str, Any]:
    """What the OpenID provider says of the user of the session in whose thread this is called; nothing without one."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return {}
    return st.user.to_dict()


def can_sign_in() -> bool:
    """Whether this copy has a provider to sign in with: an ``[auth]`` among its secrets."""
    return bool(get_secrets_auth_section())
