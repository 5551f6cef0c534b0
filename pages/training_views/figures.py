"""Show figures: what a person needs first, and what changed against the live model."""

from __future__ import annotations

from typing import Any

import streamlit as st

from emojify.emotions import parse_emotion
from emojify.runs.figures import LIVE_FIGURES, Change, Judged, changes, out_of_100
from emojify.runs.reading import read_json_or_empty
from emojify.runs.run import Run
from pages.parts.messages import escape_markdown

NO_BREAK = "\u00a0"  # keeps an emoji and its label on one line on a phone

FEW_PICTURES = 30
"""With fewer pictures than this, one picture more or less changes the table by several points."""


def show_judged(judged: Judged) -> None:
    """Show the headline and one line with every emotion."""
    st.markdown(f"### {judged.headline}")
    st.markdown(emotions_line(judged.recall))
    st.caption(
        f"For each emotion: how many of 100 faces it gets right, measured on {judged.n:,} faces not used for training."
        + (" Right means: what more than half of ten people saw in the face." if judged.by_people else "")
    )
    if judged.near_guessing:
        st.warning(escape_markdown(judged.near_guessing), icon=":material/casino:")


def emotions_line(recall: dict[str, float]) -> str:
    """Return every emotion with the number of 100 faces that are read right."""
    return " · ".join(
        f"{parse_emotion(label).symbol}{NO_BREAK}{label} **{out_of_100(rate)}**" for label, rate in recall.items()
    )


def show_changes(run: Run) -> None:
    """Show what a fit with an added data set changed per emotion against the live model; nothing for other fits."""
    live, best = read_json_or_empty(run.folder / LIVE_FIGURES), run.best
    tables = [("On all pictures kept for measuring", "figures"), ("On your added pictures alone", "added_figures")]
    shown = [(title, key, changes(live.get(key), best.get(key))) for title, key in tables]
    shown = [(title, key, rows) for title, key, rows in shown if rows]
    if not shown:
        return
    name = escape_markdown(str(live.get("name") or live.get("model") or "the live model"))
    st.markdown(f"**What changed against {name}**")
    for (title, key, rows), place in zip(shown, st.columns(len(shown), gap="large"), strict=True):
        with place:
            st.caption(f"{title}: how many of 100 faces of each emotion are right.")
            st.dataframe(change_table(rows), hide_index=True)
            n = best[key].get("n")
            if isinstance(n, int) and n < FEW_PICTURES:
                st.caption(f"These are only {n:,} pictures, so much of it is chance. Add more for a reliable figure.")


def change_table(rows: list[Change]) -> dict[str, list[Any]]:
    """Return the columns of a table of changes."""

    def number(rate: float | None) -> int | None:
        return None if rate is None else out_of_100(rate)

    before, after = [number(row.before) for row in rows], [number(row.after) for row in rows]
    return {
        "emotion": [row.emotion for row in rows],
        "live model": before,
        "this fit": after,
        # The difference of the rounded numbers, so that a row adds up.
        "change": [None if a is None or b is None else b - a for a, b in zip(before, after, strict=True)],
    }
