"""The library versions with which private parts of other libraries were checked.

A few modules replace or set private parts of a library, because it has no public setting for them. Each names the
version that it was checked with and asks :func:`is_tested` before it relies on the private part::

    if is_tested("uvicorn", "0.54.0"):
        uvicorn.Server.shutdown = _shut_server_down

`tests/test_upstream.py` checks that every named version is the one in ``requirements.lock``.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import version

from packaging.version import Version

log = logging.getLogger(__name__)


@cache
def is_tested(distribution: str, newest_tested: str) -> bool:
    """Return True if the installed ``distribution`` is not newer than ``newest_tested``.

    A newer version is logged as a warning, once per process. The caller then leaves the library as it is, where the
    app works without the change.

    Raises:
        importlib.metadata.PackageNotFoundError: if ``distribution`` is not installed.
    """
    installed = version(distribution)
    if Version(installed) <= Version(newest_tested):
        return True
    log.warning(
        "%s %s is newer than %s, the last version that Emojify's changes to it were tested with. "
        "If something looks wrong, install the versions in requirements.lock.",
        distribution, installed, newest_tested,
    )  # fmt: skip
    return False
