"""The sentences and tables of the training page."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from emojify.runs.config import FitConfig
from emojify.runs.run import Run, State
from pages.training_views.text import (
    SETTINGS_HELP,
    card_lines,
    file_kind,
    findings,
    history_row,
    percent,
    run_label,
    setting_differences,
)
from tests.helpers.training_pages import report

CONFIG = FitConfig(data="faces.zip", epochs=9)


def test_settings_help_names_existing_settings() -> None:
    assert set(SETTINGS_HELP) <= {field.name for field in fields(FitConfig)}


@pytest.mark.parametrize(
    ("run", "label"),
    [
        (Run(Path("1-run"), State.BROKEN), "1-run · unreadable"),
        (Run(Path("1-run"), State.RUNNING, config=CONFIG, epochs_done=2), "1-run · running"),
        (Run(Path("1-run"), State.STOPPED, config=CONFIG, epochs_done=2), "1-run · stopped · 2 of 9 epochs"),
        (
            Run(Path("1-run"), State.STOPPED, config=CONFIG, epochs_done=2, best_accuracy=0.5),
            "1-run · stopped · 2 of 9 epochs · 50.0%",
        ),
    ],
)
def test_run_label(run: Run, label: str) -> None:
    assert run_label(run) == label


def test_file_kind_gives_size_and_type(tmp_path: Path) -> None:
    small, large = tmp_path / "small.ZIP", tmp_path / "large.csv"
    small.write_bytes(bytes(1_200_000))
    large.write_bytes(bytes(12_300_000))
    assert [file_kind(path) for path in (tmp_path, small, large)] == ["folder", "1.2 MB zip", "12 MB csv"]
    assert file_kind(tmp_path / "missing.zip") == "zip"


def test_findings_report_leaks_and_duplicates() -> None:
    lines = findings(report(duplicates={"n": 4, "files": []}, conflicting=1))
    assert lines[:3] == [
        "7 of 70 public pictures (10%) are also in train, 3 of them pixel for pixel. A model has seen their answers, "
        'so the figures "without copies" leave them out.',
        "No private picture is also in train. That is good.",
        "4 groups of pictures are identical; 1 of these groups have different labels. 0 more pairs are nearly "
        "identical.",
    ]
    assert len(lines) == 3


def test_card_lines_skip_missing_texts() -> None:
    card = {"network": "seed", "reads_well": ["happy", "sad"], "data": {"name": "FER-2013", "licence": "research"}}
    assert card_lines(card) == [
        ("Network", "seed"),
        ("Trained on", "FER-2013"),
        ("Good at", "happy, sad"),
        ("License", "research"),
    ]
    assert card_lines({"data": "edited"}) == []


def test_history_row_of_broken_run_is_empty() -> None:
    row = history_row(Run(Path("1-run"), State.BROKEN))
    assert (row["run"], row["state"], row["network"]) == ("1-run", "unreadable", "")
    assert [row[name] for name in ("started", "of", "best epoch", "accuracy", "macro recall")] == [None] * 5


def test_history_row_gives_percentages() -> None:
    row = history_row(Run(Path("1-run"), State.FINISHED, config=CONFIG, best_accuracy=0.5, best_recall=0.25))
    assert (row["of"], row["accuracy"], row["macro recall"]) == (9, 50.0, 25.0)


def test_setting_differences_list_changed_settings() -> None:
    other = FitConfig(data="faces.zip", epochs=9, learning_rate=0.5)
    assert setting_differences([("a", CONFIG), ("b", other)]) == {
        "setting": ["learning rate"],
        "a": ["0.0001"],
        "b": ["0.5"],
    }
    assert setting_differences([("a", CONFIG), ("b", CONFIG)]) == {}


def test_percent_shows_dash_without_number() -> None:
    assert [percent(value) for value in (0.123, 1, None, "good")] == ["12.3%", "100.0%", "–", "–"]
