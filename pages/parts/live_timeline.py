"""Live page: the emotions of the last minute as a strip of colors, and the seconds of the last hour as a CSV file."""

from __future__ import annotations

from html import escape

import streamlit as st

from emojify.live.session import LiveSession
from emojify.live.timeline import Second, to_csv

SHOWN_S = 60
UPDATE_INTERVAL_S = 1.0
STYLE = """<style>
.emojify-timeline {display: flex; flex-direction: row-reverse; gap: 1px; height: 1rem; border-radius: .3rem;
  overflow: hidden; background: rgba(128, 128, 128, .22)}
.emojify-timeline span {flex: 0 0 calc((100% - 59px) / 60)}
</style>"""


def timeline_html(seconds: list[Second]) -> str:
    """Return one colored cell for each of the last :data:`SHOWN_S` seconds, the newest on the right.

    A pointer over a cell shows its emotion; screen readers get the strip's summary.
    """
    shown = seconds[-SHOWN_S:]
    cells = []
    for age_s, second in enumerate(reversed(shown)):
        color, text = "transparent", "no face"
        if second.emotion is not None:
            color, text = second.emotion.color, f"{second.emotion.label} {second.probability:.0%}"
        cells.append(f'<span style="background: {color}" title="{escape(f"{age_s + 1} s ago: {text}")}"></span>')
    return (
        f'{STYLE}<div class="emojify-timeline" role="img" aria-label="{escape(summary(shown))}">{"".join(cells)}</div>'
    )


def summary(seconds: list[Second]) -> str:
    """Return how many of the seconds show which emotion, as a sentence."""
    labels = [second.emotion.label for second in seconds if second.emotion is not None]
    counts = sorted({label: labels.count(label) for label in labels}.items(), key=lambda item: -item[1])
    parts = [f"{label} {count} s" for label, count in counts]
    return f"The last {len(seconds)} seconds: {', '.join(parts) or 'no face'}"


@st.fragment(run_every=UPDATE_INTERVAL_S)
def show_timeline(session: LiveSession) -> None:
    """Show the last minute, in the colors of the bars."""
    st.html(timeline_html(session.timeline.seconds()))


def show_seconds_download(session: LiveSession) -> None:
    """Offer the seconds of this session's last hour as a CSV file."""
    st.download_button(
        "Emotions by second, CSV",
        lambda: to_csv(session.timeline.seconds()),
        "emotions.csv",
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
        help="One line for each second of video in this session, at most an hour: time, emotion, probability",
    )
