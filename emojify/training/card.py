"""A model's card: what it is, what it was trained on, its figures, and for whom it may fail."""

from __future__ import annotations

from typing import Any

from emojify.emotions import LABELS
from emojify.training.dataset import Dataset
from emojify.training.figures import Figures
from emojify.training.splits import FER2013

READS_WELL = 0.75
READS_BADLY = 0.50
"""Recall from which an emotion counts as read well, and below which as read badly."""

BY_FERPLUS, BY_LABELS = "FER+ majority", "labels"

SPLIT_TITLES = {"public": "public", "private": "private", "private_clean": "private, clean"}

_FIGURES_NOTE = (
    "accuracy, recall, precision, f1, macro_recall, calibration_error and confusion compare with the data set's own "
    "labels."
)
_FERPLUS_NOTE = (
    "The figures that begin with ferplus_ compare with what ten raters saw in each picture (FER+): accuracy and recall "
    "with the emotion that more than half of them chose, cross-entropy and calibration error with the shares of their "
    "votes."
)
_LICENSE = {
    FER2013: "FER-2013 was collected from image searches for a contest in 2013 and is passed on for research. "
    "Nobody cleared the rights of its pictures one by one; none of them is part of this project."
}
_LEAK = {
    FER2013: "The official split leaks: about 8 % of the public and private pictures copy a training picture. "
    "'private' is what papers quote; 'private_clean' leaves out copies, blank pictures and pictures without a face."
}
_CAVEATS = {
    FER2013: [
        "The labels are noisy: people agree with them on about 65 % of the pictures (Goodfellow et al. 2013).",
        "The pictures are from web searches. Nobody recorded skin tone or age; most seem to show light-skinned adults.",
        "How well it reads darker skin, children, old people or covered faces was not measured: expect more mistakes.",
    ]
}
_OWN_LICENSE = "These pictures were provided by the person who trained this model, who must know their rights."
_OWN_LEAK = "'private_clean' leaves out pictures that have a near copy in train."
_OWN_CAVEATS = ["It was only measured on pictures of this data set: expect more mistakes on other people."]
_ALWAYS = [
    "It reads what a face shows, not what a person feels. It is a toy: use it for no decision about anyone.",
]


def make_card(
    identity: dict[str, Any], data: Dataset, recipe: dict[str, Any], figures: dict[str, Figures]
) -> dict[str, Any]:
    """Return the content of ``card.json``.

    Args:
        identity: id, name, network, files and crop margin.
        data: the data set that the model was trained on.
        recipe: how it was trained.
        figures: by split: public, private and, if there are clean marks, private_clean.
    """
    known = data.name if data.name in _LICENSE else FER2013 if data.name.startswith(f"{FER2013} and ") else ""
    return {
        **identity,
        "data": {
            "name": data.name,
            "train_n": len(data.split("train")),
            "leak": _LEAK.get(known, _OWN_LEAK),
            "license": _LICENSE[known] if known == data.name else " ".join([*_known(_LICENSE, known), _OWN_LICENSE]),
        },
        "recipe": recipe,
        **figure_entries(figures),
        "caveats": _CAVEATS.get(known, _OWN_CAVEATS) + _ALWAYS,
    }


def figure_entries(figures: dict[str, Figures]) -> dict[str, Any]:
    """Return the card's entries that follow from the figures.

    The emotions that it reads well and badly follow from the recall on private: against the FER+ majority if there
    are votes, else against the labels. ``judged_by`` says which.
    """
    judged = figures.get("private") or figures["public"]
    by_votes = judged.ferplus_recall is not None
    recall = {label: v for label, v in (judged.ferplus_recall or judged.recall).items() if v is not None}
    return {
        "figures": {split: split_figures.as_dict() for split, split_figures in figures.items()},
        "figures_note": f"{_FIGURES_NOTE} {_FERPLUS_NOTE}" if by_votes else _FIGURES_NOTE,
        "judged_by": BY_FERPLUS if by_votes else BY_LABELS,
        "reads_well": [label for label, value in recall.items() if value >= READS_WELL],
        "reads_badly": [label for label, value in recall.items() if value < READS_BADLY],
    }


def markdown_tables(card: dict[str, Any]) -> str:
    """Return a model's figures as Markdown tables, as ``docs/model_card.md`` shows them.

    Args:
        card: the content of ``card.json``, of this or an older version. Missing figures are shown as "-".
    """
    figures: dict[str, dict[str, Any]] = card.get("figures") or {}
    rows = [(title, figures[split]) for split, title in SPLIT_TITLES.items() if split in figures]
    lines = [
        f"### {card.get('name', card.get('id', 'model'))}",
        "",
        "| | pictures | accuracy | macro recall | calibration error | FER+ pictures | accuracy | macro recall "
        "| cross-entropy | calibration error |",
        "|---" * 10 + "|",
    ]
    for title, values in rows:
        cells = [
            _count(values.get("n")),
            _percent(values.get("accuracy")),
            _percent(values.get("macro_recall")),
            _number(values.get("calibration_error")),
            _count(values.get("ferplus_n")),
            _percent(values.get("ferplus_accuracy")),
            _percent(values.get("ferplus_macro_recall")),
            _number(values.get("ferplus_cross_entropy")),
            _number(values.get("ferplus_calibration_error")),
        ]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines += ["", f"| recall | {' | '.join(LABELS)} |", "|---" * (len(LABELS) + 1) + "|"]
    for title, values in rows:
        for name, key in (("FER+ majority", "ferplus_recall"), ("labels", "recall")):
            recall = values.get(key)
            if isinstance(recall, dict):
                lines.append(
                    f"| {title}, {name} | " + " | ".join(_number(recall.get(label)) for label in LABELS) + " |"
                )
    return "\n".join(lines)


def _known(texts: dict[str, str], name: str) -> list[str]:
    return [texts[name]] if name in texts else []


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "-"


def _percent(value: Any) -> str:
    return f"{value:.1%}".replace("%", " %") if isinstance(value, (int, float)) else "-"


def _number(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, (int, float)) else "-"
