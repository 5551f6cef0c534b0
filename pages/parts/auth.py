"""The signed-in user of a session, from Streamlit's OpenID sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.auth_util import get_secrets_auth_section
from streamlit.runtime.scriptrunner import get_script_run_ctx


def session_claims() -> Mapping[str, Any]:
    """Return the OpenID claims of the session in whose thread it is called; empty without a session."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return {}
    return st.user.to_dict()


def can_sign_in() -> bool:
    """Return True if this copy has an OpenID provider: an ``[auth]`` section in ``.streamlit/secrets.toml``."""
    return bool(get_secrets_auth_section())
