"""Public mode (``EMOJIFY_PUBLIC=1``): which operations visitors may not use, and who is an admin.

Visitors can use the live page, and can upload or draw an emoji pack that exists only in their session. Everything
that writes, deletes or starts a process is marked with :func:`admin_only` where it is defined. Pages also hide what
visitors may not do, but nothing depends on that.

Admins are listed in ``EMOJIFY_ADMINS`` and sign in with an OpenID provider. Each call of an ``admin_only`` function
reads the claims of the session in whose thread it runs, so a session can't get the rights of another one. A thread
without a session, such as that of a command, counts as a visitor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from emojify.errors import EmojifyError
from emojify.settings import Settings

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

ADMIN_ONLY_MESSAGE = (
    "This copy of Emojify is public: nothing can be added, changed, deleted or started here. "
    "Its admins can do that after they sign in, or in a copy without EMOJIFY_PUBLIC."
)
MAX_SIGN_IN_AGE_S = 12 * 60 * 60
"""Streamlit's cookie lasts 30 days. A stolen cookie should not give admin rights for that long."""

_claims_provider: Callable[[], Mapping[str, Any]] = dict


def set_claims_provider(provider: Callable[[], Mapping[str, Any]]) -> None:
    """Set the function that returns the current session's OpenID claims.

    Until it is set, every session is anonymous.

    Args:
        provider: returns the claims of the user of the session in whose thread it is called; empty if that user has
            not signed in or there is no session.
    """
    global _claims_provider
    _claims_provider = provider


def is_visitor() -> bool:
    """Return True if the current session is a read-only visitor.

    Raises:
        EmojifyError: if a setting in the environment is not valid.
    """
    settings = Settings.from_environment()
    return settings.public and not is_admin(_claims_provider(), settings.admins)


def is_admin(claims: Mapping[str, Any], admins: frozenset[str], now_s: float | None = None) -> bool:
    """Return True if the claims name an admin who signed in less than ``MAX_SIGN_IN_AGE_S`` ago.

    Args:
        claims: the OpenID claims of a session, already verified by Streamlit. ``email`` only counts if
            ``email_verified`` is True: an address that the provider did not verify could be anybody's.
        admins: the admins' e-mail addresses, in lower case.
        now_s: the time of the check, in seconds since the epoch; the current time by default.
    """
    email, issued_at_s = claims.get("email"), claims.get("iat")
    return (
        claims.get("is_logged_in") is True
        and claims.get("email_verified") is True
        and isinstance(email, str)
        and email.isascii()  # lower() maps some other letters to ASCII: the kelvin sign becomes k
        and email.lower() in admins
        and isinstance(issued_at_s, int | float)
        and issued_at_s > (time.time() if now_s is None else now_s) - MAX_SIGN_IN_AGE_S
    )


def admin_only(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Wrap ``function`` so that it raises EmojifyError for visitors of a public copy, before it does anything."""

    @wraps(function)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if is_visitor():
            raise EmojifyError(ADMIN_ONLY_MESSAGE)
        return function(*args, **kwargs)

    return guarded
