"""Live page: the recorded clip and photo strip, shown and offered for download."""

from __future__ import annotations

import streamlit as st

from emojify.live.clip import STICKER_PX, Clip
from emojify.live.session import LiveSession
from emojify.packs.pack import EmojiPack
from emojify.pictures import encode_png
from emojify.video.sink import OUTPUT_FORMATS
from emojify.vision.annotators import Sticker

CLIP_FORMATS = {"MP4": ".mp4", "WebP": ".webp", "GIF": ".gif", "Sticker, WebP": ".webp", "Sticker, GIF": ".gif"}
"""The names of the formats on the page, and the suffixes of their files. Stickers show the emoji alone."""


def finished_recordings(session: LiveSession) -> tuple[bool, bool]:
    """Return whether there is a clip, and whether there is a photo strip."""
    return session.clip.clip is not None, session.booth.is_complete


def show_recordings(session: LiveSession, pack: EmojiPack) -> None:
    """Show the session's clip and photo strip, if there are any, each with its download."""
    clip, strip = session.clip.clip, session.booth.strip
    if clip is not None:
        show_clip(clip, pack)
    if strip is not None:
        content = encode_png(strip)
        st.image(content, width=180, alt="Your photo strip")
        st.download_button(
            "Download strip", content, "photo-strip.png", "image/png", icon=":material/download:", on_click="ignore"
        )


def show_clip(clip: Clip, pack: EmojiPack) -> None:
    names = [name for name in CLIP_FORMATS if clip.has_faces or "Sticker" not in name]
    name = str(st.pills("Your clip", names, default=names[0], required=True, key="clip_kind", wrap=True))
    suffix = CLIP_FORMATS[name]
    place = st.empty()
    with place:  # the spinner replaces the download button, which still has the file of the format chosen before
        content = encode(clip, name, pack)
    with place.container():
        preview = st.container()
        # The button is created before the preview, so a visible preview means that the button has the same file.
        st.download_button(
            "Download clip", content, f"emojified{suffix}", OUTPUT_FORMATS[suffix].mime,
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        with preview:
            if suffix == ".mp4":
                st.video(content, loop=True, autoplay=True, muted=True)
            else:
                st.image(content, width=STICKER_PX if "Sticker" in name else "stretch", alt="Your clip")


def encode(clip: Clip, name: str, pack: EmojiPack) -> bytes:
    """Return the clip as a file in the format ``name``. The file is kept in the session until something changes."""
    cached: tuple[object, object, bytes] | None = st.session_state.get("encoded_clip")
    key = (name, pack.fingerprint())
    if cached is None or cached[0] is not clip.frames or cached[1] != key:
        suffix = CLIP_FORMATS[name]
        with st.spinner("Making the file …"):
            content = clip.sticker(suffix, Sticker(pack.emoji)) if "Sticker" in name else clip.encode(suffix)
        cached = st.session_state.encoded_clip = (clip.frames, key, content)
    return cached[2]
