"""The view "Data": the data sets, what is in them, and the form to add one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import streamlit as st

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.runs.datasets import MAX_UPLOAD_MB, DatasetCheck
from emojify.runs.run import State
from pages.parts.messages import escape_markdown, run_action, set_error, set_success, show_error
from pages.training_views.charts import count_chart, count_rows
from pages.training_views.common import data_store, run_store
from pages.training_views.text import SPLITS_HELP, file_kind, findings

POLL_INTERVAL_S = 0.5
KAGGLE_URL = "https://www.kaggle.com/datasets/msambare/fer2013"


def show() -> None:
    """Show uploads in progress, the data sets, and the form to add one."""
    store = data_store()
    datasets, incoming = store.datasets(), store.incoming()
    if not datasets and not incoming:
        st.info("No data set yet. A network learns from faces sorted by emotion.", icon=":material/photo_library:")
    for path in incoming:
        show_incoming(path)
    for path in datasets:
        show_dataset(path, expanded=len(datasets) == 1)
    with st.expander("Add a data set", expanded=not datasets and not incoming, icon=":material/add_circle:"):
        show_form()


# ---- data sets ----


def show_incoming(path: Path) -> None:
    with st.container(border=True):
        st.subheader(escape_markdown(path.name), anchor=False)
        watch_incoming(path)


@st.fragment(run_every=POLL_INTERVAL_S)
def watch_incoming(path: Path) -> None:
    """Show the check of an uploaded file; move the file to the data sets when the check has succeeded."""
    store = data_store()
    if not path.exists():
        st.rerun()
    try:
        check = store.check(path)
        if check.done and not check.error:
            store.accept(path)
            set_success(f"{path.name} is ready to train on.")
            st.rerun()
    except EmojifyError as error:
        check = DatasetCheck(done=True, error=str(error))
    if check.done:
        show_error(check.error)
    else:
        st.progress(check.progress, f"Checking: {escape_markdown(check.step)} …")
    st.button(
        "Remove it" if check.done else "Cancel",
        key=f"discard-{path.name}",
        on_click=run_action,
        args=[lambda: store.discard(path)],
    )


def show_dataset(path: Path, *, expanded: bool) -> None:
    store = data_store()
    try:
        check = store.check(path)
    except EmojifyError as error:
        check = DatasetCheck(done=True, error=str(error))
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(escape_markdown(path.name), anchor=False, width="content")
            show_delete(path)
        if not check.done:
            watch_check(path)
        elif check.error:
            show_error(check.error)
            st.button("Check again", key=f"again-{path.name}", on_click=run_action, args=[lambda: store.recheck(path)])
        else:
            n = sum(check.pictures.values())
            st.caption(escape_markdown(f"{check.report['name']} · {n:,} pictures · {file_kind(path)}"))
            with st.expander("What is in it", expanded=expanded, icon=":material/bar_chart:"):
                show_report(check.report)


def show_delete(path: Path) -> None:
    """Offer to delete a data set, unless a fit that runs or waits needs it."""
    with st.popover("Delete", icon=":material/delete:", key=f"delete-popover-{path.name}"):
        if used_by := runs_using(path):
            st.markdown(f"{escape_markdown(', '.join(used_by))} trains on it. Stop that first, or let it finish.")
            return
        st.markdown(
            "This deletes its pictures for good. Models made from them stay, but a fit on them can't be resumed."
        )
        st.button(
            "Yes, delete it for good",
            key=f"delete-{path.name}",
            on_click=run_action,
            args=[delete_dataset, path],
        )


def runs_using(path: Path) -> list[str]:
    """Return the ids of the runs that need a data set now or later: those that have a process or wait for one."""
    return [
        run.id
        for run in run_store().runs()
        if (run.state.has_process or run.state is State.QUEUED)
        and run.config is not None
        and str(path.absolute()) in (run.config.data, run.config.added_data)
    ]


def delete_dataset(path: Path) -> str:
    if used_by := runs_using(path):  # started since the page was drawn
        raise EmojifyError(f"{path.name} was not deleted: {used_by[0]} trains on it.")
    data_store().delete(path)
    return f"{path.name} is deleted."


@st.fragment(run_every=POLL_INTERVAL_S)
def watch_check(path: Path) -> None:
    check = data_store().check(path)
    if check.done:
        st.rerun()
    st.progress(check.progress, f"Checking: {escape_markdown(check.step)} …")


def show_report(report: dict[str, Any]) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.altair_chart(count_chart(count_rows(report["counts"])), width="stretch")
        st.caption(SPLITS_HELP)
    with right:
        for emotion in Emotion:
            faces = report["faces"].get(emotion.label)
            if faces:
                st.image(base64.b64decode(faces), width="stretch", alt=f"Some of the pictures of {emotion.label}")
                st.caption(f"{emotion.symbol} {emotion.label}")
    st.markdown("**Worth knowing**")
    st.markdown("\n".join(f"- {escape_markdown(line)}" for line in findings(report)))


# ---- add a data set ----


def show_form() -> None:
    st.markdown(
        f"**FER-2013** has 35,887 faces and is free: download the zip [from Kaggle]({KAGGLE_URL}) (you need an "
        "account) and add it here as it is.\n\n"
        "**Your own pictures**: make folders named after the emotions, put photos of any size into each, and zip "
        "them. The face in each photo is found and cut out. A set without some of the emotions can be added to "
        "FER-2013."
    )
    batch = st.session_state.get("data_batch", 0)
    file = st.file_uploader(
        "A zip, or FER-2013's csv",
        type=["zip", "csv"],
        max_upload_size=MAX_UPLOAD_MB,
        key=f"data-{batch}",
    )
    st.caption(
        f"Up to {MAX_UPLOAD_MB} MB. For larger data sets, put a folder, a zip or a csv into the folder "
        f"{escape_markdown(str(data_store().folder))} yourself."
    )
    if file is None:
        return
    st.session_state.data_batch = batch + 1  # a new widget key: the uploader is empty again
    bar = st.progress(0.0, "Saving …")

    def show_progress(share: float) -> None:
        bar.progress(share, "Saving …")

    try:
        data_store().upload(file.name, file, file.size, show_progress)
    except EmojifyError as error:
        set_error(str(error))
    st.rerun()
