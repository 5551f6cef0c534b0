"""The view "Train": start a fit, watch it, stop it, resume it."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import streamlit as st

from emojify.errors import EmojifyError
from emojify.printable import printable
from emojify.runs.config import CHOICES, INPUTS, FitConfig, default_config
from emojify.runs.datasets import DatasetCheck
from emojify.runs.networks import NETWORKS
from emojify.runs.placement import Placement, read_placement
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
from emojify.settings import Settings
from pages.parts.messages import escape_markdown, run_action, show_error, show_result
from pages.training_views.charts import curve_chart, curve_rows
from pages.training_views.common import STATE_COLORS, data_store, model_store, run_store
from pages.training_views.text import FIT_HELP, SETTINGS_HELP, run_label

POLL_INTERVAL_S = 1.0
IDLE_POLL_INTERVAL_S = 5.0  # a fit may be started in another browser or in a terminal
QUIET_AFTER_S = 120


def show() -> None:
    """Show the form for a new fit, and one of the runs."""
    runs = run_store().runs()
    active = [run for run in runs if is_active(run.state)]
    with st.expander("New fit", expanded=not runs, icon=":material/play_circle:"):
        show_form(runs, queue=bool(active))
    if runs:
        show_runs(runs, active)
    elif data_store().datasets():
        st.info("No fits yet. Start one above, and watch its curves grow here.", icon=":material/show_chart:")


def is_active(state: State) -> bool:
    """Return True if a run has a process or waits for one."""
    return state.has_process or state is State.QUEUED


# ---- start a fit ----


def show_form(runs: list[Run], *, queue: bool) -> None:
    st.caption(FIT_HELP)
    datasets = data_store().datasets()
    if not datasets:
        st.info("A fit needs pictures. Add a data set first: see **Data** above.", icon=":material/photo_library:")
        return
    path = st.selectbox("Data set", datasets, format_func=lambda path: printable(path.name), key="fit_data")
    check = usable_check(path)
    if check is None:
        return
    preset, preset_settings = choose_preset(path, check, runs)
    with st.expander("All settings", icon=":material/tune:"):
        config = choose_settings(preset_settings, f"{preset.key}-{path.name}", bool(check.report.get("voted")))
    if config is None:
        return
    config = replace(config, added_data=choose_added_data(path, datasets))
    speed = training_speed(config.network, runs, check.pictures["train"])
    basis = "measured here" if speed.measured else "a rough estimate: this network was not trained on this machine yet"
    placement = choose_placement()
    here = " on this machine" if placement else ""
    st.markdown(f"Takes about **{format_duration(estimated_s(config, speed, check.pictures))}**{here} ({basis}).")
    queue = queue and placement is None
    st.button(
        "Add to the queue" if queue else "Start",
        type="primary",
        icon=":material/playlist_add:" if queue else ":material/play_arrow:",
        on_click=run_action,
        args=[launch, config, placement],
        help="Fits run one at a time: this one starts when those before it are done." if queue else None,
    )
    st.caption("The same in a terminal:")
    st.code(printable(command_line(config, placement)), language="shell", wrap_lines=True)


def usable_check(path: Path) -> DatasetCheck | None:
    """Return the check of a data set, or show why the data set can't be used yet."""
    try:
        check = data_store().check(path)
    except EmojifyError as error:
        show_error(error)
        return None
    if not check.done:
        watch_check(path)
        return None
    if check.error:
        show_error(check.error)
        st.caption("Choose another data set, or fix this one: see **Data** above.")
        return None
    if check.report.get("only_to_add"):
        show_error(str(check.report["only_to_add"]))
        st.caption("It can be added to another data set: choose that one here, then this one under **Add pictures**.")
        return None
    return check


def choose_added_data(path: Path, datasets: list[Path]) -> str:
    """Let the user add a second data set; return its path, or an empty string for none."""
    others = [other for other in datasets if other != path]
    if not others:
        return ""
    added = st.selectbox(
        "Add pictures",
        others,
        index=None,
        format_func=lambda other: printable(other.name),
        placeholder="None",
        key=f"fit_added-{path.name}",
        help="Pictures of your own join the fit. Afterwards the page shows what they changed for each emotion.",
    )
    return str(added.absolute()) if added else ""


@st.fragment(run_every=POLL_INTERVAL_S)
def watch_check(path: Path) -> None:
    check = data_store().check(path)
    if check.done:
        st.rerun()
    st.progress(check.progress, f"Checking {escape_markdown(path.name)}: {escape_markdown(check.step)} …")


