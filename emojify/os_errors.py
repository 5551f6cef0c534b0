"""Errors of the operating system as sentences: what failed, why, and what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emojify.errors import EmojifyError


@contextmanager
def readable_os_errors(action: str, advice: str | None = None) -> Iterator[None]:
    """Turn an OSError of the block into an EmojifyError: ``"<action>: <reason>. <advice>"``. ::

        with readable_os_errors("The pack was not saved"):
            write_atomically(path, content)
        # EmojifyError: The pack was not saved: the disk is full. Make room on the disk, then try again.

    Args:
        action: what failed, without a full stop.
        advice: one or more whole sentences that say what to do. By default they are chosen by the kind of error; pass
            ``""`` for none.

    Raises:
        EmojifyError: in place of an OSError. Other exceptions pass unchanged.
    """
    try:
        yield
    except OSError as error:
        if advice is None:
            advice = _REASONS.get(error.errno or 0, ("", _DEFAULT_ADVICE))[1]
        raise EmojifyError(f"{action}: {os_error_reason(error)}. {advice}".rstrip()) from error


def require_no_pipe(path: Path) -> None:
    """Check that reading a file will end: a pipe, a socket or a device can keep its reader waiting for ever.

    Raises:
        EmojifyError: if ``path`` is one of those.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise EmojifyError(f"{path} is a pipe or a device. Save its content to a file, then use that.")


def os_error_reason(error: OSError) -> str:
    """Return the reason for an OSError in plain words, without a full stop: ``"the disk is full"``."""
    known = _REASONS.get(error.errno or 0)
    return known[0] if known else (error.strerror or str(error)).rstrip(".")


_DEFAULT_ADVICE = "Try again."
_FULL = "the disk is full", "Make room on the disk, then try again."
_FORBIDDEN = "permission denied", "Check the permissions of the file and its folder, then try again."
_REASONS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: ("the disk is read-only", "Choose another folder, or make the disk writable."),
    errno.ENOENT: ("no such file or folder", "Check the name, then try again."),
    errno.EEXIST: ("the name is already taken", "Choose another name."),
    errno.EISDIR: ("it is a folder, not a file", "Choose a file."),
    errno.ENOTDIR: ("it is a file, not a folder", "Choose a folder."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
    errno.EMFILE: ("too many files are open", "Close other programs, then try again."),
    errno.ENOMEM: ("there is not enough memory", "Close other programs, then try again."),
}
"""Per error number: the reason, and the default advice."""
