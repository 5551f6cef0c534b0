"""The training page as a script: each of its states, made by hand in folders."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from emojify import processes
from emojify.emotions import LABELS
from emojify.models import ModelStore
from emojify.runs.datasets import STAMP, DataStore, _stamp
from emojify.runs.run import State
from emojify.runs.store import RunStore
from tests.conftest import write_model
from tests.runs import stand_in
from tests.runs.stand_in import wait_until

ROOT = Path(__file__).resolve().parents[2]
EPOCH = {"epochs": 9, "loss": 1.5, "accuracy": 0.4, "val_loss": 1.4, "val_accuracy": 0.5, "seconds": 2.0}


@pytest.fixture
def house(tmp_path: Path, models_folder: Path, packs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders of its own for everything, and fits without TensorFlow."""
    for name, folder in (("MODELS", models_folder), ("EMOJIS", packs_folder), ("DATA", tmp_path / "data"),
                         ("RUNS", tmp_path / "runs")):  # fmt: skip
        monkeypatch.setenv(f"EMOJIFY_{name}", str(folder))
    stand_in.install(tmp_path / "root")
    monkeypatch.setattr(processes, "ROOT", tmp_path / "root")
    st.cache_data.clear()
    yield tmp_path
    stand_in.kill_all(tmp_path)


@pytest.fixture
def page(house: Path) -> AppTest:
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).switch_page("pages/training.py")


def png() -> str:
    buffer = io.BytesIO()
    Image.new("L", (48, 48), 90).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def report(**changes: Any) -> dict[str, Any]:
    none = {"n": 0, "files": []}
    return {
        "name": "FER-2013",
        "counts": {split: dict.fromkeys(LABELS, 10) for split in ("train", "public", "private")},
        **dict.fromkeys(("unreadable", "converted", "blank", "duplicates", "near_duplicates"), none),
        "conflicting": 0,
        "leaks": [{"split": "public", "pictures": 70, "exact": 3, "near": 7},
                  {"split": "private", "pictures": 70, "exact": 0, "near": 0}],
        "clean": {"public": 63, "private": 70},
        "voted": 0,
        "faces": dict.fromkeys(LABELS, png()),
    } | changes  # fmt: skip


def add_data(house: Path, content: dict[str, Any] | None = None) -> Path:
    """A data set that was checked already."""
    path = house / "data" / "faces.zip"
    place = house / "data" / ".checks" / "faces.zip"
    place.mkdir(parents=True)
    path.touch()
    (place / "report.json").write_text(json.dumps(report() if content is None else content))
    (place / STAMP).write_text(_stamp(path))
    return path


CHECKPOINT = {"epoch": 2, "best_epoch": 2, "best_public_accuracy": 0.5, "weights": "w.h5"}


def add_run(house: Path, name: str, **files: Any) -> Path:
    """A run that was stopped in its third epoch, with other files or contents where asked for."""
    folder = house / "runs" / name
    folder.mkdir(parents=True)
    contents: dict[str, Any] = {
        "config": {"data": str(house / "data" / "faces.zip"), "epochs": 9},
        "checkpoint": CHECKPOINT,
        "ended": {"how": "stopped", "why": ""},
        "environment": {"cpu": "x", "pictures": {"data": "FER-2013", "train": 70, "public": 70}},
        "best": {
            "epoch": 2,
            "figures": {"n": 70, "accuracy": 0.5, "macro_recall": 0.4, "recall": dict.fromkeys(LABELS, 0.5),
                        "precision": dict.fromkeys(LABELS, None), "confusion": [[1] * 7] * 7},
            "wrong": [{"file": "a", "label": "sad", "read": "happy", "confidence": 0.98, "png": png()}],
        },
    }  # fmt: skip
    for key, content in (contents | files).items():
        if content is not None:
            (folder / f"{key}.json").write_text(content if isinstance(content, str) else json.dumps(content))
    for weights in ("w.h5", "best.weights.h5"):
        (folder / weights).touch()
    lines = [{"epoch": epoch, **EPOCH} for epoch in (1, 2)]
    (folder / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def words(page: AppTest) -> str:
    """All that the page says in text, without the signs that keep it from being read as Markdown."""
    texts = [
        str(getattr(element.proto, "text", "") or getattr(element, "value", "") or getattr(element.proto, "body", ""))
        for kind in ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success", "toast",
                     "code", "progress")
        for element in page.get(kind)
    ]  # fmt: skip
    return "\n".join(texts).replace("\\", "")