def choose_preset(path: Path, check: DatasetCheck, runs: list[Run]) -> tuple[Preset, FitConfig]:
    configs, captions = {}, []
    has_votes = bool(check.report.get("voted"))
    for preset in PRESETS:
        speed = training_speed(preset.network, runs, check.pictures["train"])
        config = preset_config(preset, path, speed=speed, pictures=check.pictures, has_votes=has_votes)
        configs[preset.key] = config
        duration = format_duration(estimated_s(config, speed, check.pictures))
        captions.append(f"{preset.description} {config.epochs} epochs, about {duration}.")
    preset = st.radio(
        "Kind of fit", PRESETS, format_func=lambda preset: preset.name, captions=captions, key="fit_preset"
    )
    return preset, configs[preset.key]


def choose_settings(config: FitConfig, key: str, has_votes: bool) -> FitConfig | None:
    """Show all settings; return the changed ones, or None if they are invalid.

    Args:
        config: the initial settings.
        key: part of the widgets' keys. It differs for each preset and data set, so that the widgets show the values of
            ``config``.
        has_votes: whether the data set has FER+ votes.
    """
    network = st.selectbox(
        "network", sorted(NETWORKS), index=sorted(NETWORKS).index(config.network), key=f"network-{key}"
    )
    if network != config.network:
        config = default_config(config.data, network, **recipe(network, has_votes))
    values: dict[str, Any] = {}
    names = [field.name for field in fields(FitConfig) if field.name not in (*INPUTS, "teacher_weight")]
    for first in range(0, len(names), 3):  # row by row, because a toggle is less high than a number field
        columns = st.columns(3, vertical_alignment="center")
        for column, name in zip(columns, names[first : first + 3], strict=False):
            with column:
                values[name] = choose_setting(name, getattr(config, name), f"{name}-{network}-{key}")
    try:
        return replace(config, **values)
    except EmojifyError as error:
        show_error(error)
        return None


def choose_setting(name: str, value: Any, key: str) -> Any:
    label, help = name.replace("_", " "), SETTINGS_HELP.get(name)
    if name in CHOICES:
        return st.selectbox(label, CHOICES[name], index=CHOICES[name].index(value), key=key, help=help)
    if isinstance(value, bool):
        return st.toggle(label, value, key=key, help=help)
    if isinstance(value, int):
        return st.number_input(label, value=value, step=1, key=key, help=help)
    return st.number_input(label, value=float(value), step=None, format="%g", key=key, help=help)


def choose_placement() -> Placement | None:
    """Let the user choose between this machine and the cluster, if one is configured."""
    address = Settings.from_environment().ray_address
    if not address:
        return None
    where = st.radio(
        "Where",
        ["", address],
        format_func=lambda place: f"The cluster at {escape_markdown(place)}" if place else "This machine",
        key="fit_where",
        horizontal=True,
        help="A fit on the cluster does not wait for other fits, and leaves this machine to live video.",
    )
    return Placement(where) if where else None


def launch(config: FitConfig, placement: Placement | None) -> str:
    run = run_store().launch(config, placement)
    st.session_state.watched = st.session_state.watched_run = run.id
    return f"{run.id} is in the queue." if run.state is State.QUEUED else f"{run.id} has started."


# ---- watch a run ----


def show_runs(runs: list[Run], active: list[Run]) -> None:
    ids = [run.id for run in runs]
    # Streamlit drops the value of a widget when the user opens another page, so the id is also kept separately.
    watched = st.session_state.get("watched")
    if watched not in ids:
        watched = next((run.id for run in active if run.state.has_process), ids[0])
    chosen = st.session_state.get("watched_run")
    # Set the value even if it is unchanged: otherwise the browser keeps the label, and with it the state, that the
    # option had when it was chosen.
    st.session_state.watched_run = chosen if chosen in ids else watched
    labels = {run.id: run_label(run) for run in runs}
    run_id = str(st.selectbox("Run", ids, format_func=lambda run_id: labels.get(run_id, run_id), key="watched_run"))
    st.session_state.watched = run_id
    watch = st.fragment(watch_run, run_every=POLL_INTERVAL_S if active else IDLE_POLL_INTERVAL_S)
    watch(run_id, {run.id: run.state for run in runs})


