"""Teach it your face: record how you look, teach, try, keep or discard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
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
from emojify.pictures import encode_png, read_photo
from emojify.settings import Settings
from emojify.teaching import drafts
from emojify.teaching.hints import WELL_READ, ReadAs, advice, read_pictures
from emojify.teaching.rehearsal import require_bank
from emojify.teaching.samples import PHOTOS, Sample
from emojify.vision.analyzer import to_grey
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier
from emojify.vision.cutout import Cutout, cut_out
from emojify.vision.detector import FaceDetector
from emojify.vision.readings import main_reading

SECONDS_BETWEEN_LOOKS = 0.5
THUMBNAIL_PX, SHARPNESS = 64, 2
THUMBNAILS = 12  # of an emotion; the rest are a click away
NEW, OLD = "as taught", "as before"
STYLE = """<style>
.stMainBlockContainer {padding-top: 3.5rem}
[data-testid="stImage"] {gap: .25rem}
</style>"""


def do(action: Callable[[], str | None]) -> None:
    """Run what a button is for, and keep the sentence about it for the next run of the page."""
    try:
        st.session_state.teach_done = action()
    except EmojifyError as error:
        st.session_state.teach_failed = str(error)


def tell_what_was_done() -> None:
    if failed := st.session_state.pop("teach_failed", None):
        st.error(failed)
    if done := st.session_state.pop("teach_done", None):
        st.success(done, icon=":material/check:")


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
        st.warning("The video stopped, so the recording was dropped. Press Start, then record again.")
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
    return keep_pictures(emotion, cutouts)


def keep_pictures(emotion: Emotion, cutouts: list[Cutout], **source: str) -> str:
    saved = samples_here.add(emotion, cutouts, **source)
    st.session_state.teach_last = saved.recording
    kept = "1 picture" if saved.kept == 1 else f"{saved.kept} different pictures"
    return " ".join([f"Kept {kept} of {emotion.label}.", *saved.notes])


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


def bring_photos() -> None:
    with st.expander("Or bring photos", icon=":material/add_photo_alternate:"):
        batch = st.session_state.setdefault("teach_batch", 0)
        files = st.file_uploader(
            "Photos of you alone, all with the face chosen above: PNG, JPEG or WebP",
            type=["png", "jpg", "jpeg", "webp"],
            accept_multiple_files=True,
            key=f"teach_photos_{batch}",
        )
        emotion = parse_emotion(str(st.session_state.get("teach_emotion") or Emotion.HAPPY.label))
        st.button(
            f"Add as {emotion.label}",
            disabled=not files,
            on_click=lambda: do(lambda: add_photos(emotion, [(file.name, file.getvalue()) for file in files])),
        )


def add_photos(emotion: Emotion, files: list[tuple[str, bytes]]) -> str:
    cutouts, problems = [], []
    for name, content in files:
        try:
            grey = to_grey(read_photo(content, name))
            boxes = FaceDetector().detect(grey)
            if len(boxes) != 1:
                raise EmojifyError(f"{name} has {len(boxes) or 'no'} faces; there must be yours alone.")
            cutouts.append(cut_out(grey, boxes[0]))
        except EmojifyError as error:
            problems.append(str(error))
    if not cutouts:
        raise EmojifyError(" ".join(problems))
    said = keep_pictures(emotion, cutouts, source=PHOTOS)
    st.session_state.teach_batch += 1  # a fresh uploader
    return " ".join([said, *problems])


# ---- what was recorded ----


@st.cache_data(show_spinner=False, max_entries=4000)
def thumbnail(path: str, written_ns: int) -> bytes:
    """``written_ns`` is the file's time."""
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return b""
    side = THUMBNAIL_PX * SHARPNESS
    return encode_png(np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8))


def thumbnails(samples: list[Sample]) -> list[bytes]:
    made = [thumbnail(str(sample.path), sample.path.stat().st_mtime_ns) for sample in samples]
    return [picture for picture in made if picture]


