"""Putting runs live, with a script in place of the export command."""

import json
from pathlib import Path

import pytest

from emojify import processes
from emojify.errors import EmojifyError
from emojify.models import Model, ModelStore
from emojify.runs.golive import compare_models, compare_run, export_status, go_live
from emojify.runs.run import Run
from emojify.runs.store import RunStore
from tests.helpers.fake_training import FINISHES, config
from tests.helpers.programs import wait_until
from tests.helpers.stores import write_model

FIGURES = {"public": {"n": 100, "accuracy": 0.6}, "private": {"n": 100, "accuracy": 0.62}}


@pytest.fixture
def models(models_folder: Path) -> ModelStore:
    """Its live one is ``seed``, measured on FER-2013."""
    edit_card(models_folder / "seed", figures=FIGURES, data={"name": "FER-2013"})
    return ModelStore(models_folder)


def edit_card(folder: Path, **content: object) -> Model:
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | content))
    return Model(folder)


@pytest.fixture
def run(store: RunStore, data: Path) -> Run:
    """A finished run, half of whose answers are right."""
    run = store.launch(config(data, FINISHES))
    wait_until(lambda: not processes.is_running(run.folder))
    (run.folder / "environment.json").write_text(json.dumps({"pictures": {"data": "FER-2013"}}))
    (run.folder / "best.json").write_text(json.dumps({"epoch": 1, "figures": {"n": 100}}))
    return store.get(run.id)


def script(processes_root: Path, text: str) -> None:
    (processes_root / "emojify" / "__main__.py").write_text(text)


def test_go_live_exports_and_promotes_in_one_process(run: Run, models: ModelStore, tmp_path: Path) -> None:
    script(tmp_path / "root", "import sys; print('Loading TensorFlow', flush=True); input() if 0 else None")
    assert "is being made" in go_live(run, "  My first  ", models)
    asked = json.loads((run.folder / "export" / "process.json").read_text())["arguments"]
    assert asked == ["export", str(run.folder), "--id", run.model_id, "--name=My first", "--promote"]


def test_go_live_refuses_second_export_while_one_runs(run: Run, models: ModelStore, tmp_path: Path) -> None:
    script(tmp_path / "root", "import time; print('Loading TensorFlow\\nW0000 noise', flush=True); time.sleep(60)")
    assert export_status(run, models) is None
    go_live(run, "", models)
    place = run.folder / "export"
    wait_until(lambda: "noise" in (place / "process.log").read_text())
    export = export_status(run, models)
    assert export is not None
    assert (export.running, export.step, export.model_id) == (True, "Loading TensorFlow", run.model_id)
    with pytest.raises(EmojifyError, match="being made already"):
        go_live(run, "", models)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("print('noise'); print('emojify: There is no data any more.')", "There is no data any more."),
        (
            "import os; print('noise', flush=True); os.kill(os.getpid(), 9)",
            "stopped unexpectedly. Its last line was: noise",
        ),
        ("", "stopped unexpectedly."),
    ],
)
def test_export_status_explains_failure_and_allows_retry(
    run: Run, models: ModelStore, tmp_path: Path, text: str, sentence: str
) -> None:
    script(tmp_path / "root", text)
    go_live(run, "", models)
    wait_until(lambda: not processes.is_running(run.folder / "export"))
    export = export_status(run, models)
    assert export is not None
    assert not export.running
    assert sentence in export.error
    assert models.live_id == "seed"
    go_live(run, "", models)


def test_go_live_promotes_existing_model_at_once(run: Run, models: ModelStore, tiny_model: bytes) -> None:
    write_model(models.folder / run.model_id, tiny_model)
    assert "is live" in go_live(run, "", models)
    assert models.live_id == run.model_id
    assert export_status(run, models) is None


def test_go_live_refuses_run_without_whole_epoch(store: RunStore, models: ModelStore, data: Path) -> None:
    (store.folder / "empty").mkdir(parents=True)
    (store.folder / "empty" / "config.json").write_text(json.dumps({"data": str(data)}))
    with pytest.raises(EmojifyError, match="no whole epoch yet"):
        go_live(store.get("empty"), "", models)


def test_compare_run_warns_of_lower_accuracy(run: Run, models: ModelStore) -> None:
    live = models.get("seed")
    assert compare_run(run, live) == "It reads worse than the live model: 50.0% of the public pictures, against 60.0%."
    better = edit_card(models.folder / "seed", figures={"public": {"n": 100, "accuracy": 0.4}})
    assert compare_run(run, better) == ""


@pytest.mark.parametrize("changes", [{"data": {"name": "own"}}, {"data": None}, {"figures": {}}, {"figures": None}])
def test_compare_run_refuses_figures_of_other_pictures(
    run: Run, models: ModelStore, changes: dict[str, object]
) -> None:
    assert "can't be compared" in compare_run(run, edit_card(models.folder / "seed", **changes))


def test_compare_models_uses_private_accuracy(models: ModelStore, tiny_model: bytes) -> None:
    write_model(models.folder / "other", tiny_model)
    worse = {"private": {"n": 100, "accuracy": 0.5}}
    other = edit_card(models.folder / "other", figures=worse, data={"name": "FER-2013"})
    live = models.get("seed")
    assert "50.0% of the private pictures, against 62.0%" in compare_models(other, live)
    assert compare_models(live, other) == ""
    assert "can't be compared" in compare_models(edit_card(models.folder / "other", data={"name": "own"}), live)


def test_compare_run_prefers_what_people_see(run: Run, models: ModelStore) -> None:
    rates = {"ferplus_n": 90, "ferplus_macro_recall": 0.8, "ferplus_recall": {"happy": 0.8}}
    better = {"n": 100, "accuracy": 0.5, "ferplus_accuracy": 0.8, **rates}
    (run.folder / "best.json").write_text(json.dumps({"epoch": 1, "figures": better}))
    live_figures = {"public": {"n": 100, "accuracy": 0.6, "ferplus_accuracy": 0.7, **rates}}
    live = edit_card(models.folder / "seed", figures=live_figures)
    assert compare_run(run, live) == ""
    (run.folder / "best.json").write_text(json.dumps({"epoch": 1, "figures": better | {"ferplus_accuracy": 0.6}}))
    assert "60.0% of the public pictures on which people agree, against 70.0%" in compare_run(run, live)


def test_compare_run_uses_live_figures_of_added_data(run: Run, models: ModelStore) -> None:
    live = edit_card(models.folder / "seed", data={"name": "FER-2013"})
    (run.folder / "best.json").write_text(json.dumps({"epoch": 1, "figures": {"n": 107, "accuracy": 0.5}}))
    assert "can't be compared" in compare_run(run, live)
    for accuracy, warns in ((0.6, True), (0.4, False)):
        content = {"model": "seed", "figures": {"n": 107, "accuracy": accuracy}}
        (run.folder / "live_figures.json").write_text(json.dumps(content))
        assert bool(compare_run(run, live)) is warns