def watch_run(run_id: str, last_states: dict[str, State]) -> None:
    """Show the current state of a run.

    Rerun the whole page when a run changes its state, appears or disappears.

    Args:
        run_id: the run to show.
        last_states: the state of each run when the page last ran.
    """
    store = run_store()
    try:
        store.start_next()
    except EmojifyError as error:
        show_error(error)
    run = current_run(run_id, last_states)
    if run is None:
        st.rerun(scope="app")
    show_result()
    show_state(run)
    progress = read_progress(run.folder)
    if run.config is not None:
        show_progress(run, run.config, progress)
        show_curves(run, progress)
    if run.state is State.RUNNING and (placement := read_placement(run.folder)):
        st.caption(f"On the cluster at {escape_markdown(placement.address)}")
    if queue := store.queue():
        st.caption("Waiting: " + ", ".join(escape_markdown(name) for name in queue))
    with st.expander("Log", icon=":material/terminal:"):
        st.code(
            printable(run.log_tail()) or "Nothing has been printed yet.", language=None, wrap_lines=True, height=260
        )


def current_run(run_id: str, last_states: dict[str, State]) -> Run | None:
    """Read a run again; return None if any run has appeared, disappeared or changed its state since."""
    store = run_store()
    if store.ids() != list(last_states):
        return None
    # Only active runs can change their state. Reading hundreds of others each second would slow down live video.
    active = {name for name, state in last_states.items() if is_active(state)}
    try:
        runs = {name: store.get(name) for name in active | {run_id}}
    except EmojifyError:  # deleted meanwhile
        return None
    if any(run.state is not last_states[name] for name, run in runs.items()):
        return None
    return runs[run_id]


def show_state(run: Run) -> None:
    """Show the run's state, the buttons that apply to it, and its reason and next step."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(run.state.value, color=STATE_COLORS[run.state])  # type: ignore[arg-type]  # expects literals
        if is_active(run.state):
            st.button(
                "Take out of the queue" if run.state is State.QUEUED else "Stop",
                icon=":material/stop:",
                key="stop",
                disabled=run.state is State.STOPPING,
                on_click=run_action,
                args=[lambda: run_store().stop(run.id)],
                help="The last finished epoch is kept. You can resume from there.",
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
            show_delete(run)
    sentences = f"{run.reason} {run.next_step}".strip()
    if sentences and run.state in (State.FAILED, State.KILLED, State.BROKEN):
        show_error(sentences)
    elif sentences:
        st.info(escape_markdown(sentences))


def show_delete(run: Run) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown("This deletes its checkpoints and curves for good. Models made from it stay.")
        st.button(
            "Yes, delete it for good",
            key=f"delete-{run.id}",
            on_click=run_action,
            args=[lambda: run_store().delete(run.id, model_store().live_id)],
        )


def show_progress(run: Run, config: FitConfig, progress: Progress) -> None:
    done = max(run.epochs_done, len(progress.epochs) if run.state.has_process else 0)
    st.progress(min(done / config.epochs, 1.0), f"{done} of {config.epochs} epochs done")
    batch = progress.batch
    if run.state in (State.RUNNING, State.STOPPING) and batch is not None:
        figures = f"loss {batch.loss:.3f}, accuracy {batch.accuracy:.1%}"
        st.progress(batch.number / batch.batches, f"Batch {batch.number} of {batch.batches} · {figures}")
        age_s = time.time() - batch.time
        remaining_s = progress.remaining_s(config.epochs, time.time())
        remaining = f"about {format_duration(remaining_s)} left · " if remaining_s is not None else ""
        st.caption(f"{remaining}last update {format_duration(age_s)} ago")
        if age_s > QUIET_AFTER_S:
            st.warning("No update for a while. The machine may be busy or asleep; the log may say more.")
    elif run.state is State.STARTING:
        st.progress(0.0, "Waiting for the first batch")
    if run.best_accuracy is not None:
        recall = f"; averaged over the seven emotions: {run.best_recall:.1%}" if run.best_recall is not None else ""
        st.caption(
            f"Best so far: epoch {run.best_epoch}, which gets {run.best_accuracy:.1%} of the public pictures "
            f"right{recall}.",
            help="The public pictures are a part of the data that the network does not learn from.",
        )


def show_curves(run: Run, progress: Progress) -> None:
    if not progress.epochs and (progress.batch is None or progress.batch.number < 2):
        if not is_active(run.state):
            st.caption("This run has no curves: it ended before it reported any figures.")
        return
    left, right = st.columns(2)
    for column, metric, percent in ((left, "loss", False), (right, "accuracy", True)):
        rows = curve_rows(progress, metric, run.best_epoch)
        column.altair_chart(curve_chart(rows, metric.capitalize(), percent=percent), width="stretch")
    if run.config is not None and (run.config.ferplus_head or run.config.logit_adjustment or run.config.teachers):
        st.caption(
            "The two losses can't be compared: with these settings, the loss on train has parts that the loss on "
            "validation lacks."
        )
    if progress.unreadable:
        st.caption(f"{progress.unreadable} lines of its progress file can't be read and are left out.")
