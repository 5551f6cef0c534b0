"""The charts of the training page and the rows behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emojify.emotions import LABELS
from emojify.runs.progress import Batch, Epoch, Progress
from pages.training_views.charts import (
    METRICS,
    Chart,
    Rows,
    class_chart,
    class_rows,
    confusion_chart,
    confusion_rows,
    count_chart,
    count_rows,
    curve_chart,
    curve_rows,
    overlay_chart,
    overlay_rows,
)

EPOCHS = (Epoch(1, 2.0, 0.2, 1.9, 0.3, 0.25, 1e-4, 10.0), Epoch(2, 1.5, 0.4, 1.6, 0.5, 0.45, 1e-4, 10.0))


def test_curve_rows_mark_best_epoch() -> None:
    rows = curve_rows(Progress(EPOCHS), "accuracy", best_epoch=2)
    assert [(row["epoch"], row["of"], row["value"], row["best"]) for row in rows] == [
        (1.0, "train", 0.2, False),
        (1.0, "validation", 0.3, False),
        (2.0, "train", 0.4, False),
        (2.0, "validation", 0.5, True),
    ]


def test_curve_rows_include_epoch_in_progress() -> None:
    progress = Progress(EPOCHS, Batch(2, 3, 4, 1.2, 0.6, 0.0))
    assert curve_rows(progress, "loss", 2)[-1] == {"epoch": 2.75, "value": 1.2, "of": "train", "best": False}
    finished = Progress(EPOCHS, Batch(1, 4, 4, 1.2, 0.6, 0.0))  # of an epoch that is complete
    assert len(curve_rows(finished, "loss", 2)) == 4


@pytest.mark.parametrize("metric", METRICS.values())
def test_overlay_rows_take_every_metric(metric: str) -> None:
    rows = overlay_rows([("a", EPOCHS), ("b", EPOCHS[:1])], metric)
    assert [row["run"] for row in rows] == ["a", "a", "b"]
    assert rows[0]["value"] == getattr(EPOCHS[0], metric)


def test_confusion_rows_are_shares_of_their_label() -> None:
    confusion = [[0] * 7 for _ in LABELS]
    confusion[3][3], confusion[3][4] = 3, 1
    rows = confusion_rows(confusion)
    assert len(rows) == 49
    cells = {(row["label"], row["read"]): row for row in rows}
    assert (cells["happy", "neutral"]["n"], cells["happy", "neutral"]["share"]) == (1, 0.25)
    assert cells["sad", "sad"]["share"] == 0


def test_class_rows_are_zero_where_undefined() -> None:
    rows = class_rows({"recall": {"happy": 0.5, "sad": None}})
    shares = {(row["emotion"], row["of"]): row["share"] for row in rows}
    assert (shares["happy", "recall"], shares["sad", "recall"], shares["happy", "precision"]) == (0.5, 0.0, 0.0)


def test_count_rows_cover_emotions_and_splits() -> None:
    rows = count_rows({"train": dict.fromkeys(LABELS, 5), "public": dict.fromkeys(LABELS, 2)})
    assert len(rows) == 14
    assert {row["pictures"] for row in rows if row["split"] == "public"} == {2}


CHARTS: dict[str, tuple[Callable[[Rows], Chart], Rows]] = {
    "curve": (lambda rows: curve_chart(rows, "Loss", percent=False), curve_rows(Progress(EPOCHS), "loss", 2)),
    "overlay": (lambda rows: overlay_chart(rows, "Loss on train"), overlay_rows([("a", EPOCHS)], "loss")),
    "confusion": (confusion_chart, confusion_rows([[1] * 7 for _ in LABELS])),
    "class": (class_chart, class_rows({})),
    "count": (count_chart, count_rows({"train": dict.fromkeys(LABELS, 5)})),
}


def fields(spec: Any) -> Iterator[str]:
    """Yield every field that a chart's specification refers to."""
    if isinstance(spec, dict):
        if isinstance(spec.get("field"), str):
            yield spec["field"]
        spec = list(spec.values())
    if isinstance(spec, list):
        for part in spec:
            yield from fields(part)


@pytest.mark.parametrize("name", CHARTS)
def test_chart_shows_fields_of_its_rows(name: str) -> None:
    make, rows = CHARTS[name]
    spec = make(rows).to_dict()
    assert spec.pop("datasets") == {"rows": rows}
    shown = set(fields(spec))
    assert shown
    assert shown <= set(rows[0])


@pytest.mark.parametrize("name", CHARTS)
def test_chart_specification_is_independent_of_rows(name: str) -> None:
    make, rows = CHARTS[name]
    before, after = make(rows).to_dict(), make(rows[:1]).to_dict()
    assert before.pop("datasets") != after.pop("datasets")
    assert before == after
