"""What the live page recorded, to look at and to take home."""

from __future__ import annotations

import streamlit as st

from emojify.live.clip import STICKER_PX, Clip
from emojify.live.session import LiveSession
from emojify.packs.pack import EmojiPack
from emojify.pictures import encode_png
from emojify.video.sink import OUTPUT_FORMATS
from emojify.vision.annotators import Sticker

CLIP_KINDS = {"MP4": ".mp4", "WebP": ".webp", "GIF": ".gif", "Sticker, WebP": ".webp", "Sticker, GIF": ".gif"}


def show_recordings(session: LiveSession, pack: EmojiPack) -> None:
    """What was recorded, to look at and to take home."""
    clip, strip = session.clip.clip, session.booth.strip
    if clip is not None:
        names = [name for name in CLIP_KINDS if clip.has_faces or "Sticker" not in name]
        name = str(st.pills("Your clip", names, default=names[0], required=True, key="clip_kind", wrap=True))
        ending = CLIP_KINDS[name]
        place = st.empty()
        with place:  # where the button to the file before was: it would still give that one
            content = encoded(clip, name, pack)
        with place.container():
            preview = st.container()
            # Before the preview, so that whoever sees the new kind also has its file behind the button.
            st.download_button(
                "Download clip", content, f"emojified{ending}", OUTPUT_FORMATS[ending].mime,
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
            with preview:
                if ending == ".mp4":
                    st.video(content, loop=True, autoplay=True, muted=True)
                else:
                    st.image(content, width=STICKER_PX if "Sticker" in name else "stretch", alt="Your clip")
    if strip is not None:
        content = encode_png(strip)
        st.image(content, width=180, alt="Your photo strip")
        st.download_button(
            "Download strip", content, "photo-strip.png", "image/png", icon=":material/download:", on_click="ignore"
        )


def encoded(clip: Clip, name: str, pack: EmojiPack) -> bytes:
    """The clip as a file; made once, not with every run of this page."""
    kept: tuple[object, object, bytes] | None = st.session_state.get("encoded_clip")
    key = (name, pack.fingerprint())
    if kept is None or kept[0] is not clip.frames or kept[1] != key:
        ending = CLIP_KINDS[name]
        with st.spinner("Making the file …"):
            content = clip.sticker(ending, Sticker(pack.emoji)) if "Sticker" in name else clip.encode(ending)
        kept = st.session_state.encoded_clip = (clip.frames, key, content)
    return kept[2]
