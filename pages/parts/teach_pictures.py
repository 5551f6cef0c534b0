"""The pictures on the teaching page: seeing them, sorting them out, adding photos. Not a page of its own."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import cv2
import numpy as np
import streamlit as st

from emojify.emotions import Emotion, parse_emotion
from emojify.errors import EmojifyError
from emojify.pictures import encode_png, read_photo
from emojify.teaching.hints import GOOD_ACCURACY, ReadingStats, read_pictures
from emojify.teaching.samples import CAMERA, PHOTOS, Sample, SampleStore
from emojify.vision.analyzer import to_gray
from emojify.vision.classifier import Classifier
from emojify.vision.cutout import Cutout, cut_out, foreground_faces
from emojify.vision.detector import FaceDetector
from pages.parts.messages import escape_markdown, run_action

THUMBNAIL_PX, SHARPNESS = 64, 2
THUMBNAILS = 12  # of an emotion; the rest are a click away


def keep_pictures(
    store: SampleStore, emotion: Emotion, cutouts: list[Cutout], source: str = CAMERA, replaces: str | None = None
) -> str:
    """Save a recording; the sentence says what became of it."""
    saved = store.add(emotion, cutouts, source, replaces)
    st.session_state.teach_last = saved.recording if source == CAMERA else None  # photos can't be recorded anew
    kept = "1 picture" if saved.kept == 1 else f"{saved.kept} different pictures"
    return " ".join([f"Kept {kept} of {emotion.label}.", *saved.notes])


def bring_photos(store: SampleStore) -> None:
    with st.expander("Or bring photos", icon=":material/add_photo_alternate:"):
        batch = st.session_state.setdefault("teach_batch", 0)
        files = st.file_uploader(
            "Photos of you alone, all with the face chosen above: PNG, JPEG or WebP",
            type=["png", "jpg", "jpeg", "webp"],
            accept_multiple_files=True,
            max_upload_size=20,
            key=f"teach_photos_{batch}",
        )
        emotion = parse_emotion(str(st.session_state.get("teach_emotion") or Emotion.HAPPY.label))
        st.button(
            f"Add as {emotion.label}",
            disabled=not files,
            on_click=lambda: run_action(
                lambda: add_photos(store, emotion, [(file.name, file.getvalue()) for file in files])
            ),
        )


def add_photos(store: SampleStore, emotion: Emotion, files: list[tuple[str, bytes]]) -> str:
    cutouts, problems = [], []
    for name, content in files:
        try:
            gray = to_gray(read_photo(content, name))
            boxes = foreground_faces(FaceDetector().detect(gray))
            if len(boxes) != 1:
                raise EmojifyError(f"{name} has {len(boxes) or 'no'} faces; there must be yours alone.")
            cutouts.append(cut_out(gray, boxes[0]))
        except EmojifyError as error:
            problems.append(str(error))
    if not cutouts:
        raise EmojifyError(" ".join(problems))
    said = keep_pictures(store, emotion, cutouts, source=PHOTOS)
    st.session_state.teach_batch += 1  # a fresh uploader
    return " ".join([said, *problems])


@st.cache_data(show_spinner=False, max_entries=4000)
def thumbnail(path: str, written_ns: int) -> bytes:
    """``written_ns`` is the file's time."""
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return b""
    side = THUMBNAIL_PX * SHARPNESS
    return encode_png(np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8))


def thumbnails(samples: list[Sample]) -> list[bytes]:
    made = []
    for sample in samples:
        with suppress(FileNotFoundError):  # deleted meanwhile, in another tab
            made.append(thumbnail(str(sample.path), sample.path.stat().st_mtime_ns))
    return [picture for picture in made if picture]


def pictures(number: int) -> str:
    return "1 picture" if number == 1 else f"{number} pictures"


@st.cache_data(show_spinner="Reading your pictures …", max_entries=8)
def readings_now(_samples: list[Sample], _classifier: Classifier, files: str) -> dict[int, ReadingStats]:
    """``files`` is the fingerprint of the pictures and of the model."""
    return {int(emotion): read for emotion, read in read_pictures(_samples, _classifier).items()}


def show_pictures(store: SampleStore, samples: list[Sample], classifier: Classifier, files: str) -> None:
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
                st.markdown(f"{emotion.symbol} **{emotion.label}** · {pictures(len(mine))}, {times}")
                if st.button("Look through", key=f"look-{emotion.label}", icon=":material/grid_view:"):
                    look_through(store, emotion)
            if emotion in now:
                st.caption(in_words(now[emotion]))
            step = max(1, len(mine) // THUMBNAILS)
            st.image(thumbnails(mine[::step][:THUMBNAILS]), width=THUMBNAIL_PX)


def in_words(read: ReadingStats) -> str:
    if read.confused_with is None:
        return "At present it reads all of them rightly."
    if read.accuracy >= GOOD_ACCURACY:
        return f"At present it reads {read.accuracy:.0%} of them rightly."
    others = f"most others look {read.confused_with.label} to it"
    return f"At present it reads only {read.accuracy:.0%} of them rightly; {others}."


@st.dialog("Look through", width="large")
def look_through(store: SampleStore, emotion: Emotion) -> None:
    mine = [sample for sample in store.samples() if sample.emotion is emotion]
    st.markdown(f"{emotion.symbol} **{emotion.label}**: tick what should go.")
    ticked: list[Sample] = []
    for recording in dict.fromkeys(sample.recording for sample in mine):
        its = [sample for sample in mine if sample.recording == recording]
        whole = st.checkbox(f"The whole recording of {when(recording)}", key=recording)
        with st.container(horizontal=True, gap="xxsmall"):
            for number, sample in enumerate(its):
                with st.container(width=THUMBNAIL_PX + 8, gap="xxsmall"):
                    for picture in thumbnails([sample]):
                        st.image(picture, width=THUMBNAIL_PX)
                    if st.checkbox(f"{number + 1}", key=f"{recording}/{sample.path.name}") or whole:
                        ticked.append(sample)
    if st.button(f"Delete {pictures(len(ticked))}", disabled=not ticked, icon=":material/delete:"):
        run_action(store.delete, ticked)
        st.rerun()


def when(recording: str) -> str:
    try:
        return f"{datetime.strptime(recording[:15], '%Y%m%d-%H%M%S'):%d %B, %H:%M}"
    except ValueError:  # a folder that somebody named by hand
        return escape_markdown(recording)
