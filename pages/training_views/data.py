"""Which data sets there are, what is in them, and how to bring one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import streamlit as st

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.runs.datasets import MAX_UPLOAD_MB, DatasetCheck
from pages.parts.messages import escape_markdown, run_action, set_error, set_success
from pages.training_views.charts import count_chart, count_rows
from pages.training_views.common import data_store

SECONDS_BETWEEN_LOOKS = 0.5
KAGGLE = "https://www.kaggle.com/datasets/msambare/fer2013"
SPLITS = "**train** is learned from, **public** chooses the best epoch, **private** is kept for the last word."


def show() -> None:
    store = data_store()
    sets, brought = store.datasets(), store.incoming()
    if not sets and not brought:
        st.info("No data set yet. A fit learns from faces, sorted by emotion.", icon=":material/photo_library:")
    for path in brought:
        show_brought(path)
    for path in sets:
        show_set(path, alone=len(sets) == 1)
    with st.expander("Bring a data set", expanded=not sets and not brought, icon=":material/add_circle:"):
        bring()


def bring() -> None:
    st.markdown(
        f"**FER-2013** is 35,887 faces, free of charge: get the zip [from Kaggle]({KAGGLE}) (it asks for an account) "
        "and bring it here as it is.\n\n"
        "**Your own**: seven folders named after the emotions, some pictures in each, zipped. "
        "Pictures are made 48x48 and gray."
    )
    batch = st.session_state.get("data_batch", 0)
    file = st.file_uploader(
        "A zip, or FER-2013's csv",
        type=["zip", "csv"],
        max_upload_size=MAX_UPLOAD_MB,
        key=f"data-{batch}",
    )
    st.caption(
        f"Up to {MAX_UPLOAD_MB} MB. Or put it into the folder `{data_store().folder}` yourself: "
        "a folder, a zip or a csv, of any size."
    )
    if file is None:
        return
    st.session_state.data_batch = batch + 1  # a fresh uploader: this file is taken over now
    bar = st.progress(0.0, "Saving …")

    def saved(share: float) -> None:
        bar.progress(share, "Saving …")

    try:
        data_store().upload(file.name, file, file.size, saved)
    except EmojifyError as error:
        set_error(str(error))
    st.rerun()


def show_brought(path: Path) -> None:
    with st.container(border=True):
        st.subheader(escape_markdown(path.name), anchor=False)
        watch_brought(path)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch_brought(path: Path) -> None:
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
    if not check.done:
        st.progress(check.progress, f"Checking: {check.step} …")
        st.button("Cancel", key=f"cancel-{path.name}", on_click=run_action, args=[lambda: store.discard(path)])
        return
    st.error(escape_markdown(check.error))
    st.button("Remove it", key=f"remove-{path.name}", on_click=run_action, args=[lambda: store.discard(path)])


def show_set(path: Path, *, alone: bool) -> None:
    store = data_store()
    try:
        check = store.check(path)
    except EmojifyError as error:
        check = DatasetCheck(done=True, error=str(error))
    with st.container(border=True):
        st.subheader(escape_markdown(path.name), anchor=False)
        if not check.done:
            watch_check(path)
        elif check.error:
            st.error(escape_markdown(check.error))
            st.button("Look again", key=f"again-{path.name}", on_click=run_action, args=[lambda: store.recheck(path)])
        else:
            report = check.report
            n = sum(check.pictures.values())
            st.caption(escape_markdown(f"{report['name']} · {n:,} pictures · {kind(path)}"))
            with st.expander("What is in it", expanded=alone, icon=":material/bar_chart:"):
                show_report(report)


def kind(path: Path) -> str:
    """What it is on the disk."""
    if path.is_dir():
        return "folder"
    try:
        megabytes = path.stat().st_size / 1e6
    except OSError:  # taken away in this very moment
        return path.suffix[1:].lower()
    return f"{megabytes:,.{0 if megabytes >= 10 else 1}f} MB {path.suffix[1:].lower()}"


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch_check(path: Path) -> None:
    check = data_store().check(path)
    if check.done:
        st.rerun()
    st.progress(check.progress, f"Looking through it: {check.step} …")


def show_report(report: dict[str, Any]) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.altair_chart(count_chart(count_rows(report["counts"])), width="stretch")
        st.caption(SPLITS)
    with right:
        for emotion in Emotion:
            faces = report["faces"].get(emotion.label)
            if faces:
                st.image(base64.b64decode(faces), width="stretch", alt=f"Some of the pictures of {emotion.label}")
                st.caption(f"{emotion.symbol} {emotion.label}")
    st.markdown("**Worth knowing**")
    st.markdown("\n".join(f"- {escape_markdown(line)}" for line in worth_knowing(report)))


def worth_knowing(report: dict[str, Any]) -> list[str]:
    """Leaks, copies and what does not open, in sentences."""
    lines = []
    for leak in report["leaks"]:
        if leak["near"]:
            share = leak["near"] / max(leak["pictures"], 1)
            lines.append(
                f"{leak['near']:,} of {leak['pictures']:,} {leak['split']} pictures ({share:.0%}) stand in train too, "
                f"{leak['exact']:,} of them pixel for pixel: a model has seen these answers. The clean figures leave "
                "them out."
            )
        else:
            lines.append(f"No {leak['split']} picture stands in train: good.")
    copies, near = report["duplicates"]["n"], report["near_duplicates"]["n"]
    conflicting = f"; {report['conflicting']:,} of them carry different labels" if report["conflicting"] else ""
    lines.append(f"{copies:,} groups of pictures are the same{conflicting}; {near:,} more pairs are nearly the same.")
    for key, words in (
        ("unreadable", "do not open and are left out"),
        ("blank", "show nothing"),
        ("converted", "were not 48x48 and gray, and are made so"),
    ):
        found = report[key]
        if found["n"]:
            lines.append(f"{found['n']:,} {words}, for example {', '.join(map(str, found['files'][:3]))}.")
    if report["voted"]:
        lines.append(f"{report['voted']:,} carry FER+'s votes, which serve as softer labels.")
    return lines
