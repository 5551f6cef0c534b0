"""Public mode (``EMOJIFY_PUBLIC=1``): visitors look and wear; nothing they do stays, or reaches anybody else.

What writes, deletes or starts a process is closed where it is done, with one word before it. That pages then also
offer less is a courtesy: nothing depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from emojify.errors import EmojifyError
from emojify.settings import Settings

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

REFUSAL = (
    "This copy of Emojify is public: nothing can be added, changed, deleted or started here. "
    "Whoever runs it does that in a copy without EMOJIFY_PUBLIC."
)


def closed_to_visitors(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, refused with an EmojifyError while this copy is public. It then has not begun."""

    @wraps(function)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        if Settings.from_environment().public:
            raise EmojifyError(REFUSAL)
        return function(*args, **kwargs)

    return guarded
