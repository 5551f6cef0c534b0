"""Charts as Vega-Lite writes them: a table of rows and a description that stays the same while the table grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emojify.emotions import LABELS, Emotion
from emojify.runs.progress import Epoch, Progress

TRAIN, VALIDATION = "train", "validation"
_COLORS = {TRAIN: "#E69F00", VALIDATION: "#0072B2"}  # Okabe and Ito's
_GRAY = "#8A8A8A"
_SPLIT_COLORS = {"train": "#0072B2", "public": "#E69F00", "private": "#CC79A7"}
_RUN_COLORS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8A8A8A"]

Rows = list[dict[str, Any]]

METRICS = {
    "Accuracy on validation": "val_accuracy",
    "Loss on validation": "val_loss",
    "Macro recall on validation": "val_macro_recall",
    "Accuracy on train": "accuracy",
    "Loss on train": "loss",
    "Learning rate": "learning_rate",
}


def curve_rows(progress: Progress, metric: str, best_epoch: int) -> Rows:
    """``loss`` or ``accuracy`` by epoch, for train and validation, and for the epoch under way as far as it is."""
    rows: Rows = []
    for epoch in progress.epochs:
        is_best = epoch.number == best_epoch
        rows.append({"epoch": float(epoch.number), "value": getattr(epoch, metric), "of": TRAIN, "best": False})
        value = getattr(epoch, f"val_{metric}")
        rows.append({"epoch": float(epoch.number), "value": value, "of": VALIDATION, "best": is_best})
    batch = progress.batch
    if batch is not None and batch.epoch == len(progress.epochs) and batch.number > 1:
        at = batch.epoch + batch.number / batch.batches
        rows.append({"epoch": at, "value": getattr(batch, metric), "of": TRAIN, "best": False})
    return rows


def curve_spec(title: str, *, percent: bool) -> dict[str, Any]:
    """Two lines that grow, the best epoch marked."""
    x = {
        "field": "epoch",
        "type": "quantitative",
        "title": "epoch",
        "axis": {"tickMinStep": 1, "format": "d", "grid": False},
    }
    form = ".0%" if percent else ".2f"
    y = {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}, "axis": {"format": form}}
    color = {
        "field": "of",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(_COLORS), "range": list(_COLORS.values())},
        "legend": {"orient": "top"},
    }
    tooltip: Rows = [
        {"field": "of", "title": "of"},
        {"field": "epoch", "format": ".2~f"},
        {"field": "value", "format": ".1%" if percent else ".3f"},
    ]
    line: dict[str, Any] = {"mark": {"type": "line", "point": {"size": 18}, "clip": True}}
    line |= {"encoding": {"x": x, "y": y, "color": color, "tooltip": tooltip}}
    only_best = [{"filter": "datum.best"}]
    rule: dict[str, Any] = {"mark": {"type": "rule", "color": _GRAY, "strokeDash": [4, 4]}, "transform": only_best}
    rule |= {"encoding": {"x": x}}
    mark: dict[str, Any] = {"mark": {"type": "text", "color": _GRAY, "dy": -6, "baseline": "bottom", "text": "best"}}
    mark |= {"transform": only_best, "encoding": {"x": x, "y": {"value": 0}}}
    return {"title": title, "height": 320, "layer": [line, rule, mark]}


def overlay_rows(histories: Sequence[tuple[str, Sequence[Epoch]]], metric: str) -> Rows:
    """One metric of several runs, by epoch."""
    return [
        {"epoch": epoch.number, "value": getattr(epoch, metric), "run": name}
        for name, epochs in histories
        for epoch in epochs
    ]


def overlay_spec(metric_name: str) -> dict[str, Any]:
    """A line for each run."""
    percent = "ccuracy" in metric_name or "recall" in metric_name
    form = ".0%" if percent else "~g"
    return {
        "height": 380,
        "mark": {"type": "line", "point": {"size": 18}},
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "title": "epoch",
                "axis": {"tickMinStep": 1, "format": "d", "grid": False},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": metric_name,
                "scale": {"zero": False},
                "axis": {"format": form},
            },
            "color": {
                "field": "run",
                "type": "nominal",
                "title": None,
                "scale": {"range": _RUN_COLORS},
                "legend": {"orient": "bottom", "columns": 1, "labelLimit": 400},
            },
            "tooltip": [
                {"field": "run"},
                {"field": "epoch"},
                {"field": "value", "format": ".1%" if percent else ".3~g"},
            ],
        },
    }


def confusion_rows(confusion: Sequence[Sequence[int]]) -> Rows:
    """A row for each cell: how many pictures labelled so were read so, and which share of the label's that is."""
    rows: Rows = []
    for label, counts in zip(LABELS, confusion, strict=True):
        whole = sum(counts)
        for read, count in zip(LABELS, counts, strict=True):
            rows.append({"label": label, "read": read, "n": count, "share": count / whole if whole else 0.0})
    return rows


