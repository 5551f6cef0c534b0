"""Seven probabilities as bars, in plain HTML: a chart element on the live page costs two thirds of the frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from emojify.emotions import Emotion
from emojify.vision.readings import Reading, main_reading, position_text

STYLE = """<style>
.emojify-bars {display: grid; grid-template-columns: max-content minmax(4rem, 1fr) 2.6rem; gap: .35rem .6rem;
  align-items: center; font-size: .95rem}
.emojify-bars .name {white-space: nowrap}
.emojify-bars .shown {font-weight: 700}
.emojify-bars .track {height: .8rem; border-radius: .4rem; background: rgba(128, 128, 128, .22); overflow: hidden}
.emojify-bars .fill {height: 100%; border-radius: .4rem; transition: width .3s}
.emojify-bars .share {text-align: right; font-variant-numeric: tabular-nums}
</style>"""


def bars_html(reading: Reading | None) -> str:
    """Return seven labeled bars for one face; empty bars without a face.

    Each bar is a ``meter`` with its name and value, so that screen readers can read it.
    """
    rows = []
    for emotion in Emotion:
        share = 0.0 if reading is None else float(reading.probabilities[emotion])
        shown = reading is not None and reading.sure and reading.emotion is emotion
        rows.append(
            f'<span class="name{" shown" if shown else ""}">{emotion.symbol} {escape(emotion.label)}</span>'
            f'<div class="track" role="meter" aria-label="{escape(emotion.label)}" aria-valuemin="0" '
            f'aria-valuemax="100" aria-valuenow="{share * 100:.0f}">'
            f'<div class="fill" style="width: {share * 100:.1f}%; background: {emotion.color}"></div></div>'
            f'<span class="share">{share:.0%}</span>'
        )
    return f'{STYLE}<div class="emojify-bars">{"".join(rows)}</div>'


def show_reading(reading: Reading | None, *, prefix: str = "", empty_text: str = "No face in view") -> None:
    """Show one face's emotion as a heading, with its bars; ``empty_text`` in place of the emotion without a face."""
    if reading is None:
        st.subheader(empty_text, anchor=False)
    else:
        symbol = reading.emotion.symbol if reading.sure else "🤔"
        st.subheader(f"{prefix}{symbol} {reading.caption}", anchor=False)
    st.html(bars_html(reading))


def show_readings(readings: Sequence[Reading]) -> None:
    """Show the main face's emotion and bars and, with several faces, whose they are and the emotions of all."""
    main = main_reading(readings)
    show_reading(main)
    if main is not None and len(readings) > 1:
        in_order = sorted(readings, key=lambda reading: reading.box.center[0])
        captions = ", ".join(reading.caption for reading in in_order)
        st.caption(f"The bars show {position_text(readings, main)}. All faces from the left: {captions}.")
