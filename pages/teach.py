"""Teach it your face: record how you look, teach, try the result, keep or discard it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.models import Model, ModelStore, OpenedModel
from emojify.settings import Settings
from emojify.teaching import drafts
from emojify.teaching.drafts import TeachingJob
from emojify.teaching.hints import advice
from emojify.teaching.rehearsal import require_bank
from emojify.teaching.samples import Sample, SampleStore
from emojify.teaching.teach import NOT_LEARNED
from emojify.vision.classifier import Classifier
from pages.parts.entry import enter_page
from pages.parts.messages import escape_markdown, run_action, show_error, show_result
from pages.parts.teach_pictures import show_photo_upload, show_pictures
from pages.parts.teach_recording import POLL_INTERVAL_S, show_current_reading, show_recording, show_video
from pages.parts.teach_text import comparison_table

enter_page(__file__)

TAUGHT, PREVIOUS = "as taught", "as before"
STYLE = """<style>
[data-testid="stImage"] {gap: .25rem}
@media (max-width: 640px) {
  .stMainBlockContainer .stVerticalBlock {gap: .5rem}
  .stHorizontalBlock:has(> .stColumn) {gap: .5rem}
}
</style>"""


def main() -> None:
    """Show the video beside the three steps, then the pictures."""
    settings = Settings.from_environment()
    store = drafts.sample_store(settings)
    show_title(store)
    # Messages above the video have a fixed place: a video that moves on the page restarts.
    notices = st.container()
    models = ModelStore(settings.models)
    try:
        opened, base = models.open(), drafts.base_model(models)
    except EmojifyError as error:
        show_error(error)
        st.stop()
    with notices:
        show_notices(opened, store, settings)
    samples = store.samples()
    teaching = drafts.find_latest(settings)
    left, right = st.columns([5, 4], gap="large")
    with right:
        reader = show_draft(settings, teaching, opened.model)
        steps = st.container()
    try:
        classifier = open_classifier(reader)
    except EmojifyError as error:
        show_error(error)
        st.stop()
    with left:
        processor, recorder, playing = show_video(settings, classifier)
    with steps:
        show_result(persistent=True)  # next to the buttons, also on a phone
        st.subheader("1. Record", anchor=False)
        show_recording(store, recorder, playing, samples)
        show_photo_upload(store)
        if playing:
            show_current_reading(processor)
        st.subheader("2. Teach", anchor=False)
        show_teaching(settings, samples, teaching, base)
    show_recorded_pictures(store, samples, opened.model)
    show_delete(settings, store, samples, drafts.personal_models(models))


def show_title(store: SampleStore) -> None:
    folder = escape_markdown(f"{store.folder.parent.name}/{store.folder.name}")
    st.html(STYLE)
    st.title("Teach it your face", anchor=False)
    st.markdown(
        "Does it get some of your emotions wrong? Show it how **you** look. "
        f"The pictures stay on this machine, in {folder}, and are sent nowhere."
    )


def open_classifier(model: Model) -> Classifier:
    """Return the model's classifier, opened once for each state of its files.

    Raises:
        EmojifyError: if a file is missing or damaged.
    """
    return _open_classifier(str(model.folder), fingerprint(model.folder))


@st.cache_resource(show_spinner="Loading the model …", max_entries=4)
def _open_classifier(folder: str, files: str) -> Classifier:
    return Model(Path(folder)).open()


# ---- problems, and undoing ----


def show_notices(opened: OpenedModel, store: SampleStore, settings: Settings) -> None:
    for problem in (*opened.problems, *store.problems()):
        st.warning(escape_markdown(problem))
    if opened.model.card.get(drafts.BASED_ON):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            name = escape_markdown(opened.model.name)
            st.markdown(f":material/face: **{name}** is live: it was taught your face.")
            st.button(
                "Undo", icon=":material/undo:", on_click=run_action, args=[undo, settings],
                help="Make the previous model live again",
            )  # fmt: skip


def undo(settings: Settings) -> str:
    models = ModelStore(settings.models)
    model = models.get(models.rollback())
    select_live_model(settings)
    return f"“{model.name}” is live again. Your pictures are all still here."


def select_live_model(settings: Settings) -> None:
    """Select the live model on the live page too, which would keep its earlier choice."""
    st.session_state["model"] = ModelStore(settings.models).live_id


# ---- step 3, on top once there is a draft ----


def show_draft(settings: Settings, teaching: TeachingJob | None, live: Model) -> Model:
    """Show the taught model, if there is one; return the model that reads the video."""
    if teaching is None or teaching.result is None:
        return live
    st.subheader("3. Try it", anchor=False)
    chosen = st.segmented_control(
        "Read the video", [TAUGHT, PREVIOUS], default=TAUGHT, required=True, key="teach_reader", width="content"
    )
    if not teaching.result["learned"]:
        st.warning(NOT_LEARNED)
    st.markdown(comparison_table(teaching.result))
    if teaching.result["own"]:
        st.caption(
            "Measured on the newest recording of each emotion, which was left out for the measurement only. "
            "“Everyone else” are faces of the training data's public split."
        )
    else:
        st.caption(
            "There is no figure for your own face: each emotion was recorded only once, and pictures of one recording "
            "are too similar to measure with. Try it in the video."
        )
    with st.container(horizontal=True):
        if teaching.result["learned"]:  # otherwise the draft equals the live model
            st.button(
                "Keep it", type="primary", icon=":material/check:", on_click=run_action, args=[keep, settings, teaching]
            )
        st.button("Discard", icon=":material/close:", on_click=run_action, args=[discard, settings])
    st.divider()
    return teaching.model if chosen == TAUGHT else live


def keep(settings: Settings, teaching: TeachingJob) -> str:
    model = drafts.promote(settings, teaching)
    select_live_model(settings)
    return f"Kept. “{model.name}” is live now, here and on the live page."


def discard(settings: Settings) -> str:
    drafts.discard(settings)
    return "Discarded. Your pictures are all still here."


# ---- step 2 ----


def show_teaching(settings: Settings, samples: list[Sample], teaching: TeachingJob | None, base: Model) -> None:
    for sentence in advice(samples):
        st.caption(f":material/lightbulb: {escape_markdown(sentence)}")
    if teaching is not None and teaching.running:
        show_progress(settings)
        return
    if teaching is not None and teaching.error:
        show_error(teaching.error)
    try:
        require_bank(base)
    except EmojifyError as error:
        st.warning(escape_markdown(str(error)))
        return
    first_time = teaching is None or teaching.result is None
    st.button(
        "Teach it" if first_time else "Teach it again",
        type="primary" if first_time else "secondary",
        icon=":material/school:",
        disabled=not samples,
        on_click=run_action,
        args=[start_teaching, settings],
    )
    st.caption(
        f"It starts from {escape_markdown(base.name)} every time and learns from all your pictures. This takes a few "
        "seconds, up to half a minute on a busy machine. The video keeps running."
    )


def start_teaching(settings: Settings) -> None:
    drafts.start(settings)


@st.fragment(run_every=POLL_INTERVAL_S)
def show_progress(settings: Settings) -> None:
    teaching = drafts.find_latest(settings)
    if teaching is None or not teaching.running:
        st.rerun()
    st.progress(teaching.progress, f"{escape_markdown(teaching.step)} …")
    if st.button("Stop"):
        run_action(stop_teaching, settings)
        st.rerun()


def stop_teaching(settings: Settings) -> str:
    drafts.stop(settings)
    return "Stopped. Your pictures are all still here, and nothing was changed."


# ---- the pictures ----


def show_recorded_pictures(store: SampleStore, samples: list[Sample], live: Model) -> None:
    st.subheader("Your pictures", anchor=False)
    if samples:
        show_pictures(store, samples, open_classifier(live), fingerprint(store.folder) + fingerprint(live.folder))
    else:
        st.info(
            "None yet. Choose an emotion, press Record, and hold the expression for three seconds.",
            icon=":material/photo_camera:",
        )


def show_delete(settings: Settings, store: SampleStore, samples: list[Sample], personal: list[Model]) -> None:
    with st.popover("Delete all", icon=":material/delete:"):
        st.markdown("This deletes them from this machine's disk. It can't be undone.")
        st.button(
            "Delete all pictures",
            disabled=not samples and not store.problems(),
            on_click=run_action,
            args=[delete_pictures, settings],
        )
        if personal:
            st.button(
                "Delete the pictures and the models taught from them",
                on_click=run_action,
                args=[delete_pictures_and_models, settings],
            )


def delete_pictures(settings: Settings) -> str:
    drafts.delete_pictures(settings)
    return "All pictures are deleted."


def delete_pictures_and_models(settings: Settings) -> str:
    drafts.delete_personal_data(settings)
    select_live_model(settings)
    return "All pictures are deleted, and the models taught from them."


main()
