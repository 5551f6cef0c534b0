"""Teaching page: the video, and recording an emotion from it."""

from __future__ import annotations

import streamlit as st

from emojify.emotions import Emotion, parse_emotion
from emojify.errors import EmojifyError
from emojify.live.face_recorder import FaceRecorder, Phase
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.session_limiter import FULL_MESSAGE
from emojify.settings import Settings
from emojify.teaching.samples import Sample, SampleStore
from emojify.vision.annotators import BoxLabel
from emojify.vision.classifier import Classifier
from emojify.vision.readings import main_reading
from pages.parts.messages import escape_markdown, run_action, set_error
from pages.parts.probability_bars import show_reading
from pages.parts.stream import show_stream
from pages.parts.teach_pictures import save_recording
from pages.parts.teach_text import emotion_option

POLL_INTERVAL_S = 0.5


# ---- the video ----


def show_video(settings: Settings, classifier: Classifier) -> tuple[EmojiVideoProcessor, FaceRecorder, bool]:
    """Show the video; return its processor and recorder, and whether it plays.

    If the video stops during a recording, the recording is dropped and an error is stored for ``show_result``.
    """
    state = st.session_state
    if "teach_recorder" not in state:
        state.teach_recorder = FaceRecorder()
    recorder: FaceRecorder = state.teach_recorder
    live = LiveSettings(classifier, BoxLabel())
    if "teach_processor" not in state:
        state.teach_processor = EmojiVideoProcessor(live, taps=[recorder])
    processor: EmojiVideoProcessor = state.teach_processor
    processor.configure(live)
    try:
        playing = show_stream("teach", processor, settings)
    except EmojifyError as error:  # every place for live video is taken
        st.warning(escape_markdown(str(error)))
        playing = False
    if not playing and recorder.progress().phase is not Phase.IDLE:
        recorder.cancel()
        set_error("The video stopped, so nothing was recorded. Start it and record again.")
    return processor, recorder, playing


@st.fragment(run_every=POLL_INTERVAL_S)
def show_current_reading(processor: EmojiVideoProcessor) -> None:
    status = processor.status()
    if status.refused:
        st.warning(FULL_MESSAGE)
    show_reading(main_reading(status.readings), prefix="It sees: ")
    if status.problem:
        st.warning(f"{status.failed} frames could not be read ({escape_markdown(status.problem)}).")


# ---- recording ----


def show_recording(store: SampleStore, recorder: FaceRecorder, playing: bool, samples: list[Sample]) -> None:
    """Show the choice of an emotion, the record button, and the progress of a recording."""
    counts = {emotion: sum(sample.emotion is emotion for sample in samples) for emotion in Emotion}
    chosen = st.pills(
        "Which emotion will you show?",
        [emotion.label for emotion in Emotion],
        default=Emotion.HAPPY.label,
        required=True,
        format_func=lambda label: emotion_option(parse_emotion(label), counts[parse_emotion(label)]),
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
            args=[start_recording, recorder, emotion],
        )
        last = [sample for sample in samples if sample.recording == st.session_state.get("teach_last")]
        if last and playing and idle:
            st.button(
                f"Redo {last[0].emotion.label}",
                icon=":material/replay:",
                on_click=run_action,
                args=[start_recording, recorder, last[0].emotion, last[0].recording],
                help="Replaces the last recording",
            )
        if not idle:
            st.button("Cancel", on_click=recorder.cancel)
    if not playing:
        st.caption("Press Start under the video first. Recording counts down from 3, then takes three seconds.")
    elif not idle:
        show_recording_progress(store, recorder)


def start_recording(recorder: FaceRecorder, emotion: Emotion, replaces: str | None = None) -> None:
    """Start the countdown. The recording ``replaces`` is deleted once the new one is saved."""
    st.session_state.teach_replaces = replaces
    recorder.start(emotion)


@st.fragment(run_every=POLL_INTERVAL_S)
def show_recording_progress(store: SampleStore, recorder: FaceRecorder) -> None:
    """Show the progress next to the button, because on a phone the video is out of view then."""
    progress = recorder.progress()
    if progress.emotion is None:
        return
    if progress.phase is Phase.DONE:
        run_action(finish_recording, store, recorder)
        st.rerun()
    name = f"{progress.emotion.symbol} {progress.emotion.label}"
    if progress.phase is Phase.COUNTDOWN:
        st.subheader(f"Get ready to look {name}: {progress.seconds_left}", anchor=False)
    else:
        st.subheader(f"{name}: {progress.crops} pictures", anchor=False)
    st.caption("Hold the expression and move your head a little.")


def finish_recording(store: SampleStore, recorder: FaceRecorder) -> str:
    emotion, crops = recorder.collect()
    return save_recording(store, emotion, crops, replaces=st.session_state.get("teach_replaces"))
