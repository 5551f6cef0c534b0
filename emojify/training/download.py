"""FER-2013 from Kaggle, for those who have kagglehub; everyone else downloads it by hand."""

from __future__ import annotations

import importlib
from pathlib import Path

from emojify.errors import EmojifyError

HANDLE = "msambare/fer2013"
"""The copy on Kaggle whose file names keep the official split."""

_BY_HAND = f"Or download it yourself from https://www.kaggle.com/datasets/{HANDLE} and give the zip to --data."


def download() -> Path:
    """Get the data set, or find it where kagglehub keeps it. Returns its folder.

    Raises:
        EmojifyError: if kagglehub is not installed, or Kaggle can't be reached or refuses.
    """
    try:
        kagglehub = importlib.import_module("kagglehub")
    except ImportError as error:
        raise EmojifyError(f"This needs kagglehub: pip install kagglehub. {_BY_HAND}") from error
    try:
        return Path(kagglehub.dataset_download(HANDLE))
    except (OSError, ValueError, RuntimeError) as error:  # requests' errors are OSErrors
        raise EmojifyError(f"Kaggle did not give the data ({error}). Check the connection. {_BY_HAND}") from error
