"""All runs side by side, and one of them in depth."""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime

import streamlit as st

from emojify.runs.progress import read_progress
from emojify.runs.run import Run
from pages.parts.messages import escape_markdown
from pages.training_views.charts import (
    METRICS,
    class_chart,
    class_rows,
    confusion_chart,
    confusion_rows,
    overlay_chart,
    overlay_rows,
)
from pages.training_views.common import run_store

MAX_COMPARED = 7  # as many as there are colors


def show() -> None:
    runs = run_store().runs()
    if not runs:
        st.info("No fits yet. Start one under **Train**; here you see what it learned.", icon=":material/insights:")
        return
    chosen = history(runs)
    compare(chosen)
    examined = [run for run in chosen if run.best]
    if not examined:
        st.info("None of these has a whole epoch yet, so there is nothing to look into.")
        return
    run = examined[0]
    if len(examined) > 1:
        by_id = {run.id: run for run in examined}
        run = by_id[str(st.segmented_control("Look into", list(by_id), default=run.id, required=True))]
    examine(run)


def history(runs: list[Run]) -> list[Run]:
    """The table of all; gives those that are marked in it, else the best."""
    rows = [
        {
            "run": run.id,
            "state": run.state.value,
            "begun": begun(run),
            "network": run.config.network if run.config else "",
            "data": run.data_name,
            "epochs": run.epochs_done,
            "of": run.config.epochs if run.config else None,
            "best epoch": run.best_epoch or None,
            "accuracy": in_percent(run.best_accuracy),
            "macro recall": in_percent(run.best_recall),
        }
        for run in runs
    ]
    ids = [run.id for run in runs]
    # The browser marks rows by their number, which is another run's once one comes or goes: it is then a new table,
    # with the same runs marked.
    key = f"history-{hash(tuple(ids))}"
    if key not in st.session_state:
        st.session_state.marked_at_first = [
            ids.index(name) for name in st.session_state.get("marked", ()) if name in ids
        ]
    percent = st.column_config.NumberColumn(format="%.1f%%")
    marked = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        height=min(38 + 35 * len(rows), 320),
        column_config={
            "begun": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
            "accuracy": percent,
            "macro recall": percent,
        },
        selection_default={"selection": {"rows": st.session_state.marked_at_first}},
        placeholder="–",
        key=key,
    )
    numbers = marked["selection"]["rows"]
    st.session_state.marked = [ids[number] for number in numbers]
    st.caption("Accuracy and macro recall are on public. Mark rows to compare them; a click on a title sorts.")
    if not numbers:
        return [max(runs, key=lambda run: run.best_accuracy or 0.0)]
    if len(numbers) > MAX_COMPARED:
        st.caption(f"The first {MAX_COMPARED} of them are compared.")
    return [runs[number] for number in numbers[:MAX_COMPARED]]


def in_percent(rate: float | None) -> float | None:
    return None if rate is None else 100 * rate


def begun(run: Run) -> datetime | None:
    try:
        return datetime.fromtimestamp((run.folder / "config.json").stat().st_mtime)
    except OSError:
        return None


def compare(runs: list[Run]) -> None:
    histories = [(run.id, read_progress(run.folder).epochs) for run in runs]
    if any(epochs for _, epochs in histories):
        name = str(st.selectbox("Curves of", list(METRICS), key="metric"))
        rows = overlay_rows(histories, METRICS[name])
        st.altair_chart(overlay_chart(rows, name), width="stretch")
    for run in runs:
        if run.reason and run.config is None:
            st.error(escape_markdown(f"{run.id}: {run.reason} {run.next_step}"))
    known = [run for run in runs if run.config is not None]
    if len(known) > 1:
        differences(known)


def differences(runs: list[Run]) -> None:
    """What was asked for differently."""
    settings = {run.id: asdict(run.config) for run in runs if run.config is not None}
    names = list(next(iter(settings.values())))
    different = [name for name in names if len({str(setting[name]) for setting in settings.values()}) > 1]
    st.markdown("**What differs in their settings**")
    if not different:
        st.caption("Nothing: all were asked for alike.")
        return
    table = {run_id: [str(setting[name]) for name in different] for run_id, setting in settings.items()}
    st.dataframe({"setting": [name.replace("_", " ") for name in different], **table}, hide_index=True)


def examine(run: Run) -> None:
    """What one run's best epoch reads well, and what it takes for what."""
    best = run.best
    figures = best["figures"]
    st.subheader(escape_markdown(f"{run.id}, epoch {best.get('epoch')}"), anchor=False)
    with st.container(horizontal=True):
        st.metric("Accuracy", share(figures.get("accuracy")), width="content")
        st.metric("Macro recall", share(figures.get("macro_recall")), width="content")
        st.metric("Pictures", f"{figures.get('n', 0):,}", width="content")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**What it takes for what**")
        confusion = figures.get("confusion")
        if isinstance(confusion, list) and len(confusion) == 7:
            st.altair_chart(confusion_chart(confusion_rows(confusion)), width="stretch")
    with right:
        st.markdown("**Each emotion**")
        st.altair_chart(class_chart(class_rows(figures)), width="stretch")
        st.caption(
            "Recall: of those labelled so, the share read so. Precision: of those read so, the share labelled so."
        )
    gallery(best)


def gallery(best: dict[str, object]) -> None:
    wrong = best.get("wrong")
    if not isinstance(wrong, list) or not wrong:
        return
    st.markdown("**Wrong, and most sure of it**")
    st.caption("Many of these are the labels' fault: people agree with FER-2013's on about two thirds of its pictures.")
    with st.container(horizontal=True, gap="small"):
        for face in wrong:
            with st.container(width=104, gap="xxsmall"):
                try:
                    picture = base64.b64decode(face["png"])
                    words = f"labelled {face['label']}, read as {face['read']} ({face['confidence']:.0%})"
                    st.image(picture, width=104, alt=words)
                except (KeyError, TypeError, ValueError, OSError):  # edited by hand; no picture is an OSError to Pillow
                    continue
                st.caption(f"{face['label']}, read as **{face['read']}** {face['confidence']:.0%}")


def share(value: object) -> str:
    return f"{value:.1%}" if isinstance(value, (int, float)) else "–"
