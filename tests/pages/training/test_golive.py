"""Models are put live and taken back on the training page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from emojify import processes
from emojify.models import ModelStore
from tests.helpers.page_driver import labels
from tests.helpers.programs import wait_until
from tests.helpers.stores import write_model
from tests.helpers.training_pages import add_run, press, view

pytestmark = pytest.mark.slow


def test_model_can_be_promoted_and_rolled_back(page: AppTest, workspace: Path, tiny_model: bytes) -> None:
    write_model(workspace / "models" / "better", tiny_model)
    assert "Roll back" not in (view(page, "Go live"), labels(page))[1]
    press(page, "Put live")
    assert ModelStore(workspace / "models").live_id == "better"
    press(page, "Roll back")
    assert ModelStore(workspace / "models").live_id == "seed"


def test_worse_run_goes_live_after_warning(page: AppTest, workspace: Path, exporting: Callable[[str], None]) -> None:
    card = json.loads((workspace / "models" / "seed" / "card.json").read_text())
    card |= {"figures": {"public": {"n": 70, "accuracy": 0.6}}, "data": {"name": "FER-2013"}}
    (workspace / "models" / "seed" / "card.json").write_text(json.dumps(card))
    add_run(workspace, "1-run")
    assert "It reads worse than the live model: 50.0% of the public pictures, against 60.0%." in view(page, "Go live")
    exporting("import time; print('Loading TensorFlow', flush=True); time.sleep(60)")
    assert "you can leave this page meanwhile" in press(page, "Go live")


def test_failed_export_shows_its_reason(
    page: AppTest, workspace: Path, exporting: Callable[[str], None], tiny_model: bytes
) -> None:
    folder = add_run(workspace, "1-run")
    exporting("print('emojify: There is no data any more.')")
    view(page, "Go live")
    press(page, "Go live")
    wait_until(lambda: not processes.is_running(folder / "export"))
    assert "The model was not made. There is no data any more." in view(page, "Go live")
    assert "Go live" in labels(page)
    # The model has been made and put live since, so the error is out of date.
    write_model(workspace / "models" / "1-run-e2", tiny_model)
    ModelStore(workspace / "models").promote("1-run-e2")
    text = view(page, "Go live")
    assert "is live." in text
    assert "was not made" not in text


def test_model_near_guessing_needs_second_click(page: AppTest, workspace: Path, tiny_model: bytes) -> None:
    write_model(workspace / "models" / "poor", tiny_model)
    card = json.loads((workspace / "models" / "poor" / "card.json").read_text())
    rates = {"n": 70, "accuracy": 0.207, "macro_recall": 0.2, "recall": {"happy": 0.2}}
    card |= {"figures": {"private": rates}, "data": {"name": "FER-2013"}}
    (workspace / "models" / "poor" / "card.json").write_text(json.dumps(card))
    assert "near guessing: it is right in 21 of 100 faces" in view(page, "Go live")
    assert "Put live" not in labels(page)
    press(page, "Put it live anyway")
    assert ModelStore(workspace / "models").live_id == "poor"


@pytest.fixture
def exporting(workspace: Path) -> Callable[[str], None]:
    """Choose what the exporting process does."""

    def write(text: str) -> None:
        (workspace / "root" / "emojify" / "__main__.py").write_text(text)

    return write


def test_broken_model_is_named_and_can_be_deleted(page: AppTest, workspace: Path, tiny_model: bytes) -> None:
    write_model(workspace / "models" / "damaged", tiny_model)
    (workspace / "models" / "damaged" / "card.json").write_text("{")
    assert "The model damaged has no readable card.json." in view(page, "Go live")
    press(page, "Yes, delete it for good")
    assert not (workspace / "models" / "damaged").exists()


def test_page_explains_that_no_model_opens(page: AppTest, workspace: Path) -> None:
    (workspace / "models" / "seed" / "model.tflite").write_bytes(b"")
    assert "No model can be opened" in view(page, "Go live")