@st.cache_data(show_spinner="Reading your pictures …", max_entries=8)
def readings_now(_samples: list[Sample], _classifier: Classifier, files: str) -> dict[int, ReadAs]:
    """``files`` is the fingerprint of the pictures and of the model."""
    return {int(emotion): read for emotion, read in read_pictures(_samples, _classifier).items()}


def show_pictures(samples: list[Sample], classifier: Classifier, files: str) -> None:
    try:
        now = readings_now(samples, classifier, files)
    except EmojifyError as error:
        st.warning(str(error))
        now = {}
    for emotion in Emotion:
        mine = [sample for sample in samples if sample.emotion is emotion]
        if not mine:
            continue
        recordings = len({sample.recording for sample in mine})
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                times = "1 recording" if recordings == 1 else f"{recordings} recordings"
                st.markdown(f"{emotion.look.symbol} **{emotion.label}** · {len(mine)} pictures, {times}")
                if st.button("Look through", key=f"look-{emotion.label}", icon=":material/grid_view:"):
                    look_through(emotion)
            if emotion in now:
                st.caption(in_words(now[emotion]))
            step = max(1, len(mine) // THUMBNAILS)
            st.image(thumbnails(mine[::step][:THUMBNAILS]), width=THUMBNAIL_PX)


def in_words(read: ReadAs) -> str:
    if read.mistaken is None:
        return "All of them are read right now."
    if read.right >= WELL_READ:
        return f"{read.right:.0%} are read right now."
    return f"Only {read.right:.0%} are read right now; most others look {read.mistaken.label} to it."


@st.dialog("Look through", width="large")
def look_through(emotion: Emotion) -> None:
    mine = [sample for sample in samples_here.samples() if sample.emotion is emotion]
    st.markdown(f"{emotion.look.symbol} **{emotion.label}**: tick what should go.")
    ticked: list[Sample] = []
    for recording in dict.fromkeys(sample.recording for sample in mine):
        its = [sample for sample in mine if sample.recording == recording]
        day, time_ = recording.split("-")[:2]
        whole = st.checkbox(f"The whole recording of {day[6:]}.{day[4:6]}. at {time_[:2]}:{time_[2:4]}", key=recording)
        with st.container(horizontal=True, gap="xxsmall"):
            for number, sample in enumerate(its):
                with st.container(width=THUMBNAIL_PX + 8, gap="xxsmall"):
                    for picture in thumbnails([sample]):
                        st.image(picture, width=THUMBNAIL_PX)
                    if st.checkbox(f"{number + 1}", key=f"{recording}/{sample.path.name}") or whole:
                        ticked.append(sample)
    if st.button(f"Delete {len(ticked)} pictures", disabled=not ticked, icon=":material/delete:"):
        do(lambda: samples_here.delete(ticked))
        st.rerun()


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

settings = Settings.from_environment()
samples_here = drafts.sample_store(settings)
st.html(STYLE)
st.title("Teach it your face", anchor=False)
st.markdown(
    "It reads some of your faces wrong? Show it how **you** look. "
    f"The pictures stay on this machine, in `{samples_here.folder.parent.name}/{samples_here.folder.name}`, "
    "and are sent nowhere."
)
tell_what_was_done()
try:
    store = ModelStore(settings.models)
    opened = store.open()
    base = drafts.base_model(store)
except EmojifyError as error:
    st.error(str(error))
    st.stop()
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
    bring_photos()
    st.subheader("2. Teach", anchor=False)
    teach(samples, teaching, base)
st.subheader("Your pictures", anchor=False)
if samples:
    live_now = open_classifier(str(opened.model.folder), fingerprint(opened.model.folder))
    show_pictures(samples, live_now, fingerprint(samples_here.folder) + fingerprint(opened.model.folder))
else:
    st.info("None yet. Choose a face, press Record, and hold it for three seconds.", icon=":material/photo_camera:")
forget(samples, drafts.personal_models(store))
