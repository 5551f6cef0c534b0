"""The view "Train" of the training page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from emojify import processes
from emojify.models import ModelStore
from emojify.runs.placement import Placement, read_placement
from emojify.runs.run import State
from emojify.runs.store import RunStore
from tests.helpers.page_driver import labels, shown_text
from tests.helpers.programs import wait_until
from tests.helpers.stores import write_model
from tests.helpers.training_pages import add_data, add_run, charts, press, report, view

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Data", "No data set yet"),
        ("Train", "A fit needs pictures. Add a data set first"),
        ("Understand", "No fits yet. Start one under **Train**"),
        ("Go live", "No run has finished an epoch yet"),
    ],
)
def test_empty_view_says_what_to_do(page: AppTest, name: str, message: str) -> None:
    assert message in view(page, name)


def test_page_opens_data_view_without_data(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert page.session_state["training_view"] == "Data"
    assert "kaggle.com/datasets/msambare/fer2013" in shown_text(page)


def test_page_opens_train_view_with_data(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    page.run()
    assert not page.exception
    assert page.radio(key="fit_preset").options == ["A quick trial", "As in the tutorial", "The best recipe"]
    assert "No fits yet. Start one above" in shown_text(page)
    assert "a rough estimate: this network was not trained on this machine yet" in shown_text(page)


def test_start_launches_and_shows_a_fit(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    page.run()
    text = press(page, "Start")
    (run,) = RunStore(workspace / "runs").runs()
    assert run.state.has_process
    assert run.id in page.session_state["watched"]
    assert "Stop" in labels(page)
    assert "starting" in text or "running" in text
    assert "Add to the queue" in labels(page)


def test_second_data_set_can_be_added_to_a_fit(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    own = add_data(workspace, report(only_to_add="mine.zip has no pictures of: sad."), name="mine.zip")
    page.run()
    page.selectbox(key="fit_added-faces.zip").set_value(own).run()
    assert f"--data {own}" in page.code[0].value
    press(page, "Start")
    (run,) = RunStore(workspace / "runs").runs()
    assert run.config is not None
    assert run.config.added_data == str(own)


def test_incomplete_data_set_can_not_be_fitted_alone(page: AppTest, workspace: Path) -> None:
    add_data(workspace, report(only_to_add="faces.zip has no pictures of: sad."))
    text = view(page, "Train")
    assert "faces.zip has no pictures of: sad." in text
    assert "It can be added to another data set" in text
    assert "Start" not in labels(page)
    assert "It can be added to another data set" in view(page, "Data")


def test_run_menu_is_updated_when_state_changes(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    folder = add_run(workspace, "1-run")
    view(page, "Train")
    page.selectbox(key="watched_run").set_value("1-run").run()
    (folder / "ended.json").write_text(json.dumps({"how": "failed", "why": "The disk is full."}))
    page.run()
    menu = page.selectbox(key="watched_run").proto
    # Unless the server sets a value, a browser keeps the label that the option had when it was chosen.
    assert menu.set_value
    assert menu.raw_value.startswith("1-run · failed")


def test_second_fit_is_queued_and_can_be_removed(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    page.run()
    press(page, "Start")
    text = press(page, "Add to the queue")
    assert "One fit at a time: it begins when those before it are done." in text
    press(page, "Take out of the queue")
    assert RunStore(workspace / "runs").queue() == []


def test_stop_and_resume(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    page.run()
    press(page, "Start")
    store = RunStore(workspace / "runs")
    (run,) = store.runs()
    wait_until(lambda: store.get(run.id).epochs_done == 1)
    text = view(page, "Train")
    assert "1 of 12 epochs done" in text
    assert "Batch 1 of 4 · loss 2.000, accuracy 20.0%" in text
    assert "last update" in text
    assert "Best so far: epoch 1, which gets 50.0%" in text
    press(page, "Stop")
    wait_until(lambda: store.get(run.id).state is State.STOPPED and not processes.is_running(run.folder))
    assert "It was stopped. Resume goes on after epoch 1." in view(page, "Train")
    press(page, "Resume")
    assert store.get(run.id).state.has_process


def test_invalid_settings_are_refused_before_start(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    page.run()
    next(box for box in page.number_input if box.label == "epochs").set_value(0).run()
    assert not page.exception
    assert "epochs is 0; it must lie between 1 and" in shown_text(page)
    assert "Start" not in labels(page)


def test_command_line_follows_settings(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    page.run()
    next(box for box in page.number_input if box.label == "epochs").set_value(7).run()
    assert any("--epochs 7 " in code.value for code in page.code)


def test_full_disk_prevents_start(page: AppTest, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_data(workspace)
    page.run()
    monkeypatch.setattr(RunStore, "free_bytes", lambda self: 5_000_000)
    assert "The disk has 5 MB left" in press(page, "Start")
    assert RunStore(workspace / "runs").runs() == []


DEAD = {"pid": 2**22 + 1, "born": 1.0, "arguments": []}


@pytest.mark.parametrize(
    ("files", "messages"),
    [
        (
            {"process": DEAD, "ended": None},
            ["stopped unexpectedly", "it was killed, the memory ran out", "Resume"],
        ),
        ({"ended": {"how": "failed", "why": "The disk is full."}}, ["failed", "The disk is full.", "Resume goes on"]),
        ({"config": "{"}, ["unreadable", "no readable config.json", "delete this folder"]),
        ({"config": None}, ["unreadable", "half written", "delete this folder"]),
        ({"checkpoint": "{"}, ["failed", "checkpoint is damaged", "Start a new fit"]),
        ({"best": "{", "environment": "7"}, ["stopped", "Resume goes on after epoch 2."]),
    ],
    ids=["killed", "failed", "damaged config", "missing config", "damaged checkpoint", "other files damaged"],
)
def test_broken_run_is_shown_and_rest_works(
    page: AppTest, workspace: Path, files: dict[str, Any], messages: list[str]
) -> None:
    add_data(workspace)
    add_run(workspace, "1-whole")
    add_run(workspace, "2-broken", **files)
    text = view(page, "Train")
    assert all(message in text for message in messages)
    assert "Start" in labels(page)
    for name in ("Understand", "Go live", "Data"):
        view(page, name)


def test_chosen_run_stays_after_another_view(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    for name in ("1-run", "2-run", "3-run"):
        add_run(workspace, name, ended={"how": "failed", "why": f"Why {name}."})
    view(page, "Train")
    for name in ("2-run", "1-run", "3-run", "1-run"):
        page.selectbox(key="watched_run").set_value(name).run()
        assert f"Why {name}." in shown_text(page)
    view(page, "Data")
    assert "Why 1-run." in view(page, "Train")


def test_unreadable_progress_lines_are_counted(page: AppTest, workspace: Path) -> None:
    add_data(workspace)
    with (add_run(workspace, "1-whole") / "progress.jsonl").open("a") as file:
        file.write("garbage\n" * 3)
    assert "3 lines of its progress file can't be read" in view(page, "Train")
    assert charts(page) == 2


def test_delete_spares_run_of_live_model(page: AppTest, workspace: Path, tiny_model: bytes) -> None:
    add_data(workspace)
    folder = add_run(workspace, "1-run")
    write_model(workspace / "models" / "1-run-e2", tiny_model)
    ModelStore(workspace / "models").promote("1-run-e2")
    view(page, "Train")
    assert "put another one live first" in press(page, "Yes, delete it for good")
    assert folder.exists()
    ModelStore(workspace / "models").rollback()
    press(page, "Yes, delete it for good")
    assert not folder.exists()


def test_fit_can_be_sent_to_the_configured_cluster(
    page: AppTest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_data(workspace)
    page.run()
    assert "fit_where" not in [radio.key for radio in page.radio]
    monkeypatch.setenv("EMOJIFY_RAY_ADDRESS", "10.0.0.1:6379")
    page.run()
    page.radio(key="fit_where").set_value("10.0.0.1:6379").run()
    assert "--address 10.0.0.1:6379" in shown_text(page)
    press(page, "Start")
    (run,) = (workspace / "runs").iterdir()
    assert read_placement(run) == Placement("10.0.0.1:6379")
