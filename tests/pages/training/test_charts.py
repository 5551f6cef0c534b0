"""The rows behind the charts."""

import pytest

from emojify.emotions import LABELS
from emojify.runs.progress import Batch, Epoch, Progress
from pages.training_views.charts import (
    METRICS,
    class_rows,
    confusion_rows,
    count_rows,
    curve_rows,
    overlay_rows,
)

EPOCHS = (Epoch(1, 2.0, 0.2, 1.9, 0.3, 0.25, 1e-4, 10.0), Epoch(2, 1.5, 0.4, 1.6, 0.5, 0.45, 1e-4, 10.0))


def test_a_curve_has_train_and_validation_and_marks_the_best_epoch() -> None:
    rows = curve_rows(Progress(EPOCHS), "accuracy", best_epoch=2)
    assert [(row["epoch"], row["of"], row["value"], row["best"]) for row in rows] == [
        (1.0, "train", 0.2, False),
        (1.0, "validation", 0.3, False),
        (2.0, "train", 0.4, False),
        (2.0, "validation", 0.5, True),
    ]


def test_the_epoch_under_way_is_drawn_as_far_as_it_is() -> None:
    progress = Progress(EPOCHS, Batch(2, 3, 4, 1.2, 0.6, 0.0))
    assert curve_rows(progress, "loss", 2)[-1] == {"epoch": 2.75, "value": 1.2, "of": "train", "best": False}
    over = Progress(EPOCHS, Batch(1, 4, 4, 1.2, 0.6, 0.0))  # of an epoch that is whole by now
    assert len(curve_rows(over, "loss", 2)) == 4


@pytest.mark.parametrize("metric", METRICS.values())
def test_every_metric_can_be_laid_over_each_other(metric: str) -> None:
    rows = overlay_rows([("a", EPOCHS), ("b", EPOCHS[:1])], metric)
    assert [row["run"] for row in rows] == ["a", "a", "b"]
    assert rows[0]["value"] == getattr(EPOCHS[0], metric)


def test_the_confusion_is_in_shares_of_its_row_and_an_empty_row_is_nothing() -> None:
    confusion = [[0] * 7 for _ in LABELS]
    confusion[3][3], confusion[3][4] = 3, 1
    rows = confusion_rows(confusion)
    assert len(rows) == 49
    cells = {(row["label"], row["read"]): row for row in rows}
    assert (cells["happy", "neutral"]["n"], cells["happy", "neutral"]["share"]) == (1, 0.25)
    assert cells["sad", "sad"]["share"] == 0


def test_an_emotion_that_is_never_read_has_an_empty_bar() -> None:
    rows = class_rows({"recall": {"happy": 0.5, "sad": None}})
    shares = {(row["emotion"], row["of"]): row["share"] for row in rows}
    assert (shares["happy", "recall"], shares["sad", "recall"], shares["happy", "precision"]) == (0.5, 0.0, 0.0)


def test_pictures_are_counted_by_emotion_and_split() -> None:
    rows = count_rows({"train": dict.fromkeys(LABELS, 5), "public": dict.fromkeys(LABELS, 2)})
    assert len(rows) == 14
    assert {row["pictures"] for row in rows if row["split"] == "public"} == {2}