def confusion_spec() -> dict[str, Any]:
    """The darker, the larger the share of its row; every cell says it in figures too."""
    x: dict[str, Any] = {"field": "read", "type": "nominal", "sort": None, "title": "read as"}
    x["axis"] = {"labelAngle": -40, "labelOverlap": False}
    y = {"field": "label", "type": "nominal", "sort": None, "title": "labelled"}
    color: dict[str, Any] = {"field": "share", "type": "quantitative", "legend": None}
    color["scale"] = {"domain": [0, 1], "range": ["#F3EEE3", "#0072B2"]}
    tooltip = [
        {"field": "label", "title": "labelled"},
        {"field": "read", "title": "read as"},
        {"field": "n", "title": "pictures"},
        {"field": "share", "format": ".1%"},
    ]
    ink = {"condition": {"test": "datum.share > 0.55", "value": "white"}, "value": "#1F1B2E"}
    text = {"field": "share", "type": "quantitative", "format": ".0%"}
    return {
        "height": 360,
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
        "layer": [
            {"mark": {"type": "rect", "cornerRadius": 3}, "encoding": {"color": color}},
            {"mark": {"type": "text", "fontSize": 12}, "encoding": {"text": text, "color": ink}},
        ],
    }


def class_rows(figures: dict[str, Any]) -> Rows:
    """Recall and precision of every emotion; one without pictures, or never read, counts as 0."""
    return [
        {"emotion": label, "of": name, "share": float((figures.get(name) or {}).get(label) or 0.0)}
        for label in LABELS
        for name in ("recall", "precision")
    ]


def class_spec() -> dict[str, Any]:
    """Two bars for each emotion."""
    return {
        "height": 360,
        "mark": {"type": "bar", "cornerRadiusEnd": 3},
        "encoding": {
            "y": {"field": "emotion", "type": "nominal", "sort": None, "title": None},
            "yOffset": {"field": "of", "sort": ["recall", "precision"]},
            "x": {
                "field": "share",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, 1]},
                "axis": {"format": ".0%"},
            },
            "color": {
                "field": "of",
                "type": "nominal",
                "title": None,
                "sort": ["recall", "precision"],
                "scale": {"domain": ["recall", "precision"], "range": ["#0072B2", "#E69F00"]},
                "legend": {"orient": "top"},
            },
            "tooltip": [{"field": "emotion"}, {"field": "of"}, {"field": "share", "format": ".1%"}],
        },
    }


def count_rows(counts: dict[str, dict[str, int]]) -> Rows:
    """How many pictures there are, by emotion and split."""
    return [
        {"emotion": f"{emotion.symbol} {emotion.label}", "split": split, "pictures": counts[split][emotion.label]}
        for emotion in Emotion
        for split in counts
    ]


def count_spec() -> dict[str, Any]:
    """A bar for each emotion, in parts by split."""
    return {
        "height": 360,
        "mark": {"type": "bar"},
        "encoding": {
            "y": {
                "field": "emotion",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": {"labelOverlap": False},
            },
            "x": {"field": "pictures", "type": "quantitative", "title": "pictures"},
            "color": {
                "field": "split",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(_SPLIT_COLORS), "range": list(_SPLIT_COLORS.values())},
                "legend": {"orient": "top"},
            },
            "tooltip": [{"field": "emotion"}, {"field": "split"}, {"field": "pictures", "format": ","}],
        },
    }
