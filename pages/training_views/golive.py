"""The view "Go live": put a model live, roll back, read the cards of the models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from emojify.errors import EmojifyError
from emojify.models import SHIPPED_MODELS, Model, ModelStore
from emojify.runs.figures import Judged, judge
from emojify.runs.golive import compare_models, compare_run, export_status, go_live, judge_model
from emojify.runs.presets import format_duration
from emojify.runs.run import Run
from pages.parts.messages import escape_markdown, run_action, set_success, show_error
from pages.training_views.common import model_store, run_store
from pages.training_views.figures import emotions_line, show_changes
from pages.training_views.text import FIGURE_TITLES, FIGURES_HELP, card_lines, run_label

POLL_INTERVAL_S = 1.0
CONFIRM_LABEL = "Put it live anyway"


def show() -> None:
    """Show the live model, the form to put a run live, and the other models."""
    store = model_store()
    live = show_live(store)
    show_form(store, live)
    show_other_models(store, live)


def show_live(store: ModelStore) -> Model | None:
    """Show the live model and its card; return the model, or None if no model can be opened."""
    with st.container(border=True):
        try:
            opened = store.open()
        except EmojifyError as error:
            show_error(error)
            return None
        for problem in opened.problems:
            st.warning(escape_markdown(f"{problem} {opened.model.id} is used instead."))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(escape_markdown(opened.model.name), anchor=False)
            st.badge("live", color="green", icon=":material/videocam:")
        if store.can_roll_back:
            st.button(
                "Roll back",
                icon=":material/undo:",
                on_click=run_action,
                args=[lambda: f"{store.rollback()} is live again."],
                help="Puts the model live that was live before this one.",
            )
        show_figures(opened.model)
        with st.expander("Model card", icon=":material/id_card:"):
            show_card(opened.model)
    return opened.model


def show_form(store: ModelStore, live: Model | None) -> None:
    st.subheader("Put a run live", anchor=False)
    runs = [run for run in run_store().runs() if run.has_weights]
    if not runs:
        st.info("No run has finished an epoch yet. Start a fit under **Train**.", icon=":material/rocket_launch:")
        return
    run = choose_run(runs)
    export = export_status(run, store)
    if export is not None and export.running:
        watch_export(run.id)
        return
    if run.model_id == store.live_id:
        st.success(f"The best epoch of this run, {run.best_epoch}, is live.")
        return
    if export is not None:
        show_error(f"The model was not made. {export.error}")
    name = st.text_input("Name", max_chars=60, placeholder=run.model_id, key=f"name-{run.id}")
    if live is not None and (warning := compare_run(run, live)):
        st.warning(escape_markdown(warning))
    show_changes(run)
    judged = judge(run.best.get("figures"))
    if judged is not None and judged.near_guessing:
        st.warning(escape_markdown(judged.near_guessing), icon=":material/casino:")
    with confirmation(judged, "Go live", f"run-{run.id}") as ask:
        st.button(
            CONFIRM_LABEL if ask else "Go live",
            type="primary",
            key=f"go-live-{run.id}",
            icon=":material/rocket_launch:",
            on_click=run_action,
            args=[lambda: go_live(run, name, model_store())],
        )
    st.caption(
        "This makes a model from the run's best epoch, measures it, and puts it live. Live video switches to it."
    )


def choose_run(runs: list[Run]) -> Run:
    by_id = {run.id: run for run in runs}
    best = max(runs, key=lambda run: run.best_accuracy or 0.0)
    chosen = st.session_state.get("live_run")
    # Set the value even if it is unchanged: its label in the menu may have changed.
    st.session_state.live_run = chosen if chosen in by_id else best.id
    run_id = st.selectbox("Run", list(by_id), format_func=lambda run_id: run_label(by_id[run_id]), key="live_run")
    return by_id[str(run_id)]


@st.fragment(run_every=POLL_INTERVAL_S)
def watch_export(run_id: str) -> None:
    try:
        run = run_store().get(run_id)
    except EmojifyError:
        st.rerun()
    export = export_status(run, model_store())
    if export is None or not export.running:
        if export is None:
            set_success("The model is live.")
        st.rerun()
    st.info(
        f"{escape_markdown(export.step or 'Starting')} … since {format_duration(export.age_s)}. "
        "It takes 10 to 60 seconds; you can leave this page meanwhile.",
        icon=":material/hourglass_top:",
    )


def show_other_models(store: ModelStore, live: Model | None) -> None:
    models = [model for model in store.models() if live is None or model.id != live.id]
    if not models:
        return
    st.subheader("Other models", anchor=False)
    for model in models:
        with st.container(border=True):
            show_model(store, model, live)


def show_model(store: ModelStore, model: Model, live: Model | None) -> None:
    try:
        name = model.name
    except EmojifyError as error:
        st.markdown(f"**{escape_markdown(model.id)}**")
        show_error(f"{error} It can't be used. Delete it, or restore its files.")
        show_delete(store, model)
        return
    st.markdown(f"**{escape_markdown(name)}**" + (f" · {escape_markdown(model.id)}" if name != model.id else ""))
    show_figures(model)
    if live is not None and (warning := compare_models(model, live)):
        st.caption(f":material/warning: {escape_markdown(warning)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        with confirmation(judge_model(model), "Put live", model.id) as ask:
            st.button(
                CONFIRM_LABEL if ask else "Put live",
                key=f"promote-{model.id}",
                icon=":material/rocket_launch:",
                on_click=run_action,
                args=[lambda: promote(store, model)],
            )
        if model.id not in SHIPPED_MODELS:
            show_delete(store, model)
        with st.popover("Model card", icon=":material/id_card:"):
            show_card(model)


def promote(store: ModelStore, model: Model) -> str:
    store.promote(model.id)
    return f"{model.name} is live."


def show_delete(store: ModelStore, model: Model) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown("This deletes the model for good. The run that it was made from stays.")
        st.button(
            "Yes, delete it for good",
            key=f"delete-{model.id}",
            on_click=run_action,
            args=[lambda: store.remove(model.id)],
        )


@contextmanager
def confirmation(judged: Judged | None, label: str, key: str) -> Iterator[bool]:
    """Put a button into a popover that asks once more if the model is near guessing.

    Args:
        judged: the model's figures; None if there are none.
        label: the label of the popover.
        key: a key of the widget that differs between models.

    Yields:
        True if the button inside asks for confirmation; its label is then ``CONFIRM_LABEL``.
    """
    warning = judged.near_guessing if judged else ""
    if not warning:
        yield False
        return
    with st.popover(label, icon=":material/rocket_launch:", key=f"confirm-{key}"):
        st.markdown(f"{escape_markdown(warning)} Everyone who uses the live model would see mostly wrong emoji.")
        yield True


def show_figures(model: Model) -> None:
    """Show the one figure that matters first, and each emotion's; accuracy by the labels is folded away."""
    judged = judge_model(model)
    rows = [(title, model.accuracy(split)) for split, title in FIGURE_TITLES.items()]
    texts = [f"{title} {accuracy:.1%}" for title, accuracy in rows if accuracy is not None]
    if judged is not None:
        st.markdown(f"{judged.headline}.")
        st.markdown(emotions_line(judged.recall))
        if judged.near_guessing:
            st.warning(escape_markdown(judged.near_guessing), icon=":material/casino:")
    if not texts:
        st.caption("The model card has no figures.")
        return
    with st.expander("Accuracy by the labels"):
        st.caption(" · ".join(texts), help=FIGURES_HELP)
        data = model.card.get("data")
        if isinstance(data, dict) and str(data.get("name", "")).startswith("FER-2013"):
            st.caption("FER-2013's labels agree with what most people see in about two thirds of its pictures.")


def show_card(model: Model) -> None:
    """Show how the model was made, what it is good and weak at, and its limits."""
    card = model.card
    st.markdown("\n".join(f"- **{title}**: {escape_markdown(text)}" for title, text in card_lines(card)))
    caveats = card.get("caveats")
    if isinstance(caveats, list) and caveats:
        st.markdown("**Limits**\n" + "\n".join(f"- {escape_markdown(str(caveat))}" for caveat in caveats))
    if card.get("recipe"):
        st.json(card["recipe"], expanded=False)
