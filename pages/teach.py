"""Teach it your face: record how you look, teach, try, keep or discard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from emojify.emotions import Emotion, parse_emotion
from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.live._compat import prepare_process
from emojify.live.bars import bars_html
from emojify.live.connection import MEDIA_CONSTRAINTS, rtc_configuration
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.recorder import Phase, Recorder
from emojify.live.video_frame import look_after_video_frame
from emojify.models import Model, ModelStore
from emojify.settings import Settings
from emojify.teaching import drafts
from emojify.teaching.hints import advice
from emojify.teaching.rehearsal import require_bank
from emojify.teaching.samples import Sample
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier
from emojify.vision.readings import main_reading
from pages.parts.front_door import come_in
from pages.parts.own_pack import not_for_visitors
from pages.parts.teach_pictures import bring_photos, do, keep_pictures, show_pictures, tell_what_was_done

come_in()

SECONDS_BETWEEN_LOOKS = 0.5
NEW, OLD = "as taught", "as before"
STYLE = """<style>
.stMainBlockContainer {padding-top: 3.5rem}
[data-testid="stImage"] {gap: .25rem}
</style>"""


# ---- the video, and recording from it ----


@st.cache_resource(show_spinner="Loading the model …", max_entries=4)
def open_classifier(folder: str, files: str) -> Classifier:
    """``files`` is the folder's fingerprint."""
    return Model(Path(folder)).open()


def video(classifier: Classifier) -> tuple[EmojiVideoProcessor, Recorder, bool]:
    state = st.session_state
    if "teach_recorder" not in state:
        state.teach_recorder = Recorder(BoxLabel())
    recorder: Recorder = state.teach_recorder
    live = LiveSettings(classifier, recorder)
    if "teach_processor" not in state:
        state.teach_processor = EmojiVideoProcessor(live)
    processor: EmojiVideoProcessor = state.teach_processor
    processor.configure(live)
    prepare_process()
    context = webrtc_streamer(
        key="teach",
        mode=WebRtcMode.SENDRECV,
        queued_video_frames_callback=processor.recv_queued,
        on_video_ended=processor.on_ended,
        frontend_rtc_configuration=rtc_configuration(settings),
        server_rtc_configuration=rtc_configuration(settings),
        media_stream_constraints=MEDIA_CONSTRAINTS,
        media_toggle_controls=False,
        translations={"start": "Start", "stop": "Stop", "select_device": "Choose camera"},
        video_html_attrs={"autoPlay": True, "controls": False, "muted": True, "style": {"width": "100%"}},
    )
    look_after_video_frame()
    playing = bool(context.state.playing)
    if not playing and recorder.progress().phase is not Phase.IDLE:
        recorder.cancel()
        st.session_state.teach_said = (
            None,
            "The video stopped, so nothing was recorded. Start it and record again.",
        )
    return processor, recorder, playing


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch(processor: EmojiVideoProcessor, recorder: Recorder) -> None:
    progress = recorder.progress()
    if progress.phase is Phase.DONE:
        do(lambda: save(recorder))
        st.rerun()
    if progress.emotion is not None:
        name = f"{progress.emotion.look.symbol} {progress.emotion.label}"
        if progress.phase is Phase.COUNTDOWN:
            st.subheader(f"Get ready to look {name}: {progress.seconds_left}", anchor=False)
        else:
            st.subheader(f"{name}: {progress.crops} pictures", anchor=False)
            st.caption("Keep the face, move your head a little.")
        return
    status = processor.status()
    if status.turned_away:
        st.warning(processor.seats.sentence)
    reading = main_reading(status.readings)
    if reading is None:
        st.subheader("Nobody in sight: come into the picture", anchor=False)
    else:
        symbol = reading.emotion.look.symbol if reading.sure else "🤔"
        st.subheader(f"It reads: {symbol} {reading.caption}", anchor=False)
    st.html(bars_html(reading))
    st.caption(f"{status.fps:.0f} frames/s")
    if status.problem:
        st.warning(f"{status.failed} frames could not be read ({status.problem}).")


def save(recorder: Recorder) -> str:
    emotion, cutouts = recorder.take()
    return keep_pictures(samples_here, emotion, cutouts)


def redo(recorder: Recorder, last: list[Sample]) -> None:
    samples_here.delete(last)
    recorder.begin(last[0].emotion)


