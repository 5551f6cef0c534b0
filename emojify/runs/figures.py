"""Say what figures mean, in sentences for people.

Figures are dictionaries as :meth:`emojify.training.evaluate.Figures.as_dict` writes them, in ``best.json`` and in
``card.json``. Older files lack the FER+ recall, and edited ones may hold anything: such values are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeGuard

from emojify.emotions import LABELS

LIVE_FIGURES = "live_figures.json"
"""In the folder of a run with an added data set: the live model's figures on the same public pictures."""

NEAR_GUESSING = 0.25
"""Accuracy or macro recall up to which a model is near guessing. Guessing one of seven emotions gives 0.14."""


@dataclass(frozen=True)
class Judged:
    """The figures that a person needs first.

    Attributes:
        accuracy: share of the faces that are read right, 0 to 1.
        macro_recall: mean of ``recall``.
        recall: share of each emotion's faces that are read right; only emotions that have faces.
        n: number of faces.
        by_people: True if right means what most of FER+'s raters saw, False if it means the data set's label.
    """

    accuracy: float
    macro_recall: float
    recall: dict[str, float]
    n: int
    by_people: bool

    @property
    def headline(self) -> str:
        """One sentence, such as "Right in 84 of 100 faces on which people agree"."""
        faces = "faces on which people agree" if self.by_people else "faces, by the data set's labels"
        return f"Right in {out_of_100(self.accuracy)} of 100 {faces}"

    @property
    def near_guessing(self) -> str:
        """A sentence if the model is near guessing, else an empty string."""
        if min(self.accuracy, self.macro_recall) > NEAR_GUESSING:
            return ""
        return (
            f"This model is near guessing: it is right in {out_of_100(self.accuracy)} of 100 faces, and in "
            f"{out_of_100(self.macro_recall)} of 100 if every emotion counts alike. Guessing gives 14. "
            "Train it for longer."
        )


@dataclass(frozen=True)
class Change:
    """The recall of one emotion before and after, 0 to 1; None where it was not measured."""

    emotion: str
    before: float | None
    after: float | None


def judge(figures: Any) -> Judged | None:
    """Return the figures against the FER+ majority if they are there, else against the labels; None if neither is."""
    if not isinstance(figures, dict):
        return None
    for prefix in ("ferplus_", ""):
        accuracy, macro_recall = figures.get(f"{prefix}accuracy"), figures.get(f"{prefix}macro_recall")
        recall, n = _rates(figures.get(f"{prefix}recall")), figures.get(f"{prefix}n")
        if _is_rate(accuracy) and _is_rate(macro_recall) and recall and isinstance(n, int):
            return Judged(float(accuracy), float(macro_recall), recall, n, by_people=bool(prefix))
    return None


def changes(before: Any, after: Any) -> list[Change]:
    """Compare two models on the same pictures, emotion by emotion.

    Both are judged against the FER+ majority if both have it, else both against the labels. Empty if that is
    impossible.
    """
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return []
    for key in ("ferplus_recall", "recall"):
        old, new = _rates(before.get(key)), _rates(after.get(key))
        if old and new:
            return [Change(label, old.get(label), new.get(label)) for label in LABELS if label in old or label in new]
    return []


def out_of_100(rate: float) -> int:
    """Return a rate from 0 to 1 as a whole number of 100, never 100 if one is missing."""
    return min(round(100 * rate), 99) if rate < 1 else 100


def _rates(values: Any) -> dict[str, float]:
    if not isinstance(values, dict):
        return {}
    return {label: float(values[label]) for label in LABELS if _is_rate(values.get(label))}


def _is_rate(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and isfinite(value) and 0 <= value <= 1
