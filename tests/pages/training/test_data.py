"""Data sets on the training page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from emojify import processes
from emojify.runs.datasets import DatasetStore
from emojify.settings import ROOT
from tests.helpers.page_driver import labels
from tests.helpers.programs import wait_until
from tests.helpers.training_pages import add_data, charts, press, report, view


def test_a_data_set_shows_its_counts_faces_and_leaks(page: AppTest, workspace: Path) -> None:
    add_data(workspace, report(unreadable={"n": 2, "files": ["a.png", "b.png"]}, voted=9, conflicting=1))
    said = view(page, "Data")
    assert "210 pictures" in said
    assert "7 of 70 public pictures (10%) stand in train too, 3 of them pixel for pixel" in said
    assert "No private picture stands in train: good." in said
    assert "2 do not open and are left out, for example a.png, b.png." in said
    assert charts(page) == 1
    assert len(page.get("image")) == 7


def test_a_data_set_that_can_not_be_used_says_why_and_can_be_looked_at_again(page: AppTest, workspace: Path) -> None:
    add_data(workspace, {"error": "It has no pictures of: sad."})
    assert "It has no pictures of: sad." in view(page, "Data")
    assert "Look again" in labels(page)
    assert "It has no pictures of: sad." in view(page, "Train")
    assert "Start" not in labels(page)


def test_a_data_set_that_leads_nowhere_does_not_hide_the_others(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    gone = workspace / "data" / "gone.zip"
    gone.symlink_to(workspace / "nowhere")
    wait_until(lambda: DatasetStore(workspace / "data").check(gone).done)
    said = view(page, "Data")
    assert "stopped unexpectedly" in said  # the stand-in's check finds nothing
    assert "210 pictures" in said


def test_a_zip_is_brought_checked_and_added(page: AppTest, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ROOT", ROOT)  # a real check
    page.run()
    page.file_uploader[0].set_value(("faces.zip", b"no zip", "application/zip")).run()
    assert not page.exception
    (brought,) = DatasetStore(workspace / "data").incoming()
    wait_until(lambda: DatasetStore(workspace / "data").check(brought).done)
    said = view(page, "Data")
    assert "no whole zip" in said
    assert ".incoming" not in said  # people know it by the name that they gave it
    press(page, "Remove it")
    assert DatasetStore(workspace / "data").incoming() == []
    assert "No data set yet" in view(page, "Data")
