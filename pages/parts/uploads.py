"""Where what somebody uploads waits until Streamlit has all of it. Not a page of its own."""

from __future__ import annotations

import sys

from starlette.formparsers import MultiPartParser


def keep_in_memory() -> None:
    """Never on the disk. Streamlit holds all of it in memory afterwards; until then Starlette puts files of more than
    1 MB into the system's temporary folder, and Streamlit has no setting for that.
    """
    MultiPartParser.spool_max_size = sys.maxsize
