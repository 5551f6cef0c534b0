"""Live page: a photo in place of the video."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emojify.errors import EmojifyError
from emojify.live.processor import LiveSettings
from emojify.pictures import SUFFIXES, encode_jpeg, encode_png, read_photo
from emojify.vision.analyzer import analyze_photo
from emojify.vision.readings import Image, Reading
from pages.parts.messages import show_error

MAX_PHOTO_MB = 20


def show_photo(live: LiveSettings) -> list[Reading]:
    """Show the choice of a photo and, above it, the emojified photo; return the readings of its faces."""
    result_place = st.container()
    uploaded = st.file_uploader(
        "Choose a photo: JPEG, HEIC, PNG, WebP and more", type=list(SUFFIXES), max_upload_size=MAX_PHOTO_MB
    )
    photo = uploaded or st.camera_input("Or take one")
    if photo is None:
        return []
    with result_place:
        return show_emojified(photo, live)


def show_emojified(photo: UploadedFile, live: LiveSettings) -> list[Reading]:
    """Show the emojified photo and its download buttons; return the readings of its faces."""
    try:
        result = emojify_once(photo, live)
    except EmojifyError as error:
        show_error(error)
        return []
    if not result.readings:
        st.warning("No face found. Look straight into the camera, with light on your face.")
    captions = ", ".join(reading.caption for reading in result.readings)
    st.image(result.jpeg, alt=f"The photo with {len(result.readings)} emojified faces: {captions}")
    with st.container(horizontal=True):
        st.download_button(
            "Download", result.jpeg, "emojified.jpg", "image/jpeg", icon=":material/download:", on_click="ignore"
        )
        st.download_button(
            "Download PNG", lambda: encode_png(emojify(photo, live)[0]), "emojified.png", "image/png",
            icon=":material/download:", on_click="ignore", help="Without loss, and about ten times as large",
        )  # fmt: skip
    return list(result.readings)


@dataclass(frozen=True)
class EmojifiedPhoto:
    """A finished photo, and what it was made from."""

    file_id: str
    live: LiveSettings
    jpeg: bytes
    readings: list[Reading]


def emojify_once(photo: UploadedFile, live: LiveSettings) -> EmojifiedPhoto:
    """Return the emojified photo; the one of the previous run if neither the photo nor a setting changed.

    Raises:
        EmojifyError: if the photo can't be read.
    """
    known: EmojifiedPhoto | None = st.session_state.get("emojified_photo")
    if known is None or (known.file_id, known.live) != (photo.file_id, live):
        image, readings = emojify(photo, live)
        known = EmojifiedPhoto(photo.file_id, live, encode_jpeg(image), readings)
        st.session_state.emojified_photo = known
    return known


def emojify(photo: UploadedFile, live: LiveSettings) -> tuple[Image, list[Reading]]:
    """Return the photo with emoji on its faces, as (H, W, 3) uint8 BGR, and the readings.

    Raises:
        EmojifyError: if the photo can't be read.
    """
    image = read_photo(photo.getvalue(), photo.name)
    readings = analyze_photo(image, live.classifier, live.detection, live.smoothing)
    return live.annotator.annotate(image, readings), readings
