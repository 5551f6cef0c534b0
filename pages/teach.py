"""Teach it your face: record how you look, teach, try, keep or discard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from emojify.emotions import parse_emotion
from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.models import Model, ModelStore
from emojify.settings import Settings
from emojify.teaching import drafts
from emojify.teaching.hints import advice
from emojify.teaching.rehearsal import require_bank
from emojify.teaching.samples import Sample
from emojify.teaching.teach import NOT_LEARNED
from emojify.vision.classifier import Classifier
from pages.parts.entry import enter_page
from pages.parts.messages import run_action, show_result
from pages.parts.teach_pictures import bring_photos, show_pictures
from pages.parts.teach_recording import SECONDS_BETWEEN_LOOKS, choose_and_record, video, watch

enter_page(__file__)

NEW, OLD = "as taught", "as before"
STYLE = """<style>
.stMainBlockContainer {padding-top: 3.5rem}
[data-testid="stImage"] {gap: .25rem}
</style>"""


@st.cache_resource(show_spinner="Loading the model …", max_entries=4)
def open_classifier(folder: str, files: str) -> Classifier:
    """``files`` is the folder's fingerprint."""
    return Model(Path(folder)).open()


# ---- deleting ----


def forget(samples: list[Sample], personal: list[Model]) -> None:
    with st.popover("Delete all", icon=":material/delete:"):
        st.markdown("Gone for good, from this machine's disk too.")
        st.button(
            "Delete all pictures",
            disabled=not samples and not samples_here.problems(),
            on_click=run_action,
            args=[delete_pictures],
        )
        if personal:
            st.button(
                "Delete the pictures and the models taught from them", on_click=run_action, args=[forget_everything]
            )


def delete_pictures() -> str:
    drafts.discard(settings)
    samples_here.delete_all()
    return "All pictures are deleted."


def forget_everything() -> str:
    drafts.delete_personal_data(settings)
    use_live_model()
    return "All pictures are deleted, and the models taught from them."


# ---- teaching ----


def begin() -> None:
    drafts.start(settings)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch_teaching() -> None:
    teaching = drafts.find_latest(settings)
    if teaching is None or not teaching.running:
        st.rerun()
    else:
        st.progress(teaching.progress, f"{teaching.step} …")
        if st.button("Stop"):
            run_action(stop)
            st.rerun()


def stop() -> str:
    drafts.stop(settings)
    return "Stopped. Your pictures are all here, and nothing was changed."


def teach(samples: list[Sample], teaching: drafts.TeachingJob | None, base: Model) -> None:
    for sentence in advice(samples):
        st.caption(f":material/lightbulb: {sentence}")
    if teaching is not None and teaching.running:
        watch_teaching()
        return
    if teaching is not None and teaching.error:
        st.error(teaching.error)
    try:
        require_bank(base)
    except EmojifyError as error:
        st.warning(str(error))
        return
    st.button(
        "Teach it" if teaching is None or teaching.result is None else "Teach it again",
        type="primary" if teaching is None or teaching.result is None else "secondary",
        icon=":material/school:",
        disabled=not samples,
        on_click=run_action,
        args=[begin],
    )
    st.caption(
        f"Takes a few seconds, up to half a minute on a busy machine. It learns from all your pictures, starting from "
        f"{base.name}, so nothing piles up. The video runs on."
    )


def table(result: dict[str, Any]) -> str:
    lines = ["| | pictures | before | after |", "|---|--:|--:|--:|"]

    def line(name: str, figures: dict[str, Any], form: str) -> str:
        return f"| {name} | {figures['n']} | {figures['before']:{form}} | {figures['after']:{form}} |"

    if own := result["own"]:
        lines.append(line("**You**, held-out recordings", own, ".0%"))
        lines += [
            line(f"{parse_emotion(label).symbol} {label}", figures, ".0%") for label, figures in own["emotions"].items()
        ]
    lines.append(line("**Everyone else**, held-out faces", result["others"], ".1%"))
    return "\n".join(lines)