def choose_and_record(recorder: Recorder, playing: bool, samples: list[Sample]) -> None:
    counts = {emotion: sum(sample.emotion is emotion for sample in samples) for emotion in Emotion}
    chosen = st.pills(
        "Which face do you show it?",
        [emotion.label for emotion in Emotion],
        default=Emotion.HAPPY.label,
        required=True,
        format_func=lambda label: _with_count(parse_emotion(label), counts),
        key="teach_emotion",
        persist_state="session",
    )
    emotion = parse_emotion(str(chosen))
    idle = recorder.progress().phase is Phase.IDLE
    with st.container(horizontal=True):
        st.button(
            f"Record {emotion.label}",
            type="primary",
            icon=":material/radio_button_checked:",
            disabled=not (playing and idle),
            on_click=recorder.begin,
            args=[emotion],
        )
        last = [sample for sample in samples if sample.recording == st.session_state.get("teach_last")]
        if last and playing and idle:
            st.button("Redo the last one", icon=":material/replay:", on_click=lambda: do(lambda: redo(recorder, last)))
        if not idle:
            st.button("Cancel", on_click=recorder.cancel)
    if not playing:
        st.caption("Press Start under the video first. After 3, 2, 1 it takes pictures for three seconds.")


def _with_count(emotion: Emotion, counts: dict[Emotion, int]) -> str:
    number = f" · {counts[emotion]}" if counts[emotion] else ""
    return f"{emotion.look.symbol} {emotion.label}{number}"


# ---- deleting ----


def forget(samples: list[Sample], personal: list[Model]) -> None:
    with st.popover("Delete all", icon=":material/delete:"):
        st.markdown("Gone for good, from this machine's disk too.")
        st.button(
            f"Delete all {len(samples)} pictures",
            disabled=not samples and not samples_here.problems(),
            on_click=lambda: do(delete_pictures),
        )
        if personal:
            st.button("Delete the pictures and the models taught from them", on_click=lambda: do(forget_everything))


def delete_pictures() -> str:
    drafts.discard(settings)
    samples_here.delete_all()
    return "All pictures are deleted."


def forget_everything() -> str:
    drafts.forget_everything(settings)
    use_live_model()
    return "All pictures are deleted, and the models taught from them."


# ---- teaching ----


def begin() -> None:
    drafts.begin(settings)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch_teaching() -> None:
    teaching = drafts.find(settings)
    if teaching is None or not teaching.running:
        st.rerun()
    else:
        st.progress(teaching.done, f"{teaching.doing} …")
        if st.button("Stop"):
            do(stop)
            st.rerun()


def stop() -> str:
    drafts.discard(settings)
    return "Stopped. Your pictures are all here, and nothing was changed."


def teach(samples: list[Sample], teaching: drafts.Teaching | None, base: Model) -> None:
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
        on_click=lambda: do(begin),
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
            line(f"{parse_emotion(label).look.symbol} {label}", figures, ".0%")
            for label, figures in own["emotions"].items()
        ]
    lines.append(line("**Everyone else**, held-out faces", result["others"], ".1%"))
    return "\n".join(lines)


def try_it(teaching: drafts.Teaching) -> None:
    assert teaching.result is not None
    if not teaching.result["learned"]:
        st.warning(
            "It could not learn these pictures without forgetting how to read everyone else, so it stayed as it was. "
            "Are they all labelled as meant?"
        )
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
        st.button("Keep it", type="primary", icon=":material/check:", on_click=lambda: do(lambda: keep(teaching)))
        st.button("Discard", icon=":material/close:", on_click=lambda: do(discard))


def keep(teaching: drafts.Teaching) -> str:
    model = drafts.keep(settings, teaching)
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
        st.button("Undo", icon=":material/undo:", on_click=lambda: do(undo), help="Put the model before live again")


# ---- the page ----

not_for_visitors()
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
    tell_what_was_done()
    for problem in (*opened.problems, *samples_here.problems()):
        st.warning(problem)
    offer_undo(opened.model)
samples = samples_here.samples()
teaching = drafts.find(settings)
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
    processor, recorder, playing = video(classifier)
    if playing:
        watch(processor, recorder)
with record_place:
    st.subheader("1. Record", anchor=False)
    choose_and_record(recorder, playing, samples)
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
