"""The chart of a video's emotions over time."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd  # type: ignore[import-untyped]  # has no type hints

from emojify.emotions import Emotion

CLICKED = "clicked"
"""Name of the chart's selection. ``st.altair_chart(..., on_select="rerun")`` returns the clicked bin under it."""


def bin_rows(timeline: dict[str, Any]) -> pd.DataFrame:
    """Return one row for each bin and emotion: from, to (seconds), emotion, share (0 to 1), order.

    Args:
        timeline: ``bin_s`` and ``bins`` as :class:`emojify.video.timeline.Timeline` writes them to JSON.
    """
    bin_s = timeline["bin_s"]
    rows = [
        (number * bin_s, (number + 1) * bin_s, emotion.label, share, int(emotion))
        for number, shares in enumerate(timeline["bins"])
        for emotion, share in zip(Emotion, shares, strict=True)
    ]
    return pd.DataFrame(rows, columns=["from", "to", "emotion", "share", "order"])


def emotion_chart(timeline: dict[str, Any], marked_s: float | None = None) -> alt.Chart:
    """Return a stacked column for each bin of the video, divided among the seven emotions.

    Args:
        timeline: as for :func:`bin_rows`.
        marked_s: start of the bin that is marked, in seconds; None for none.
    """
    colors = alt.Scale(domain=[e.label for e in Emotion], range=[e.color for e in Emotion])
    clicked = alt.selection_point(name=CLICKED, fields=["from"], on="click", toggle=False)
    return (
        alt.Chart(bin_rows(timeline))
        .mark_bar(binSpacing=0)
        .encode(
            x=alt.X("from:Q", bin="binned", title="seconds", scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=10)),
            x2="to:Q",
            y=alt.Y("share:Q", stack="zero", title=None, scale=alt.Scale(domain=[0, 1]), axis=None),
            color=alt.Color("emotion:N", scale=colors, legend=alt.Legend(orient="bottom", title=None, columns=4)),
            order="order:Q",
            opacity=alt.value(1)
            if marked_s is None
            else alt.condition(alt.datum["from"] == marked_s, alt.value(1), alt.value(0.55)),
            tooltip=[
                alt.Tooltip("emotion:N"),
                alt.Tooltip("share:Q", format=".0%"),
                alt.Tooltip("from:Q", title="at second", format=".1f"),
            ],
        )
        .add_params(clicked)
        .properties(height=260)
    )
