"""The plan of a sweep and its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from emojify.errors import EmojifyError
from emojify.sweeps.plan import FOLDER, PLAN, SweepPlan

VARIED = ("learning_rate=0.01..0.1", "epochs=5,9")


def test_saved_plan_is_read_again(tmp_path: Path) -> None:
    plan = SweepPlan("first", "/data/faces", "seed", VARIED, 7, added_data="/data/mine")
    plan.save(tmp_path / "runs")
    assert SweepPlan.read(tmp_path / "runs", "first") == plan


def test_fit_has_the_values_and_both_data_sets() -> None:
    plan = SweepPlan("first", "/data/faces", "residual", VARIED, 7, added_data="/data/mine")
    config = plan.config({"learning_rate": 0.05, "epochs": 5})
    assert (config.data, config.added_data, config.network) == ("/data/faces", "/data/mine", "residual")
    assert (config.learning_rate, config.epochs, config.flip) == (0.05, 5, True)  # flip: the network's recipe


def test_epochs_are_the_most_that_a_fit_may_have() -> None:
    assert SweepPlan("a", "faces", "seed", VARIED, 1).epochs == 9
    assert SweepPlan("a", "faces", "seed", ("epochs=5..30",), 1).epochs == 30
    assert SweepPlan("a", "faces", "seed", ("learning_rate=0.1,0.2",), 1).epochs == 50  # the network's recipe


def test_name_is_used_once(tmp_path: Path) -> None:
    plan = SweepPlan("first", "faces", "seed", VARIED, 7)
    plan.save(tmp_path)
    with pytest.raises(EmojifyError, match="already"):
        plan.save(tmp_path)


def test_run_of_another_fit_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "first-03").mkdir()
    with pytest.raises(EmojifyError, match="run 'first-03' already"):
        SweepPlan("first", "faces", "seed", VARIED, 7).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["first-03"]


@pytest.mark.parametrize("name", ["", "../x", "A", "-a", "a b", "a" * 41, "a\n"])
def test_bad_name_is_refused(name: str) -> None:
    with pytest.raises(EmojifyError, match="no name for a sweep"):
        SweepPlan(name, "faces", "seed", VARIED, 7)


@pytest.mark.parametrize("trials", [0, -1, 1001])
def test_bad_number_of_trials_is_refused(trials: int) -> None:
    with pytest.raises(EmojifyError, match="1 to 1000"):
        SweepPlan("a", "faces", "seed", VARIED, trials)


def test_something_varies_unless_only_the_seed_does() -> None:
    with pytest.raises(EmojifyError, match="Nothing varies"):
        SweepPlan("a", "faces", "seed", ("epochs=5",), 3)
    with pytest.raises(EmojifyError, match="can't vary"):
        SweepPlan("a", "faces", "seed", VARIED, 3, seeds=3)
    SweepPlan("a", "faces", "seed", ("epochs=5",), 3, seeds=3)


def test_unknown_sweep_names_the_known_ones(tmp_path: Path) -> None:
    SweepPlan("first", "faces", "seed", VARIED, 7).save(tmp_path)
    with pytest.raises(EmojifyError, match="There are: first"):
        SweepPlan.read(tmp_path, "second")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "first"}', '{"settings": 1}', "[" * 500])
def test_edited_plan_is_refused(tmp_path: Path, content: str) -> None:
    SweepPlan("first", "faces", "seed", VARIED, 7).save(tmp_path)
    (tmp_path / FOLDER / "first" / PLAN).write_text(content)
    with pytest.raises(EmojifyError, match="edited"):
        SweepPlan.read(tmp_path, "first")
