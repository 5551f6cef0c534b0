"""The chart of a video's emotions."""

from __future__ import annotations

from emojify.emotions import LABELS
from pages.parts.emotion_chart import CLICKED, bin_rows, emotion_chart

TIMELINE = {"bin_s": 0.5, "bins": [[0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0.25, 0.75, 0, 0]]}


def test_bin_rows_have_one_row_per_emotion() -> None:
    rows = bin_rows(TIMELINE)
    assert len(rows) == 2 * len(LABELS)
    second = rows[rows["from"] == 0.5]
    assert list(second["emotion"]) == list(LABELS)
    assert list(second["share"]) == [0, 0, 0, 0.25, 0.75, 0, 0]
    assert set(second["to"]) == {1.0}


def test_emotion_chart_can_be_clicked() -> None:
    assert [parameter["name"] for parameter in emotion_chart(TIMELINE).to_dict()["params"]] == [CLICKED]