def view(page: AppTest, name: str) -> str:
    page.session_state["training_view"] = name
    page.run()
    assert not page.exception
    return words(page)


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def press(page: AppTest, label: str) -> str:
    next(button for button in page.button if button.label == label).click()
    page.run()
    assert not page.exception
    return words(page)


def charts(page: AppTest) -> int:
    return len(page.get("arrow_vega_lite_chart")) + len(page.get("vega_lite_chart"))


# ---- nothing there yet ----


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Data", "No data set yet"),
        ("Train", "A fit learns from pictures. Bring some first"),
        ("Understand", "No fits yet. Start one under **Train**"),
        ("Go live", "No run has a whole epoch yet"),
    ],
)
def test_an_empty_view_says_what_it_is_and_what_to_do(page: AppTest, name: str, sentence: str) -> None:
    assert sentence in view(page, name)


def test_without_data_the_page_begins_with_how_to_get_some(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert page.session_state["training_view"] == "Data"
    assert "kaggle.com/datasets/msambare/fer2013" in words(page)


def test_with_data_it_begins_with_the_presets(page: AppTest, house: Path) -> None:
    add_data(house)
    page.run()
    assert not page.exception
    assert page.radio(key="fit_preset").options == ["A two-minute taste", "The tutorial's fit", "The best recipe"]
    assert "No fits yet. Start one above" in words(page)
    assert "a rough guess: this machine has not fitted this network yet" in words(page)


# ---- data ----


def test_a_data_set_shows_its_counts_faces_and_leaks(page: AppTest, house: Path) -> None:
    add_data(house, report(unreadable={"n": 2, "files": ["a.png", "b.png"]}, voted=9, conflicting=1))
    said = view(page, "Data")
    assert "210 pictures" in said
    assert "7 of 70 public pictures (10%) stand in train too, 3 of them pixel for pixel" in said
    assert "No private picture stands in train: good." in said
    assert "2 do not open and are left out, for example a.png, b.png." in said
    assert charts(page) == 1
    assert len(page.get("image")) == 7


def test_a_data_set_that_can_not_be_used_says_why_and_can_be_looked_at_again(page: AppTest, house: Path) -> None:
    add_data(house, {"error": "It has no pictures of: sad."})
    assert "It has no pictures of: sad." in view(page, "Data")
    assert "Look again" in labels(page)
    assert "It has no pictures of: sad." in view(page, "Train")
    assert "Start" not in labels(page)


def test_a_data_set_that_leads_nowhere_does_not_hide_the_others(page: AppTest, house: Path) -> None:
    add_data(house)
    gone = house / "data" / "gone.zip"
    gone.symlink_to(house / "nowhere")
    wait_until(lambda: DataStore(house / "data").check(gone).done)
    said = view(page, "Data")
    assert "ended without a word" in said  # the stand-in's check finds nothing
    assert "210 pictures" in said


def test_a_zip_is_brought_checked_and_added(page: AppTest, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ROOT", ROOT)  # a real check
    page.run()
    page.file_uploader[0].set_value(("faces.zip", b"no zip", "application/zip")).run()
    assert not page.exception
    (brought,) = DataStore(house / "data").incoming()
    wait_until(lambda: DataStore(house / "data").check(brought).done)
    said = view(page, "Data")
    assert "no whole zip" in said
    assert ".incoming" not in said  # people know it by the name that they gave it
    press(page, "Remove it")
    assert DataStore(house / "data").incoming() == []
    assert "No data set yet" in view(page, "Data")


# ---- train ----


def test_start_begins_a_fit_that_shows_at_once(page: AppTest, house: Path) -> None:
    add_data(house)
    page.run()
    said = press(page, "Start")
    (run,) = RunStore(house / "runs").runs()
    assert run.state.has_process
    assert run.id in page.session_state["watched"]
    assert "Stop" in labels(page)
    assert "starting" in said or "running" in said
    assert "Add to the queue" in labels(page)


def test_the_menu_of_runs_is_written_anew_when_a_state_changes(page: AppTest, house: Path) -> None:
    add_data(house)
    folder = add_run(house, "1-run")
    view(page, "Train")
    page.selectbox(key="watched_run").set_value("1-run").run()
    (folder / "ended.json").write_text(json.dumps({"how": "failed", "why": "The disk is full."}))
    page.run()
    menu = page.selectbox(key="watched_run").proto
    # Without a value that is set from here, a browser keeps the words of the option that was chosen.
    assert menu.set_value
    assert menu.raw_value.startswith("1-run · failed")


def test_a_second_fit_is_queued_and_can_be_taken_out(page: AppTest, house: Path) -> None:
    add_data(house)
    page.run()
    press(page, "Start")
    said = press(page, "Add to the queue")
    assert "One fit at a time: it begins when those before it are done." in said
    press(page, "Take out of the queue")
    assert RunStore(house / "runs").queue() == []


def test_stop_and_resume(page: AppTest, house: Path) -> None:
    add_data(house)
    page.run()
    press(page, "Start")
    store = RunStore(house / "runs")
    (run,) = store.runs()
    wait_until(lambda: store.get(run.id).epochs_done == 1)
    said = view(page, "Train")
    assert "1 of 12 epochs done" in said
    assert "Batch 1 of 4 · loss 2.000, accuracy 20.0%" in said
    assert "last update" in said
    assert "Best so far: epoch 1, 50.0%" in said
    press(page, "Stop")
    wait_until(lambda: store.get(run.id).state is State.STOPPED and not processes.is_running(run.folder))
    assert "It was stopped. Resume goes on after epoch 1." in view(page, "Train")
    press(page, "Resume")
    assert store.get(run.id).state.has_process


def test_settings_that_make_no_sense_are_said_before_the_start(page: AppTest, house: Path) -> None:
    add_data(house)
    page.run()
    next(box for box in page.number_input if box.label == "epochs").set_value(0).run()
    assert not page.exception
    assert "epochs is 0; it must lie between 1 and" in words(page)
    assert "Start" not in labels(page)


def test_the_command_line_follows_the_settings(page: AppTest, house: Path) -> None:
    add_data(house)
    page.run()
    next(box for box in page.number_input if box.label == "epochs").set_value(7).run()
    assert any("--epochs 7 " in code.value for code in page.code)


def test_a_full_disk_is_said_and_starts_nothing(page: AppTest, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_data(house)
    page.run()
    monkeypatch.setattr(RunStore, "free_bytes", lambda self: 5_000_000)
    assert "The disk has 5 MB left" in press(page, "Start")
    assert RunStore(house / "runs").runs() == []


DEAD = {"pid": 2**22 + 1, "born": 1.0, "arguments": []}


@pytest.mark.parametrize(
    ("files", "sentences"),
    [
        (
            {"process": DEAD, "ended": None},
            ["ended without a word", "it was killed, the memory ran out", "Resume"],
        ),
        ({"ended": {"how": "failed", "why": "The disk is full."}}, ["failed", "The disk is full.", "Resume goes on"]),
        ({"config": "{"}, ["unreadable", "no readable config.json", "delete this folder"]),
        ({"config": None}, ["unreadable", "half written", "delete this folder"]),
        ({"checkpoint": "{"}, ["failed", "checkpoint is damaged", "Start a new fit"]),
        ({"best": "{", "environment": "7"}, ["stopped", "Resume goes on after epoch 2."]),
    ],
    ids=["killed", "failed", "config torn", "config gone", "checkpoint torn", "others torn"],
)
def test_a_broken_run_is_shown_as_what_it_is_and_the_rest_works(
    page: AppTest, house: Path, files: dict[str, Any], sentences: list[str]
) -> None:
    add_data(house)
    add_run(house, "1-whole")
    add_run(house, "2-broken", **files)
    said = view(page, "Train")
    assert all(sentence in said for sentence in sentences)
    assert "Start" in labels(page)
    for name in ("Understand", "Go live", "Data"):
        view(page, name)


def test_any_run_can_be_looked_at_and_is_so_after_another_view(page: AppTest, house: Path) -> None:
    add_data(house)
    for name in ("1-run", "2-run", "3-run"):
        add_run(house, name, ended={"how": "failed", "why": f"Why {name}."})
    view(page, "Train")
    for name in ("2-run", "1-run", "3-run", "1-run"):
        page.selectbox(key="watched_run").set_value(name).run()
        assert f"Why {name}." in words(page)
    view(page, "Data")
    assert "Why 1-run." in view(page, "Train")


def test_lines_that_can_not_be_read_are_counted(page: AppTest, house: Path) -> None:
    add_data(house)
    with (add_run(house, "1-whole") / "progress.jsonl").open("a") as file:
        file.write("garbage\n" * 3)
    assert "3 lines of its progress can't be read" in view(page, "Train")
    assert charts(page) == 2


def test_delete_is_asked_twice_and_spares_the_live_models_run(page: AppTest, house: Path, tiny_model: bytes) -> None:
    add_data(house)
    folder = add_run(house, "1-run")
    write_model(house / "models" / "1-run-e2", tiny_model)
    ModelStore(house / "models").promote("1-run-e2")
    view(page, "Train")
    assert "put another one live first" in press(page, "Yes, delete it for good")
    assert folder.exists()
    ModelStore(house / "models").rollback()
    press(page, "Yes, delete it for good")
    assert not folder.exists()


# ---- understand ----


def test_the_best_run_is_looked_into(page: AppTest, house: Path) -> None:
    add_run(house, "1-good", checkpoint={"epoch": 2, "best_epoch": 2, "best_public_accuracy": 0.7, "weights": "w.h5"})
    add_run(house, "2-bad")
    said = view(page, "Understand")
    assert "1-good, epoch 2" in said
    assert charts(page) == 3  # curves, confusion, classes
    assert "sad, read as **happy** 98%" in said
    assert list(page.dataframe[0].value["run"]) == ["2-bad", "1-good"]


def test_marked_runs_are_laid_over_each_other_and_their_differences_named(page: AppTest, house: Path) -> None:
    add_run(house, "1-one")
    add_run(house, "2-other", config={"data": "x", "epochs": 9, "learning_rate": 0.5})
    page.session_state["marked"] = ["2-other", "1-one"]
    said = view(page, "Understand")
    assert "What differs in their settings" in said
    assert list(page.dataframe[1].value["setting"]) == ["data", "learning rate"]


def test_what_is_marked_stays_so_when_another_run_comes(page: AppTest, house: Path) -> None:
    for name in ("1-best", "2-marked"):
        add_run(house, name, checkpoint=CHECKPOINT | {"best_public_accuracy": 0.9 if "best" in name else 0.5})
    page.session_state["marked"] = ["2-marked"]
    assert "2-marked, epoch 2" in view(page, "Understand")
    add_run(house, "3-new")
    assert "2-marked, epoch 2" in view(page, "Understand")
    view(page, "Data")
    assert "2-marked, epoch 2" in view(page, "Understand")


NO_FACE = {"label": "sad", "read": "happy", "confidence": 0.9, "png": base64.b64encode(b"no picture").decode()}


@pytest.mark.parametrize(
    "edited",
    [
        {"figures": {"accuracy": "good", "confusion": "none"}, "wrong": [{"png": 7}, "face"]},
        {"figures": {"n": "many", "recall": [1], "precision": {"sad": "all"}}},
        {"figures": {"n": None, "confusion": [1] * 7}},
        {"figures": {"confusion": [[1]] * 7}},
        {"figures": {"confusion": [["one"] * 7] * 7}},
        {"figures": {}, "wrong": [NO_FACE]},
    ],
    ids=["other kinds", "text", "no table", "rows too short", "cells of text", "no picture"],
)
def test_figures_and_faces_that_were_edited_are_left_out(page: AppTest, house: Path, edited: dict[str, Any]) -> None:
    add_run(house, "1-edited", best={"epoch": 2, **edited})
    assert "1-edited, epoch 2" in view(page, "Understand")


# ---- go live ----


def test_a_model_is_promoted_and_rolled_back(page: AppTest, house: Path, tiny_model: bytes) -> None:
    write_model(house / "models" / "better", tiny_model)
    assert "Roll back" not in (view(page, "Go live"), labels(page))[1]
    press(page, "Put live")
    assert ModelStore(house / "models").live_id == "better"
    press(page, "Roll back")
    assert ModelStore(house / "models").live_id == "seed"


def test_a_run_goes_live_and_what_it_reads_worse_is_said(
    page: AppTest, house: Path, exporting: Callable[[str], None]
) -> None:
    card = json.loads((house / "models" / "seed" / "card.json").read_text())
    card |= {"figures": {"public": {"n": 70, "accuracy": 0.6}}, "data": {"name": "FER-2013"}}
    (house / "models" / "seed" / "card.json").write_text(json.dumps(card))
    add_run(house, "1-run")
    assert "It reads worse than the live model: 50.0% of the public pictures, against 60.0%." in view(page, "Go live")
    exporting("import time; print('Loading TensorFlow', flush=True); time.sleep(60)")
    assert "you can leave this page meanwhile" in press(page, "Go live")


def test_an_export_that_failed_says_why(
    page: AppTest, house: Path, exporting: Callable[[str], None], tiny_model: bytes
) -> None:
    folder = add_run(house, "1-run")
    exporting("print('emojify: There is no data any more.')")
    view(page, "Go live")
    press(page, "Go live")
    wait_until(lambda: not processes.is_running(folder / "export"))
    assert "The model was not made. There is no data any more." in view(page, "Go live")
    assert "Go live" in labels(page)
    # It was made all the same, and somebody has put it live since: then that is what counts.
    write_model(house / "models" / "1-run-e2", tiny_model)
    ModelStore(house / "models").promote("1-run-e2")
    shown = view(page, "Go live")
    assert "is live." in shown
    assert "was not made" not in shown


@pytest.fixture
def exporting(house: Path) -> Callable[[str], None]:
    """Choose what the exporting process does."""

    def write(text: str) -> None:
        (house / "root" / "emojify" / "__main__.py").write_text(text)

    return write


def test_broken_models_are_named_and_can_be_deleted(page: AppTest, house: Path, tiny_model: bytes) -> None:
    write_model(house / "models" / "torn", tiny_model)
    (house / "models" / "torn" / "card.json").write_text("{")
    assert "The model torn has no readable card.json." in view(page, "Go live")
    press(page, "Yes, delete it for good")
    assert not (house / "models" / "torn").exists()


def test_without_any_model_that_opens_the_page_says_so(page: AppTest, house: Path) -> None:
    (house / "models" / "seed" / "model.tflite").write_bytes(b"")
    assert "No model can be opened" in view(page, "Go live")


def test_hundreds_of_runs_are_listed(page: AppTest, house: Path) -> None:
    add_data(house)
    for number in range(200):
        add_run(house, f"{number:03}-run")
    view(page, "Understand")
    assert len(page.dataframe[0].value) == 200
    view(page, "Train")
    assert page.selectbox[-1].options[0].startswith("199-run · stopped")
