"""Live page: a photo in place of the video."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emojify.errors import EmojifyError
from emojify.live.processor import LiveSettings
from emojify.pictures import encode_png, read_photo
from emojify.vision.analyzer import analyze_photo
from emojify.vision.readings import Reading, main_reading
from pages.parts.messages import show_error

MAX_PHOTO_MB = 20


def show_photo(live: LiveSettings) -> Reading | None:
    """Show the choice of a photo and, above it, the emojified photo; return the main face's reading, if any."""
    result_place = st.container()
    uploaded = st.file_uploader(
        "Choose a photo: PNG, JPEG or WebP", type=["png", "jpg", "jpeg", "webp"], max_upload_size=MAX_PHOTO_MB
    )
    photo = uploaded or st.camera_input("Or take one")
    if photo is None:
        return None
    with result_place:
        return show_emojified(photo, live)


def show_emojified(photo: UploadedFile, live: LiveSettings) -> Reading | None:
    try:
        image = read_photo(photo.getvalue(), photo.name)
    except EmojifyError as error:
        show_error(error)
        return None
    readings = analyze_photo(image, live.classifier, live.detection, live.smoothing)
    if not readings:
        st.warning("No face found. Look straight into the camera, with light on your face.")
    result = encode_png(live.annotator.annotate(image, readings))
    captions = ", ".join(reading.caption for reading in readings)
    st.image(result, alt=f"The photo with {len(readings)} emojified faces: {captions}")
    st.download_button("Download", result, "emojified.png", "image/png", icon=":material/download:", on_click="ignore")
    return main_reading(readings)
