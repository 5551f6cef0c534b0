"""Fixtures for tests that run pages as scripts."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock, patch

import pytest
import streamlit as st


@pytest.fixture(autouse=True)
def _skip_entry_script_check() -> Iterator[None]:
    """Let AppTest run a page: it starts a new server with every run, which would be sent to the entry script each time.

    tests/browser/test_training.py checks that a real server reruns a page through the entry script once.
    """
    with patch("pages.parts.entry.require_entry_script"):
        yield


@pytest.fixture
def streamer() -> Iterator[MagicMock]:
    """The video component, which needs a browser, replaced by one that does not play."""
    with patch("streamlit_webrtc.webrtc_streamer") as streamer:
        streamer.return_value = SimpleNamespace(state=SimpleNamespace(playing=False))
        yield streamer


@pytest.fixture
def small_workspace(models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages use the tiny model and the packs of plain shapes."""
    monkeypatch.setenv("EMOJIFY_MODELS", str(models_folder))
    monkeypatch.setenv("EMOJIFY_EMOJIS", str(packs_folder))
    st.cache_resource.clear()
