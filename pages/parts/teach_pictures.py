"""Teaching page: adding photos, seeing the recorded pictures, and deleting single ones."""

from __future__ import annotations

from contextlib import suppress

import cv2
import numpy as np
import streamlit as st

from emojify.emotions import Emotion, parse_emotion
from emojify.errors import EmojifyError
from emojify.pictures import SUFFIXES, encode_png, read_photo
from emojify.teaching.hints import ReadingStats, read_pictures
from emojify.teaching.samples import CAMERA, PHOTOS, Sample, SampleStore
from emojify.vision.analyzer import to_gray
from emojify.vision.classifier import Classifier
from emojify.vision.cutout import Cutout, cut_out, foreground_faces
from emojify.vision.detectors.combined import FaceDetector
from pages.parts.messages import escape_markdown, run_action
from pages.parts.teach_text import accuracy_sentence, count_pictures, count_recordings, recording_time

THUMBNAIL_PX = 64
PIXEL_RATIO = 2  # pixels of a thumbnail per CSS pixel: phones have high-density screens
THUMBNAILS_PER_EMOTION = 12  # the dialog shows all of them


def save_recording(
    store: SampleStore, emotion: Emotion, crops: list[Cutout], source: str = CAMERA, replaces: str | None = None
) -> str:
    """Save a recording; return a sentence about what was kept.

    Raises:
        EmojifyError: if nothing can be kept.
    """
    saved = store.add(emotion, crops, source, replaces)
    st.session_state.teach_last = saved.recording if source == CAMERA else None  # photos can't be recorded again
    kept = "1 picture" if saved.kept == 1 else f"{saved.kept} different pictures"
    return " ".join([f"Kept {kept} of {emotion.label}.", *saved.notes])


# ---- photos ----


def show_photo_upload(store: SampleStore) -> None:
    with st.expander("Or add photos", icon=":material/add_photo_alternate:"):
        batch = st.session_state.setdefault("teach_batch", 0)
        files = st.file_uploader(
            "Photos of you alone, all with the emotion chosen above",
            type=list(SUFFIXES),
            accept_multiple_files=True,
            max_upload_size=20,
            key=f"teach_photos_{batch}",
        )
        emotion = parse_emotion(str(st.session_state.get("teach_emotion") or Emotion.HAPPY.label))
        st.button(
            f"Add as {emotion.label}",
            disabled=not files,
            on_click=lambda: run_action(add_photos, store, emotion, [(file.name, file.getvalue()) for file in files]),
        )


def add_photos(store: SampleStore, emotion: Emotion, files: list[tuple[str, bytes]]) -> str:
    """Save the face of each photo; return a sentence about what was kept and which photos were not.

    Raises:
        EmojifyError: if no photo has exactly one face in the foreground.
    """
    crops, problems = crop_faces(files)
    if not crops:
        raise EmojifyError(" ".join(problems))
    kept = save_recording(store, emotion, crops, source=PHOTOS)
    st.session_state.teach_batch += 1  # a new, empty uploader
    return " ".join([kept, *problems])


def crop_faces(files: list[tuple[str, bytes]]) -> tuple[list[Cutout], list[str]]:
    """Return the face of each photo that has exactly one in the foreground, and a sentence for each other photo.

    Args:
        files: name and content of each photo.
    """
    crops, problems = [], []
    for name, content in files:
        try:
            gray = to_gray(read_photo(content, name))
            faces = FaceDetector().detect(gray)
            boxes = foreground_faces([face.box for face in faces])
            if len(boxes) != 1:
                raise EmojifyError(f"{name} has {len(boxes) or 'no'} faces. Use a photo of you alone.")
            crops.append(cut_out(gray, faces[0].box, faces[0].roll))  # largest first
        except EmojifyError as error:
            problems.append(str(error))
    return crops, problems


# ---- the pictures of each emotion ----


def show_pictures(store: SampleStore, samples: list[Sample], classifier: Classifier, files: str) -> None:
    """Show some pictures of each emotion, and how well ``classifier`` reads them.

    Args:
        store: deletes pictures.
        samples: all recorded pictures.
        classifier: the live model.
        files: fingerprint of the pictures and of the model; the reading is repeated when it changes.
    """
    try:
        stats = read_samples(samples, classifier, files)
    except EmojifyError as error:
        st.warning(escape_markdown(str(error)))
        stats = {}
    for emotion in Emotion:
        of_emotion = [sample for sample in samples if sample.emotion is emotion]
        if of_emotion:
            with st.container(border=True):
                show_emotion(store, emotion, of_emotion, stats.get(emotion))


@st.cache_data(show_spinner="Reading your pictures …", max_entries=8)
def read_samples(_samples: list[Sample], _classifier: Classifier, files: str) -> dict[int, ReadingStats]:
    return {int(emotion): stats for emotion, stats in read_pictures(_samples, _classifier).items()}


def show_emotion(store: SampleStore, emotion: Emotion, samples: list[Sample], stats: ReadingStats | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        recordings = count_recordings(len({sample.recording for sample in samples}))
        st.markdown(f"{emotion.symbol} **{emotion.label}** · {count_pictures(len(samples))}, {recordings}")
        if st.button("Look through", key=f"look-{emotion.label}", icon=":material/grid_view:"):
            show_all_pictures(store, emotion)
    if stats is not None:
        st.caption(accuracy_sentence(stats))
    step = max(1, len(samples) // THUMBNAILS_PER_EMOTION)
    st.image(thumbnails(samples[::step][:THUMBNAILS_PER_EMOTION]), width=THUMBNAIL_PX)


@st.dialog("Look through", width="large")
def show_all_pictures(store: SampleStore, emotion: Emotion) -> None:
    """Show every picture of an emotion by recording, each with a checkbox, and delete the checked ones."""
    samples = [sample for sample in store.samples() if sample.emotion is emotion]
    st.markdown(f"{emotion.symbol} **{emotion.label}**: check the pictures to delete.")
    checked: list[Sample] = []
    for recording in dict.fromkeys(sample.recording for sample in samples):
        time = escape_markdown(recording_time(recording))
        whole_recording = st.checkbox(f"The whole recording of {time}", key=recording)
        with st.container(horizontal=True, gap="xxsmall"):
            of_recording = [sample for sample in samples if sample.recording == recording]
            for number, sample in enumerate(of_recording, start=1):
                with st.container(width=THUMBNAIL_PX + 8, gap="xxsmall"):
                    for picture in thumbnails([sample]):
                        st.image(picture, width=THUMBNAIL_PX)
                    if st.checkbox(f"{number}", key=f"{recording}/{sample.path.name}") or whole_recording:
                        checked.append(sample)
    if st.button(f"Delete {count_pictures(len(checked))}", disabled=not checked, icon=":material/delete:"):
        run_action(store.delete, checked)
        st.rerun()


def thumbnails(samples: list[Sample]) -> list[bytes]:
    """Return the pictures as small PNG files, without those that are damaged or were deleted in another tab."""
    found = []
    for sample in samples:
        with suppress(FileNotFoundError):
            found.append(thumbnail(str(sample.path), sample.path.stat().st_mtime_ns))
    return [picture for picture in found if picture]


@st.cache_data(show_spinner=False, max_entries=4000)
def thumbnail(path: str, modified_ns: int) -> bytes:
    """Return a picture as a small PNG file; empty if it is damaged. ``modified_ns`` is part of the cache's key."""
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return b""
    side = THUMBNAIL_PX * PIXEL_RATIO
    return encode_png(np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8))
