"""The video on the teaching page, and recording from it. Not a page of its own."""

from __future__ import annotations

import streamlit as st

from emojify.emotions import Emotion, parse_emotion
from emojify.live.face_recorder import FaceRecorder, Phase
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.session_limiter import FULL_MESSAGE
from emojify.settings import Settings
from emojify.teaching.samples import Sample, SampleStore
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier
from emojify.vision.readings import main_reading
from pages.parts.messages import run_action, set_error
from pages.parts.probability_bars import bars_html
from pages.parts.stream import stream
from pages.parts.teach_pictures import keep_pictures

SECONDS_BETWEEN_LOOKS = 0.5


def video(settings: Settings, classifier: Classifier) -> tuple[EmojiVideoProcessor, FaceRecorder, bool]:
    """The video, what may record from it, and whether it plays. One that stopped ends a recording."""
    state = st.session_state
    if "teach_recorder" not in state:
        state.teach_recorder = FaceRecorder()
    recorder: FaceRecorder = state.teach_recorder
    live = LiveSettings(classifier, BoxLabel())
    if "teach_processor" not in state:
        state.teach_processor = EmojiVideoProcessor(live, taps=[recorder])
    processor: EmojiVideoProcessor = state.teach_processor
    processor.configure(live)
    playing = stream("teach", processor, settings)
    if not playing and recorder.progress().phase is not Phase.IDLE:
        recorder.cancel()
        set_error("The video stopped, so nothing was recorded. Start it and record again.")
    return processor, recorder, playing


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch(processor: EmojiVideoProcessor) -> None:
    """What it reads in the video right now."""
    status = processor.status()
    if status.refused:
        st.warning(FULL_MESSAGE)
    reading = main_reading(status.readings)
    if reading is None:
        st.subheader("Nobody in sight: come into the picture", anchor=False)
    else:
        symbol = reading.emotion.symbol if reading.sure else "🤔"
        st.subheader(f"It reads: {symbol} {reading.caption}", anchor=False)
    st.html(bars_html(reading))
    st.caption(f"{status.fps:.0f} frames/s")
    if status.problem:
        st.warning(f"{status.failed} frames could not be read ({status.problem}).")


def choose_and_record(store: SampleStore, recorder: FaceRecorder, playing: bool, samples: list[Sample]) -> None:
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
            on_click=run_action,
            args=[record, recorder, emotion],
        )
        last = [sample for sample in samples if sample.recording == st.session_state.get("teach_last")]
        if last and playing and idle:
            st.button(
                "Redo the last one",
                icon=":material/replay:",
                on_click=run_action,
                args=[record, recorder, last[0].emotion, last[0].recording],
            )
        if not idle:
            st.button("Cancel", on_click=recorder.cancel)
    if not playing:
        st.caption("Press Start under the video first. After 3, 2, 1 it takes pictures for three seconds.")
    elif not idle:
        watch_recording(store, recorder)


def record(recorder: FaceRecorder, emotion: Emotion, replaces: str | None = None) -> None:
    """Begin; the recording that it is made instead of stays until this one is there."""
    st.session_state.teach_instead_of = replaces
    recorder.start(emotion)


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def watch_recording(store: SampleStore, recorder: FaceRecorder) -> None:
    """Beside the button and not at the video: on a phone that is out of sight when somebody presses it."""
    progress = recorder.progress()
    if progress.emotion is None:
        return
    if progress.phase is Phase.DONE:
        run_action(save, store, recorder)
        st.rerun()
    name = f"{progress.emotion.symbol} {progress.emotion.label}"
    if progress.phase is Phase.COUNTDOWN:
        st.subheader(f"Get ready to look {name}: {progress.seconds_left}", anchor=False)
    else:
        st.subheader(f"{name}: {progress.crops} pictures", anchor=False)
    st.caption("Keep the face, move your head a little.")


def save(store: SampleStore, recorder: FaceRecorder) -> str:
    emotion, cutouts = recorder.collect()
    return keep_pictures(store, emotion, cutouts, replaces=st.session_state.get("teach_instead_of"))


def _with_count(emotion: Emotion, counts: dict[Emotion, int]) -> str:
    number = f" · {counts[emotion]}" if counts[emotion] else ""
    return f"{emotion.symbol} {emotion.label}{number}"