def try_it(teaching: drafts.TeachingJob) -> None:
    assert teaching.result is not None
    if not teaching.result["learned"]:
        st.warning(NOT_LEARNED)
    st.markdown(table(teaching.result))
    if not teaching.result["own"]:
        st.caption(
            "There is no figure for your own face: each emotion was recorded only once, and pictures of one recording "
            "are too alike to measure with. Try it in the video."
        )
    else:
        st.caption(
            "Measured with the newest recording of each emotion held back; then taught all of them. "
            "“Everyone else” are faces of the training data's public part."
        )
    with st.container(horizontal=True):
        if teaching.result["learned"]:  # else it is as it was
            st.button("Keep it", type="primary", icon=":material/check:", on_click=run_action, args=[keep, teaching])
        st.button("Discard", icon=":material/close:", on_click=run_action, args=[discard])


def keep(teaching: drafts.TeachingJob) -> str:
    model = drafts.promote(settings, teaching)
    use_live_model()
    return f"Kept. “{model.name}” is live now, here and on the live page."


def discard() -> str:
    drafts.discard(settings)
    return "Discarded. Your pictures are all still here."


def undo() -> str:
    model_id = ModelStore(settings.models).rollback()
    use_live_model()
    return f"“{ModelStore(settings.models).get(model_id).name}” is live again. Your pictures are all still here."


def use_live_model() -> None:
    """The live page's choice follows: it would otherwise stay with what was chosen there."""
    st.session_state["model"] = ModelStore(settings.models).live_id


def offer_undo(live: Model) -> None:
    if not live.card.get(drafts.BASED_ON):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/face: **{live.name}** is live: it was taught your face.")
        st.button(
            "Undo", icon=":material/undo:", on_click=run_action, args=[undo], help="Put the model before live again"
        )


# ---- the page ----

settings = Settings.from_environment()
samples_here = drafts.sample_store(settings)
st.html(STYLE)
st.title("Teach it your face", anchor=False)
st.markdown(
    "It reads some of your faces wrong? Show it how **you** look. "
    f"The pictures stay on this machine, in `{samples_here.folder.parent.name}/{samples_here.folder.name}`, "
    "and are sent nowhere."
)
# What comes and goes above the video has a fixed place: a video whose place changes starts anew.
notices = st.container()
try:
    store = ModelStore(settings.models)
    opened = store.open()
    base = drafts.base_model(store)
except EmojifyError as error:
    st.error(str(error))
    st.stop()
with notices:
    for problem in (*opened.problems, *samples_here.problems()):
        st.warning(problem)
    offer_undo(opened.model)
samples = samples_here.samples()
teaching = drafts.find_latest(settings)
ready = teaching is not None and teaching.result is not None
stage, side = st.columns([5, 4], gap="large")
with side:
    reader = opened.model
    if ready:
        assert teaching is not None
        st.subheader("3. Try it", anchor=False)
        chosen = st.segmented_control(
            "Read the video", [NEW, OLD], default=NEW, required=True, key="teach_reader", width="content"
        )
        reader = teaching.model if chosen == NEW else opened.model
        try_it(teaching)
        st.divider()
    record_place = st.container()
try:
    classifier = open_classifier(str(reader.folder), fingerprint(reader.folder))
except EmojifyError as error:
    st.error(str(error))
    st.stop()
with stage:
    processor, recorder, playing = video(settings, classifier)
    if playing:
        watch(processor)
with record_place:
    show_result(persistent=True)  # in sight of whoever pressed a button, on a phone as well
    st.subheader("1. Record", anchor=False)
    choose_and_record(samples_here, recorder, playing, samples)
    bring_photos(samples_here)
    st.subheader("2. Teach", anchor=False)
    teach(samples, teaching, base)
st.subheader("Your pictures", anchor=False)
if samples:
    live_now = open_classifier(str(opened.model.folder), fingerprint(opened.model.folder))
    show_pictures(samples_here, samples, live_now, fingerprint(samples_here.folder) + fingerprint(opened.model.folder))
else:
    st.info("None yet. Choose a face, press Record, and hold it for three seconds.", icon=":material/photo_camera:")
forget(samples, drafts.personal_models(store))
