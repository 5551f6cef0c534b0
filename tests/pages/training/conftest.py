"""The training page, run by AppTest in a temporary workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emojify import processes
from emojify.settings import ROOT
from tests.helpers import fake_training


@pytest.fixture
def workspace(
    tmp_path: Path, models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Return a temporary folder for all files of the app; fits run without TensorFlow."""
    for name, folder in (("MODELS", models_folder), ("EMOJIS", packs_folder), ("DATA", tmp_path / "data"),
                         ("RUNS", tmp_path / "runs")):  # fmt: skip
        monkeypatch.setenv(f"EMOJIFY_{name}", str(folder))
    fake_training.install(tmp_path / "root")
    monkeypatch.setattr(processes, "ROOT", tmp_path / "root")
    st.cache_data.clear()
    yield tmp_path
    fake_training.kill_all(tmp_path)


@pytest.fixture
def page(workspace: Path) -> AppTest:
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).switch_page("pages/training.py")
