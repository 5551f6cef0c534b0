"""Data sets on the training page."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from emojify import processes
from emojify.runs.datasets import DatasetStore
from emojify.settings import ROOT
from tests.helpers.page_driver import labels
from tests.helpers.programs import wait_until
from tests.helpers.training_pages import add_data, charts, press, report, view

pytestmark = pytest.mark.slow


def test_dataset_shows_counts_faces_and_findings(page: AppTest, workspace: Path) -> None:
    add_data(workspace, report(unreadable={"n": 2, "files": ["a.png", "b.png"]}, voted=9, conflicting=1))
    text = view(page, "Data")
    assert "210 pictures" in text
    assert "7 of 70 public pictures (10%) are also in train, 3 of them pixel for pixel" in text
    assert "No private picture is also in train." in text
    assert "2 pictures can't be opened and are left out, for example a.png, b.png." in text
    assert charts(page) == 1
    assert len(page.get("image")) == 7


def test_unusable_dataset_says_why_and_offers_check(page: AppTest, workspace: Path) -> None:
    add_data(workspace, {"error": "It has no pictures of: sad."})
    assert "It has no pictures of: sad." in view(page, "Data")
    assert "Check again" in labels(page)
    assert "It has no pictures of: sad." in view(page, "Train")
    assert "Start" not in labels(page)


def test_dataset_is_deleted_after_confirmation(page: AppTest, workspace: Path) -> None:
    path = add_data(workspace)
    view(page, "Data")
    press(page, "Yes, delete it for good")
    assert not path.exists()
    assert "No data set yet" in view(page, "Data")


def test_dataset_of_an_active_run_is_not_deleted(page: AppTest, workspace: Path) -> None:
    path = add_data(workspace)
    with patch("pages.training_views.data.runs_using", return_value=["run-7"]):
        assert "run-7 trains on it" in view(page, "Data").replace("\\", "")
        assert "Yes, delete it for good" not in labels(page)
    assert path.exists()


def test_broken_link_does_not_hide_other_datasets(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    gone = workspace / "data" / "gone.zip"
    gone.symlink_to(workspace / "nowhere")
    wait_until(lambda: DatasetStore(workspace / "data").check(gone).done)
    text = view(page, "Data")
    assert "stopped unexpectedly" in text  # the fake check process writes no report
    assert "210 pictures" in text


def test_bad_upload_is_checked_and_can_be_removed(
    page: AppTest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "ROOT", ROOT)  # a real check
    page.run()
    page.file_uploader[0].set_value(("faces.zip", b"no zip", "application/zip")).run()
    assert not page.exception
    (incoming,) = DatasetStore(workspace / "data").incoming()
    wait_until(lambda: DatasetStore(workspace / "data").check(incoming).done)
    text = view(page, "Data")
    assert "no whole zip" in text
    assert ".incoming" not in text  # the user knows the file by its own name
    press(page, "Remove it")
    assert DatasetStore(workspace / "data").incoming() == []
    assert "No data set yet" in view(page, "Data")
