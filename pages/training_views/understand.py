"""The view "Understand": compare all runs, then look into one of them."""

from __future__ import annotations

import base64
from typing import Any

import streamlit as st

from emojify.runs.config import FitConfig
from emojify.runs.figures import judge
from emojify.runs.progress import read_progress
from emojify.runs.run import Run
from pages.parts.messages import escape_markdown, show_error
from pages.training_views.charts import (
    METRICS,
    RUN_COLORS,
    class_chart,
    class_rows,
    confusion_chart,
    confusion_rows,
    overlay_chart,
    overlay_rows,
)
from pages.training_views.common import run_store
from pages.training_views.figures import show_changes, show_judged
from pages.training_views.text import CONFUSION_HELP, history_row, percent, setting_differences

MAX_COMPARED = len(RUN_COLORS)


def show() -> None:
    """Show the table of all runs, the curves of the marked ones, and what one of them has learned."""
    runs = run_store().runs()
    if not runs:
        st.info("No fits yet. Start one under **Train**, then see here what it learned.", icon=":material/insights:")
        return
    chosen = choose_runs(runs)
    show_comparison(chosen)
    examined = [run for run in chosen if run.best]
    if not examined:
        st.info("None of these has finished an epoch yet. Come back when one has.")
        return
    run = examined[0]
    if len(examined) > 1:
        by_id = {run.id: run for run in examined}
        run = by_id[
            str(st.segmented_control("Show", list(by_id), default=run.id, required=True, format_func=escape_markdown))
        ]
    show_run(run)


def choose_runs(runs: list[Run]) -> list[Run]:
    """Show the table of all runs; return the marked ones, or the best one if none is marked."""
    rows = [history_row(run) for run in runs]
    ids = [run.id for run in runs]
    # The browser marks rows by number. When a run appears or disappears the numbers change, so the table gets a new
    # key and the same runs are marked again.
    key = f"history-{hash(tuple(ids))}"
    if key not in st.session_state:
        st.session_state.initially_marked = [
            ids.index(name) for name in st.session_state.get("marked", ()) if name in ids
        ]
    as_percent = st.column_config.NumberColumn(format="%.1f%%")
    marked = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        height=min(38 + 35 * len(rows), 320),
        column_config={
            "started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
            "accuracy": as_percent,
            "macro recall": as_percent,
        },
        selection_default={"selection": {"rows": st.session_state.initially_marked}},
        placeholder="–",
        key=key,
    )
    numbers = marked["selection"]["rows"]
    st.session_state.marked = [ids[number] for number in numbers]
    st.caption(
        "Accuracy: the share of the public pictures, which no run learns from, that a run gets right. Macro recall: "
        "the same for each emotion, then averaged. Mark rows to compare runs; click a title to sort."
    )
    if not numbers:
        return [max(runs, key=lambda run: run.best_accuracy or 0.0)]
    if len(numbers) > MAX_COMPARED:
        st.caption(f"Only the first {MAX_COMPARED} of them are compared.")
    return [runs[number] for number in numbers[:MAX_COMPARED]]


def show_comparison(runs: list[Run]) -> None:
    histories = [(run.id, read_progress(run.folder).epochs) for run in runs]
    if any(epochs for _, epochs in histories):
        name = str(st.selectbox("Curves of", list(METRICS), key="metric"))
        rows = overlay_rows(histories, METRICS[name])
        st.altair_chart(overlay_chart(rows, name), width="stretch")
    for run in runs:
        if run.reason and run.config is None:
            show_error(f"{run.id}: {run.reason} {run.next_step}")
    configs = [(run.id, run.config) for run in runs if run.config is not None]
    if len(configs) > 1:
        show_differences(configs)


def show_differences(configs: list[tuple[str, FitConfig]]) -> None:
    """Show the settings in which the runs differ."""
    st.markdown("**Different settings**")
    if table := setting_differences(configs):
        st.dataframe(table, hide_index=True)
    else:
        st.caption("None: all runs have the same settings.")


def show_run(run: Run) -> None:
    """Show one run's best epoch: the figure that matters first, the rest folded away."""
    best = run.best
    figures = best["figures"]
    st.subheader(escape_markdown(f"{run.id}, epoch {best.get('epoch')}"), anchor=False)
    judged = judge(figures)
    if judged is not None:
        show_judged(judged)
    show_changes(run)
    with st.expander("All figures", icon=":material/table_chart:", expanded=judged is None):
        show_all_figures(figures)
    with st.expander("Faces that it got wrong", icon=":material/face:"):
        show_wrong_faces(best, run.data_name)


def show_all_figures(figures: dict[str, Any]) -> None:
    """Show the metrics, the confusion matrix, and recall and precision."""
    st.caption("Against the data set's own labels")
    with st.container(horizontal=True):
        st.metric("Accuracy", percent(figures.get("accuracy")), width="content", help="Share of pictures read right.")
        st.metric(
            "Macro recall",
            percent(figures.get("macro_recall")),
            width="content",
            help="The mean over the emotions: rare ones count as much as frequent ones.",
        )
        st.metric("Pictures", f"{figures.get('n', 0):,}", width="content")
    if figures.get("ferplus_n"):
        st.caption("Against what ten people saw in each picture (FER+)")
        with st.container(horizontal=True):
            st.metric("Accuracy", percent(figures.get("ferplus_accuracy")), width="content")
            st.metric("Macro recall", percent(figures.get("ferplus_macro_recall")), width="content")
            st.metric(
                "Calibration error",
                percent(figures.get("ferplus_calibration_error")),
                width="content",
                help="How far its confidence is from the share of people who agree with it.",
            )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Which emotions it confuses**", help=CONFUSION_HELP)
        confusion = figures.get("confusion")
        if isinstance(confusion, list) and len(confusion) == 7:
            st.altair_chart(confusion_chart(confusion_rows(confusion)), width="stretch")
    with right:
        st.markdown("**Each emotion**")
        st.altair_chart(class_chart(class_rows(figures)), width="stretch")
        st.caption(
            "Recall: the share of the pictures with this label that are read as it. "
            "Precision: the share of the pictures read as it that have this label."
        )


def show_wrong_faces(best: dict[str, Any], data_name: str) -> None:
    """Show the faces of a data set that were read wrong with the most confidence."""
    wrong = best.get("wrong")
    if not isinstance(wrong, list) or not wrong:
        st.caption("None.")
        return
    st.markdown("**Its most confident mistakes**")
    if data_name.startswith("FER-2013"):
        st.caption("Often the label is wrong: people agree with FER-2013's labels on about two thirds of its pictures.")
    with st.container(horizontal=True, gap="small"):
        for face in wrong:
            with st.container(width=104, gap="xxsmall"):
                try:
                    picture = base64.b64decode(face["png"])
                    alt = f"labeled {face['label']}, read as {face['read']} ({face['confidence']:.0%})"
                    st.image(picture, width=104, alt=alt)
                except (KeyError, TypeError, ValueError, OSError):  # an edited file; Pillow raises OSError
                    continue
                label, read = escape_markdown(str(face["label"])), escape_markdown(str(face["read"]))
                st.caption(f"{label}, read as **{read}** {face['confidence']:.0%}")
