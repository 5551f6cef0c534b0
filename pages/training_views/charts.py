"""The charts of the training page, made with Altair.

Each chart has two functions: one makes the rows of its table, the other makes the chart from them. The specification
of a chart does not depend on its rows: a chart that grows every second gets new rows, and the browser keeps the chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from emojify.emotions import LABELS, Emotion
from emojify.runs.progress import Epoch, Progress

TRAIN, VALIDATION = "train", "validation"
# From the palette of Okabe and Ito, which people with color vision deficiency can tell apart.
_CURVE_COLORS = {TRAIN: "#E69F00", VALIDATION: "#0072B2"}
_SPLIT_COLORS = {"train": "#0072B2", "public": "#E69F00", "private": "#CC79A7"}
_CLASS_COLORS = {"recall": "#0072B2", "precision": "#E69F00"}
RUN_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8A8A8A")
_GRAY = "#8A8A8A"
_WHITE_TEXT_FROM_SHARE = 0.55  # cells of the confusion matrix from here on are too dark for dark text

METRICS = {
    "Accuracy on validation": "val_accuracy",
    "Loss on validation": "val_loss",
    "Macro recall on validation": "val_macro_recall",
    "Accuracy on train": "accuracy",
    "Loss on train": "loss",
    "Learning rate": "learning_rate",
}
"""Fields of :class:`~emojify.runs.progress.Epoch` that runs are compared by, under their title."""

Rows = list[dict[str, Any]]
Chart = alt.Chart | alt.LayerChart | alt.FacetChart

_DATA = alt.NamedData(name="rows")
_EPOCH_AXIS = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d", grid=False))


def curve_rows(progress: Progress, metric: str, best_epoch: int) -> Rows:
    """Return ``loss`` or ``accuracy`` by epoch, for train and validation.

    The epoch in progress adds a row for train, at the fraction of it that is done.
    """
    rows: Rows = []
    for epoch in progress.epochs:
        is_best = epoch.number == best_epoch
        rows.append({"epoch": float(epoch.number), "value": getattr(epoch, metric), "of": TRAIN, "best": False})
        value = getattr(epoch, f"val_{metric}")
        rows.append({"epoch": float(epoch.number), "value": value, "of": VALIDATION, "best": is_best})
    batch = progress.batch
    if batch is not None and batch.epoch == len(progress.epochs) and batch.number > 1:
        epochs_done = batch.epoch + batch.number / batch.batches
        rows.append({"epoch": epochs_done, "value": getattr(batch, metric), "of": TRAIN, "best": False})
    return rows


def curve_chart(rows: Rows, title: str, *, percent: bool) -> Chart:
    """Return two lines that grow with the run. The best epoch is marked."""
    curves = (
        alt.Chart(_DATA)
        .mark_line(point={"size": 18}, clip=True)
        .encode(
            x=_EPOCH_AXIS,
            y=_value_axis(None, "%" if percent else "f"),
            color=_legend_color("of", _CURVE_COLORS),
            tooltip=[
                alt.Tooltip("of:N", title="of"),
                alt.Tooltip("epoch:Q", format=".2~f"),
                alt.Tooltip("value:Q", format=".1%" if percent else ".3f"),
            ],
        )
    )
    best = alt.Chart(_DATA).transform_filter("datum.best").encode(x=_EPOCH_AXIS)
    line = best.mark_rule(color=_GRAY, strokeDash=[4, 4])
    label = best.mark_text(color=_GRAY, dy=-6, baseline="bottom", text="best").encode(y=alt.value(0))
    return alt.layer(curves, line, label, datasets={_DATA.name: rows}).properties(title=title, height=320)


def overlay_rows(histories: Sequence[tuple[str, Sequence[Epoch]]], metric: str) -> Rows:
    """Return one metric of several runs by epoch.

    Args:
        histories: name and epochs of each run.
        metric: a field of :class:`~emojify.runs.progress.Epoch`.
    """
    return [
        {"epoch": epoch.number, "value": getattr(epoch, metric), "run": name}
        for name, epochs in histories
        for epoch in epochs
    ]


def overlay_chart(rows: Rows, title: str) -> Chart:
    """Return one line per run. ``title`` is a key of :data:`METRICS`."""
    percent = METRICS[title].endswith(("accuracy", "recall"))
    return (
        _chart(rows)
        .mark_line(point={"size": 18})
        .encode(
            x=_EPOCH_AXIS,
            y=_value_axis(title, "%" if percent else "g"),
            color=alt.Color(
                "run:N",
                title=None,
                scale=alt.Scale(range=list(RUN_COLORS)),
                legend=alt.Legend(orient="bottom", columns=1, labelLimit=400),
            ),
            tooltip=[
                alt.Tooltip("run:N"),
                alt.Tooltip("epoch:Q"),
                alt.Tooltip("value:Q", format=".1%" if percent else ".3~g"),
            ],
        )
        .properties(height=380)
    )


def confusion_rows(confusion: Sequence[Sequence[int]]) -> Rows:
    """Return one row per cell: the number of pictures with one label that were read as an emotion, and their share.

    Args:
        confusion: (7, 7) counts, by label and then by reading.
    """
    rows: Rows = []
    for label, counts in zip(LABELS, confusion, strict=True):
        total = sum(counts)
        for read, count in zip(LABELS, counts, strict=True):
            rows.append({"label": label, "read": read, "n": count, "share": count / total if total else 0.0})
    return rows


def confusion_chart(rows: Rows) -> Chart:
    """Return the confusion matrix. Darker cells are larger shares of their row; each cell also shows its share."""
    matrix = alt.Chart(_DATA).encode(
        x=alt.X("read:N", sort=None, title="read as", axis=alt.Axis(labelAngle=-40, labelOverlap=False)),
        y=alt.Y("label:N", sort=None, title="labeled"),
        tooltip=[
            alt.Tooltip("label:N", title="labeled"),
            alt.Tooltip("read:N", title="read as"),
            alt.Tooltip("n:Q", title="pictures"),
            alt.Tooltip("share:Q", format=".1%"),
        ],
    )
    shades = alt.Scale(domain=[0, 1], range=["#F3EEE3", "#0072B2"])
    cells = matrix.mark_rect(cornerRadius=3).encode(color=alt.Color("share:Q", scale=shades, legend=None))
    is_dark = f"datum.share > {_WHITE_TEXT_FROM_SHARE}"
    shares = matrix.mark_text(fontSize=12).encode(
        text=alt.Text("share:Q", format=".0%"),
        color=alt.condition(is_dark, alt.value("white"), alt.value("#1F1B2E")),
    )
    return alt.layer(cells, shares, datasets={_DATA.name: rows}).properties(height=360)


def class_rows(figures: dict[str, Any]) -> Rows:
    """Return recall and precision of each emotion; 0 where one is undefined or missing."""
    return [
        {"emotion": label, "of": name, "share": float((figures.get(name) or {}).get(label) or 0.0)}
        for label in LABELS
        for name in _CLASS_COLORS
    ]


def class_chart(rows: Rows) -> Chart:
    """Return two bars per emotion: recall and precision."""
    return (
        _chart(rows)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            y=alt.Y("emotion:N", sort=None, title=None),
            yOffset=alt.YOffset("of:N", sort=list(_CLASS_COLORS)),
            x=alt.X("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%")),
            color=_legend_color("of", _CLASS_COLORS),
            tooltip=[alt.Tooltip("emotion:N"), alt.Tooltip("of:N"), alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=360)
    )


def count_rows(counts: dict[str, dict[str, int]]) -> Rows:
    """Return the number of pictures by emotion and split.

    Args:
        counts: numbers by split and then by label.
    """
    return [
        {"emotion": f"{emotion.symbol} {emotion.label}", "split": split, "pictures": counts[split][emotion.label]}
        for emotion in Emotion
        for split in counts
    ]


def count_chart(rows: Rows) -> Chart:
    """Return one bar per emotion, divided by split."""
    return (
        _chart(rows)
        .mark_bar()
        .encode(
            y=alt.Y("emotion:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False)),
            x=alt.X("pictures:Q", title="pictures"),
            color=_legend_color("split", _SPLIT_COLORS),
            tooltip=[alt.Tooltip("emotion:N"), alt.Tooltip("split:N"), alt.Tooltip("pictures:Q", format=",")],
        )
        .properties(height=360)
    )


def _chart(rows: Rows) -> alt.Chart:
    return alt.Chart(_DATA, datasets={_DATA.name: rows})


def _value_axis(title: str | None, number_format: str) -> alt.Y:
    # A format without a number of digits: Vega shows as many as the ticks need to differ.
    return alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format=number_format))


def _legend_color(field: str, colors: dict[str, str]) -> alt.Color:
    """Return fixed colors for the values of a field, with a legend above the chart."""
    return alt.Color(
        f"{field}:N",
        title=None,
        scale=alt.Scale(domain=list(colors), range=list(colors.values())),
        legend=alt.Legend(orient="top"),
    )
