"""Pages as scripts, each run by itself."""

from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import MagicMock, patch

import pytest


@pytest.fixture(autouse=True)
def _the_front_door_is_open() -> Iterator[None]:
    """AppTest begins a new server with every run, and would be sent back to the front door each time.

    That a real server sends people back once, and shows the page then, is seen in tests/browser/test_training.py.
    """
    with patch("pages.parts.entry.require_entry_script"):
        yield


@pytest.fixture
def streamer() -> Iterator[MagicMock]:
    """In place of the video component, which needs a browser; nothing plays yet."""
    with patch("streamlit_webrtc.webrtc_streamer") as streamer:
        streamer.return_value = SimpleNamespace(state=SimpleNamespace(playing=False))
        yield streamer
