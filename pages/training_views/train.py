"""Launch a fit, watch it, stop it, go on with it."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import streamlit as st

from emojify.errors import EmojifyError
from emojify.runs.config import RECIPES, FitConfig
from emojify.runs.datasets import DatasetCheck
from emojify.runs.presets import (
    PRESETS,
    Preset,
    command_line,
    estimated_s,
    format_duration,
    preset_config,
    recipe,
    training_speed,
)
from emojify.runs.progress import Progress, read_progress
from emojify.runs.run import Run, State
from pages.parts.messages import escape_markdown, run_action, show_result
from pages.training_views.charts import curve_chart, curve_rows
from pages.training_views.common import (
    COLORS,
    data_store,
    described,
    model_store,
    run_store,
)

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_IDLE_LOOKS = 5.0  # somebody may begin a fit in another browser or a terminal
QUIET_FOR_LONG_S = 120
CHOICES = {
    "precision": ["float32", "bfloat16", "auto"],
    "optimizer": ["adam", "sgd"],
    "schedule": ["decay", "cosine"],
    "choose_by": ["accuracy", "balanced"],
}
"""What the settings that are words may be; ``FitConfig`` has the last say."""


def show() -> None:
    runs = run_store().runs()
    under_way = [run for run in runs if run.state.has_process or run.state is State.QUEUED]
    with st.expander("New fit", expanded=not under_way, icon=":material/play_circle:"):
        new_fit(runs)
    if not runs:
        if data_store().datasets():
            st.info("No fits yet. Start one above: its curves grow here.", icon=":material/show_chart:")
        return
    watch_one(runs, under_way)


# ---- launching ----


def new_fit(runs: list[Run]) -> None:
    sets = data_store().datasets()
    if not sets:
        st.info("A fit learns from pictures. Bring some first: see **Data** above.", icon=":material/photo_library:")
        return
    path = st.selectbox("Data set", sets, format_func=lambda path: path.name, key="fit_data")
    try:
        check = data_store().check(path)
    except EmojifyError as error:
        st.error(escape_markdown(str(error)))
        return
    if not check.done:
        wait_for_check(path)
        return
    if check.error:
        st.error(escape_markdown(check.error))
        st.caption("Choose another data set, or put this one right: see **Data** above.")
        return
    preset, config = choose_preset(path, check, runs)
    with st.expander("Everything else", icon=":material/tune:"):
        changed = change_settings(config, f"{preset.key}-{path.name}", bool(check.report.get("voted")))
    if changed is None:
        return
    rate = training_speed(changed.network, runs, check.pictures["train"])
    basis = "as measured here" if rate.measured else "a rough guess: this machine has not fitted this network yet"
    st.markdown(f"Takes about **{format_duration(estimated_s(changed, rate, check.pictures))}** ({basis}).")
    busy = any(run.state.has_process or run.state is State.QUEUED for run in runs)
    st.button(
        "Add to the queue" if busy else "Start",
        type="primary",
        icon=":material/playlist_add:" if busy else ":material/play_arrow:",
        on_click=run_action,
        args=[lambda: launch(changed)],
        help="One fit at a time: this one begins when those before it are done." if busy else None,
    )
    st.caption("The same in a terminal:")
    st.code(command_line(changed), language="shell", wrap_lines=True)


def launch(config: FitConfig) -> str:
    run = run_store().launch(config)
    st.session_state.watched = st.session_state.watched_run = run.id
    return f"{run.id} is in the queue." if run.state is State.QUEUED else f"{run.id} begins."


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def wait_for_check(path: Path) -> None:
    check = data_store().check(path)
    if check.done:
        st.rerun()
    st.progress(check.progress, f"Looking through {escape_markdown(path.name)}: {check.step} …")


def choose_preset(path: Path, check: DatasetCheck, runs: list[Run]) -> tuple[Preset, FitConfig]:
    configs, captions = {}, []
    for preset in PRESETS:
        rate = training_speed(preset.network, runs, check.pictures["train"])
        voted = bool(check.report.get("voted"))
        config = preset_config(preset, path, speed=rate, pictures=check.pictures, has_votes=voted)
        configs[preset.key] = config
        cost = format_duration(estimated_s(config, rate, check.pictures))
        captions.append(f"{preset.description} {config.epochs} epochs, about {cost}.")
    preset = st.radio("How", PRESETS, format_func=lambda preset: preset.name, captions=captions, key="fit_preset")
    return preset, configs[preset.key]


def change_settings(config: FitConfig, key: str, voted: bool) -> FitConfig | None:
    """All settings, to be changed; None if they make no sense. ``key`` changes with where they come from."""
    network = st.selectbox(
        "network", sorted(RECIPES), index=sorted(RECIPES).index(config.network), key=f"network-{key}"
    )
    if network != config.network:
        config = FitConfig(**{**recipe(network, voted), "data": config.data, "network": network})
    asked: dict[str, Any] = {}
    names = [
        field.name for field in fields(FitConfig) if field.name not in ("data", "added_data", "network", "begin_with")
    ]
    for first in range(0, len(names), 3):  # by rows: a toggle is lower than a box
        for place, name in zip(st.columns(3, vertical_alignment="center"), names[first : first + 3], strict=False):
            asked[name] = change_setting(place, name, getattr(config, name), f"{name}-{network}-{key}")
    try:
        return replace(config, **asked)
    except EmojifyError as error:
        st.error(escape_markdown(str(error)))
        return None


def change_setting(place: Any, name: str, value: Any, key: str) -> Any:
    label = name.replace("_", " ")
    if name in CHOICES:
        return place.selectbox(label, CHOICES[name], index=CHOICES[name].index(value), key=key)
    if isinstance(value, bool):
        return place.toggle(label, value, key=key)
    if isinstance(value, int):
        return place.number_input(label, value=value, step=1, key=key)
    return place.number_input(label, value=float(value), step=None, format="%g", key=key)


# ---- watching ----


def watch_one(runs: list[Run], under_way: list[Run]) -> None:
    ids = [run.id for run in runs]
    # The widget's own value is dropped on a switch of pages: what is watched is kept beside it.
    watched = st.session_state.get("watched")
    if watched not in ids:
        watched = next((run.id for run in under_way if run.state.has_process), ids[0])
    asked = st.session_state.get("watched_run")
    # Set even where it stays: the browser otherwise goes on showing the words that it was chosen by, and the old state.
    st.session_state.watched_run = asked if asked in ids else watched
    names = {run.id: described(run) for run in runs}
    chosen = str(st.selectbox("Run", ids, format_func=lambda run_id: names.get(run_id, run_id), key="watched_run"))
    st.session_state.watched = chosen
    states = {run.id: run.state for run in runs}
    look = st.fragment(watch, run_every=SECONDS_BETWEEN_LOOKS if under_way else SECONDS_BETWEEN_IDLE_LOOKS)
    look(chosen, states)


def watch(run_id: str, states_then: dict[str, State]) -> None:
    """One run as it stands now; when a run changes its state, comes or goes, the whole page is drawn anew."""
    store = run_store()
    try:
        store.start_next()
    except EmojifyError as error:
        st.error(escape_markdown(str(error)))
    if store.ids() != list(states_then):
        st.rerun(scope="app")
    # The others keep their state: looking at hundreds of them every second would cost live video its frames.
    moving = {name for name, state in states_then.items() if state.has_process or state is State.QUEUED}
    try:
        runs = {name: store.get(name) for name in moving | {run_id}}
    except EmojifyError:  # deleted in this very moment
        st.rerun(scope="app")
    if any(run.state is not states_then[name] for name, run in runs.items()):
        st.rerun(scope="app")
    run = runs[run_id]
    show_result()
    header(run)
    progress = read_progress(run.folder)
    if run.config is not None:
        bars(run, run.config, progress)
        curves(run, progress)
    waiting = store.queue()
    if waiting:
        st.caption("Waiting: " + ", ".join(escape_markdown(name) for name in waiting))
    with st.expander("Log", icon=":material/terminal:"):
        st.code(run.log_tail() or "Nothing was printed yet.", language=None, wrap_lines=True, height=260)


def header(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(run.state.value, color=COLORS[run.state])  # type: ignore[arg-type]  # wants literals
        if run.state is State.QUEUED or run.state.has_process:
            label = "Take out of the queue" if run.state is State.QUEUED else "Stop"
            st.button(
                label,
                icon=":material/stop:",
                key="stop",
                disabled=run.state is State.STOPPING,
                on_click=run_action,
                args=[lambda: run_store().stop(run.id)],
                help="It finishes the batch; the last whole epoch is kept, and you can resume from there.",
            )
        if run.state is State.STOPPING:
            st.button("End it now", key="end", on_click=run_action, args=[lambda: run_store().kill(run.id)])
        if run.can_resume:
            st.button(
                "Resume",
                type="primary",
                icon=":material/play_arrow:",
                key="resume",
                on_click=run_action,
                args=[lambda: run_store().resume(run.id)],
            )
        if not run.state.has_process:
            delete(run)
    sentence = escape_markdown(f"{run.reason} {run.next_step}".strip())
    if sentence and run.state in (State.FAILED, State.KILLED, State.BROKEN):
        st.error(sentence)
    elif sentence:
        st.info(sentence)


def delete(run: Run) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown("Its checkpoints and curves are then gone for good. Models made of it stay.")
        st.button(
            "Yes, delete it for good",
            key=f"delete-{run.id}",
            on_click=run_action,
            args=[lambda: run_store().delete(run.id, model_store().live_id)],
        )


def bars(run: Run, config: FitConfig, progress: Progress) -> None:
    done = max(run.epochs_done, len(progress.epochs) if run.state.has_process else 0)
    st.progress(min(done / config.epochs, 1.0), f"{done} of {config.epochs} epochs done")
    batch = progress.batch
    if run.state in (State.RUNNING, State.STOPPING) and batch is not None:
        figures = f"loss {batch.loss:.3f}, accuracy {batch.accuracy:.1%}"
        st.progress(batch.number / batch.batches, f"Batch {batch.number} of {batch.batches} · {figures}")
        age_s = time.time() - batch.time
        left_s = progress.remaining_s(config.epochs, time.time())
        left = f"about {format_duration(left_s)} left · " if left_s is not None else ""
        st.caption(f"{left}last update {format_duration(age_s)} ago")
        if age_s > QUIET_FOR_LONG_S:
            st.warning("Nothing was heard for long. The machine may be busy or asleep; the log may say more.")
    elif run.state is State.STARTING:
        st.progress(0.0, "Waiting for the first batch")
    if run.best_accuracy is not None:
        recall = f", macro recall {run.best_recall:.1%}" if run.best_recall is not None else ""
        st.caption(f"Best so far: epoch {run.best_epoch}, {run.best_accuracy:.1%} of the public pictures{recall}.")


def curves(run: Run, progress: Progress) -> None:
    if not progress.epochs and (progress.batch is None or progress.batch.number < 2):
        if not run.state.has_process and run.state is not State.QUEUED:
            st.caption("It has no curves: it said nothing before it ended.")
        return
    left, right = st.columns(2)
    for place, metric, percent in ((left, "loss", False), (right, "accuracy", True)):
        rows = curve_rows(progress, metric, run.best_epoch)
        place.altair_chart(curve_chart(rows, metric.capitalize(), percent=percent), width="stretch")
    if run.config is not None and (run.config.ferplus_head or run.config.logit_adjustment):
        st.caption(
            "The two losses can't be compared: the one on train includes this recipe's second head or adjusted logits."
        )
    if progress.unreadable:
        st.caption(f"{progress.unreadable} lines of its progress can't be read and are left out.")
