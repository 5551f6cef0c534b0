"""Public mode (``EMOJIFY_PUBLIC=1``): visitors look and wear; nothing they do stays, or reaches anybody else.

What writes, deletes or starts a process is closed where it is done, with one word before it. That pages then also
offer less is a courtesy: nothing depends on it.

Admins (``EMOJIFY_ADMINS``) are not visitors. Who asks is found out anew at every deed, from the session in whose
thread it is done, never from something that was noted before: so no session can have another one's rights. A thread
without a session, a command line, and everything else that cannot say who asks, counts as a visitor.
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

REFUSAL = (
    "This copy of Emojify is public: nothing can be added, changed, deleted or started here. "
    "Whoever runs it does that, signed in or in a copy without EMOJIFY_PUBLIC."
)
MAX_SIGN_IN_AGE_S = 12 * 60 * 60
"""Streamlit's cookie lasts 30 days; a stolen one should not open everything for as long."""

_claims_provider: Callable[[], Mapping[str, Any]] = dict


def set_claims_provider(claims: Callable[[], Mapping[str, Any]]) -> None:
    """How to find out who asks; until the front door says it, nobody is known.

    Args:
        claims: gives what an OpenID provider says about the user of the session in whose thread it is called.
    """
    global _claims_provider
    _claims_provider = claims


def is_visitor() -> bool:
    """Whether the one in whose thread this is called may only look and wear."""
    settings = Settings.from_environment()
    return settings.public and not is_admin(_claims_provider(), settings.admins)


def is_admin(claims: Mapping[str, Any], admins: frozenset[str], now_s: float | None = None) -> bool:
    """Whether these claims, which the provider signed, are of an admin who signed in not long ago.

    An address that the provider did not verify could be anybody's.
    """
    email, since_s = claims.get("email"), claims.get("iat")
    return (
        claims.get("is_logged_in") is True
        and claims.get("email_verified") is True
        and isinstance(email, str)
        and email.isascii()  # lower() makes other letters the same: the sign of the kelvin is a k
        and email.lower() in admins
        and isinstance(since_s, int | float)
        and since_s > (time.time() if now_s is None else now_s) - MAX_SIGN_IN_AGE_S
    )


def admin_only(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, refused with an EmojifyError to visitors of a public copy. It then has not begun."""

    @wraps(function)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if is_visitor():
            raise EmojifyError(REFUSAL)
        return function(*args, **kwargs)

    return guarded
