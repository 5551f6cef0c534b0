"""Download FER-2013 from Kaggle with kagglehub, if that is installed."""

from __future__ import annotations

import importlib
from pathlib import Path

from emojify.errors import EmojifyError

HANDLE = "msambare/fer2013"
"""The copy on Kaggle whose file names contain the official split."""

_BY_HAND = f"Or download it yourself from https://www.kaggle.com/datasets/{HANDLE} and give the zip to --data."


def download() -> Path:
    """Download the data set, or find it in kagglehub's cache.

    Returns:
        Its folder.

    Raises:
        EmojifyError: if kagglehub is not installed, or Kaggle can't be reached or refuses.
    """
    try:
        kagglehub = importlib.import_module("kagglehub")
    except ImportError as error:
        raise EmojifyError(f"This needs kagglehub: pip install kagglehub. {_BY_HAND}") from error
    try:
        return Path(kagglehub.dataset_download(HANDLE))
    except (OSError, ValueError, RuntimeError) as error:  # the errors of requests are OSErrors
        raise EmojifyError(f"Kaggle did not give the data ({error}). Check the connection. {_BY_HAND}") from error
