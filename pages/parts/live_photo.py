"""Live page: a photo in place of the video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emojify.errors import EmojifyError
from emojify.live.processor import LiveSettings
from emojify.pictures import SUFFIXES, encode_jpeg, encode_png, read_photo
from emojify.vision.analyzer import analyze_photo
from emojify.vision.readings import Image, Reading
from pages.parts.messages import show_error

MAX_PHOTO_MB = 20
FILE, CAMERA = "From a file", "From the camera"
MIRROR = "<style>[data-testid=stCameraInput] :is(video, img) {transform: scaleX(-1)}</style>"


def show_photo(live: LiveSettings) -> list[Reading]:
    """Show the choice of a photo and, above it, the emojified photo; return the readings of its faces."""
    result_place = st.container()
    source = st.segmented_control(
        "Where the photo comes from", [FILE, CAMERA], default=FILE, required=True, key="photo_source",
        label_visibility="collapsed",
    )  # fmt: skip
    photo = take_photo(live.mirror) if source == CAMERA else choose_photo()
    if photo is None:
        return []
    with result_place:
        return show_emojified(photo, live, mirrored=source == CAMERA and live.mirror)


def choose_photo() -> UploadedFile | None:
    return st.file_uploader(
        "Choose a photo: JPEG, HEIC, PNG, WebP and more", type=list(SUFFIXES), max_upload_size=MAX_PHOTO_MB
    )


def take_photo(mirror: bool) -> UploadedFile | None:
    """Show the camera, as a mirror if the live video is one."""
    if mirror:
        st.html(MIRROR)
    return st.camera_input("Take a photo")


def show_emojified(photo: UploadedFile, live: LiveSettings, *, mirrored: bool) -> list[Reading]:
    """Show the emojified photo and its download buttons; return the readings of its faces."""
    try:
        result = emojify_once(photo, live, mirrored)
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
            "Download PNG", lambda: encode_png(emojify(photo, live, mirrored, result.readings)[0]), "emojified.png",
            "image/png", icon=":material/download:", on_click="ignore",
            help="Without loss, and about ten times as large",
        )  # fmt: skip
    return list(result.readings)


@dataclass(frozen=True)
class EmojifiedPhoto:
    """A finished photo, and what it was made from."""

    made_from: tuple[str, LiveSettings, bool]
    jpeg: bytes
    readings: list[Reading]

    def is_read_from(self, photo: UploadedFile, live: LiveSettings, mirrored: bool) -> bool:
        """Return True if these would be the readings with other settings, which perhaps only draw differently."""
        file_id, own, own_mirrored = self.made_from
        return (file_id, own_mirrored) == (photo.file_id, mirrored) and _reading_settings(own) == _reading_settings(
            live
        )


def emojify_once(photo: UploadedFile, live: LiveSettings, mirrored: bool) -> EmojifiedPhoto:
    """Return the emojified photo; the one of the previous run if neither the photo nor a setting changed.

    Raises:
        EmojifyError: if the photo can't be read.
    """
    known: EmojifiedPhoto | None = st.session_state.get("emojified_photo")
    made_from = (photo.file_id, live, mirrored)
    if known is None or known.made_from != made_from:
        readings = known.readings if known is not None and known.is_read_from(photo, live, mirrored) else None
        image, readings = emojify(photo, live, mirrored, readings)
        known = EmojifiedPhoto(made_from, encode_jpeg(image), readings)
        st.session_state.emojified_photo = known
    return known


def emojify(
    photo: UploadedFile, live: LiveSettings, mirrored: bool, readings: list[Reading] | None
) -> tuple[Image, list[Reading]]:
    """Return the photo with emoji on its faces, as (H, W, 3) uint8 BGR, and the readings.

    Args:
        photo: the file.
        live: how to read and to draw.
        mirrored: whether the photo is to be mirrored.
        readings: of the mirrored photo, if they are known already.

    Raises:
        EmojifyError: if the photo can't be read.
    """
    image = read_photo(photo.getvalue(), photo.name)
    if mirrored:
        image = np.ascontiguousarray(image[:, ::-1])
    if readings is None:
        readings = analyze_photo(image, live.classifier, live.detection, live.smoothing)
    return live.annotator.annotate(image, readings), readings


def _reading_settings(live: LiveSettings) -> tuple[object, ...]:
    return live.classifier, live.detection, live.smoothing
