import errno
import re

import pytest

from emojify.errors import EmojifyError
from emojify.os_errors import readable_os_errors


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "Nothing was saved: the disk is full. Make room on the disk, then try again.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "Nothing was saved: permission denied. Check the permissions of the file and its folder, then try again.",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory"),
            "Nothing was saved: no such file or folder. Check the name, then try again.",
        ),
        (OSError(errno.EIO, "Input/output error"), "Nothing was saved: Input/output error. Try again."),
        (OSError("the camera is gone."), "Nothing was saved: the camera is gone. Try again."),
    ],
)
def test_readable_os_errors_gives_reason_and_advice(error: OSError, sentence: str) -> None:
    with pytest.raises(EmojifyError) as caught, readable_os_errors("Nothing was saved"):
        raise error
    assert str(caught.value) == sentence
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("advice", "sentence"),
    [
        ("Everything is as before.", "Not saved: the disk is full. Everything is as before."),
        ("", "Not saved: the disk is full."),
    ],
)
def test_readable_os_errors_takes_own_advice(advice: str, sentence: str) -> None:
    with pytest.raises(EmojifyError) as caught, readable_os_errors("Not saved", advice):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value) == sentence


def test_readable_os_errors_passes_other_errors() -> None:
    with pytest.raises(EmojifyError, match=re.escape("no such pack")), readable_os_errors("Not saved"):
        raise EmojifyError("no such pack")
    with pytest.raises(ValueError, match="bad"), readable_os_errors("Not saved"):
        raise ValueError("bad")
