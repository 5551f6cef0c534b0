"""Live page: the snapshot, clip and photo strip that were taken, each with its download."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait

import streamlit as st

from emojify.errors import EmojifyError
from emojify.live.clip import STICKER_PX, Clip
from emojify.live.session import LiveSession
from emojify.packs.pack import EmojiPack
from emojify.pictures import encode_png
from emojify.video.sink import OUTPUT_FORMATS
from emojify.vision.annotators import Sticker
from pages.parts.live_buttons import POLL_INTERVAL_S, Snapshot
from pages.parts.messages import show_error

CLIP_FORMATS = {"MP4": ".mp4", "WebP": ".webp", "GIF": ".gif", "Sticker, WebP": ".webp", "Sticker, GIF": ".gif"}
"""The names of the formats on the page, and the suffixes of their files. Stickers show the emoji alone."""
_QUICK_S = 0.3  # a file that is done by then needs no further run of the page


def show_recordings(session: LiveSession, pack: EmojiPack) -> None:
    """Show what the session has taken, if anything."""
    snapshot: Snapshot | None = st.session_state.get("snapshot")
    if snapshot is not None:
        st.image(snapshot.content, width=240, alt="Your snapshot")
        with st.container(horizontal=True):
            st.download_button(
                "Download snapshot", snapshot.content, snapshot.file_name, "image/png",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
            st.button("Discard", key="discard_snapshot", icon=":material/close:", on_click=discard_snapshot)
    clip, strip = session.clip.clip, session.booth.strip
    if clip is not None:
        show_clip(session, clip, pack)
    if strip is not None:
        content = encode_png(strip)
        st.image(content, width=180, alt="Your photo strip")
        with st.container(horizontal=True):
            st.download_button(
                "Download strip", content, "photo-strip.png", "image/png", icon=":material/download:", on_click="ignore"
            )
            st.button("Discard", key="discard_strip", icon=":material/close:", on_click=session.booth.discard)


def discard_snapshot() -> None:
    del st.session_state.snapshot


def show_clip(session: LiveSession, clip: Clip, pack: EmojiPack) -> None:
    names = [name for name in CLIP_FORMATS if clip.has_faces or "Sticker" not in name]
    name = str(st.pills("Your clip", names, default=names[0], required=True, key="clip_kind", wrap=True))
    file = start_encoding(clip, name, pack)
    place = st.empty()  # while a file is made, the download button of the one before is gone
    if not file.done():
        with place:
            show_encoding(file)
        wait([file], _QUICK_S)
        if not file.done():
            return
    suffix = CLIP_FORMATS[name]
    try:
        content = file.result()
    except EmojifyError as error:
        show_error(error)
        return
    with place.container():
        preview = st.container()
        with st.container(horizontal=True):
            # The button is created before the preview, so a visible preview means that the button has the same file.
            st.download_button(
                "Download clip", content, f"emojified{suffix}", OUTPUT_FORMATS[suffix].mime,
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
            st.button("Discard", key="discard_clip", icon=":material/close:", on_click=session.clip.discard)
        with preview:
            if suffix == ".mp4":
                st.video(content, loop=True, autoplay=True, muted=True)
            else:
                st.image(content, width=STICKER_PX if "Sticker" in name else "stretch", alt="Your clip")


@st.fragment(run_every=POLL_INTERVAL_S)
def show_encoding(file: Future[bytes]) -> None:
    """Say that the file is being made, until it is. The reading and the video go on meanwhile."""
    if file.done():
        st.rerun()
    st.caption(":material/hourglass_top: Making the file …")


def start_encoding(clip: Clip, name: str, pack: EmojiPack) -> Future[bytes]:
    """Return the clip as a file in the format ``name``, made in a thread of its own.

    The newest file is kept in the session until something changes.
    """
    cached: tuple[object, object, Future[bytes]] | None = st.session_state.get("encoded_clip")
    key = (name, pack.fingerprint())
    if cached is None or cached[0] is not clip or cached[1] != key:
        if "clip_encoder" not in st.session_state:
            st.session_state.clip_encoder = ThreadPoolExecutor(1, thread_name_prefix="clip")
        encoder: ThreadPoolExecutor = st.session_state.clip_encoder
        cached = st.session_state.encoded_clip = (clip, key, encoder.submit(encode, clip, name, pack))
    return cached[2]


def encode(clip: Clip, name: str, pack: EmojiPack) -> bytes:
    """Return the clip as a file.

    Args:
        name: a key of :data:`CLIP_FORMATS`.

    Raises:
        EmojifyError: if a sticker is asked for and the clip has no face.
    """
    suffix = CLIP_FORMATS[name]
    return clip.sticker(suffix, Sticker(pack.emoji)) if "Sticker" in name else clip.encode(suffix)
