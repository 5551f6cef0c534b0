"""Make an avatar: choose a look, see it feel all seven emotions, wear it."""

from __future__ import annotations

import random

import streamlit as st

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.avatar import Avatar
from emojify.packs.drawing.appearance import BACKGROUNDS, CLOTHES, HAIR_COLORS, PARTS, SKINS, Person
from emojify.packs.drawing.expression import EXPRESSIONS
from emojify.packs.manifest import MAX_CHARACTERS
from emojify.packs.store import export_pack
from emojify.pictures import encode_png
from emojify.public import is_visitor
from emojify.settings import Settings
from pages.parts.entry import enter_page
from pages.parts.visitor_pack import VISITOR_PACK_NOTE, available_packs, save_pack

enter_page(__file__)

LARGE_PX, SMALL_PX, DOWNLOAD_PX = 340, 100, 1024
SHARPNESS = 2  # pixels of a picture for one on the page: phones have finer screens
QUESTIONS = {
    "skin": "Skin",
    "hair": "Hair",
    "hair_color": "Hair color",
    "hat": "Hat",
    "hat_color": "Hat color",
    "glasses": "Glasses",
    "beard": "Beard",
    "earrings": "Earrings",
    "clothes": "Clothes",
    "background": "Background",
}
SWATCHES: dict[str, list[str]] = {
    "skin": [shades.base for shades in SKINS.values()],
    "hair_color": [shades.base for shades in HAIR_COLORS.values()],
    "hat_color": [shades.base for shades in CLOTHES.values()],
    "clothes": [shades.base for shades in CLOTHES.values()],
    "background": ["transparent", *BACKGROUNDS.values()],
}
# Whoever scrolls through the choices keeps the face in sight: beside them, on a phone small above them.
STYLE = """
.stMainBlockContainer {padding-top: 3rem}
.st-key-stage {position: sticky; top: 4rem}
.st-key-choices {gap: .5rem}
@media (max-width: 640px) {
  .stColumn:has(.st-key-stage) {position: sticky; top: 3.75rem; z-index: 2; backdrop-filter: blur(14px)}
  .st-key-stage {flex-direction: row; align-items: center}
  .st-key-stage img {width: 170px !important}
}
"""


@st.cache_data(show_spinner=False, max_entries=512)
def picture(avatar: Avatar, emotion: Emotion, size_px: int) -> bytes:
    return encode_png(avatar.draw(EXPRESSIONS[emotion], size_px))


def swatches() -> str:
    """CSS: a dot of the color before each word."""
    dot = "content:''; display:inline-block; width:.9em; height:.9em; margin-right:.4em; vertical-align:-.1em;"
    rim = "border-radius:50%; border:1px solid #8888;"
    rules = [
        f".st-key-{part} button:nth-of-type({number}) p::before {{{dot} {rim} background:{color}}}"
        for part, colors in SWATCHES.items()
        for number, color in enumerate(colors, start=1)
    ]
    return "\n".join(rules)


def roll() -> None:
    for part, word in Avatar.random(random.Random()).to_json().items():
        st.session_state[part] = word


def choose() -> Avatar:
    for part, word in Avatar(Person()).to_json().items():
        st.session_state.setdefault(part, word)
    words = {
        part: st.pills(
            question,
            [str(word) for word in PARTS[part]],
            required=True,
            format_func=lambda word: str(word).capitalize(),
            key=part,
            wrap=True,
            persist_state="session",
        )
        for part, question in QUESTIONS.items()
    }
    return Avatar.from_json(words)


def show_large(avatar: Avatar, emotion: Emotion) -> None:
    large = picture(avatar, emotion, LARGE_PX * SHARPNESS)
    st.image(large, width=LARGE_PX, alt=f"Your avatar, {emotion.label}")
    with st.container(horizontal=True):
        st.button("Random", on_click=roll, type="primary", icon=":material/casino:")
        st.download_button(
            "Picture", lambda: picture(avatar, emotion, DOWNLOAD_PX), f"avatar-{emotion.label}.png", "image/png",
            icon=":material/download:", on_click="ignore", help=f"This face as a PNG, {DOWNLOAD_PX} pixels wide",
        )  # fmt: skip


def look_at(emotion: Emotion) -> None:
    st.session_state.shown = emotion


def show_seven(avatar: Avatar) -> None:
    with st.container(horizontal=True, key="seven"):
        for emotion in Emotion:
            with st.container(width=SMALL_PX, horizontal_alignment="center", gap="xxsmall"):
                small = picture(avatar, emotion, SMALL_PX * SHARPNESS)
                st.image(small, width=SMALL_PX, alt=f"Your avatar, {emotion.label}, small")
                st.button(emotion.label, on_click=look_at, args=[emotion], type="tertiary", help="Show it large")


def save(avatar: Avatar) -> None:
    with st.form("save", border=False):
        left, right = st.columns(2)
        name = left.text_input("Name", max_chars=MAX_CHARACTERS["name"], placeholder="Me, but drawn")
        author = right.text_input("Author", max_chars=MAX_CHARACTERS["author"], placeholder="Who made it")
        if st.form_submit_button("Save as a pack", icon=":material/save:"):
            try:
                st.session_state.saved_avatar = save_pack(settings, avatar.to_draft(name, author)).id
            except EmojifyError as error:
                st.error(str(error))


def offer(pack_id: str) -> None:
    found = available_packs(settings)
    if pack_id not in found.labels:
        return  # removed since
    pack = found.get(pack_id)
    st.success("Your avatar is among the emoji packs now.", icon=":material/check:")
    if is_visitor():
        st.caption(VISITOR_PACK_NOTE)
    with st.container(horizontal=True):
        if st.button("See it on your face", type="primary", icon=":material/videocam:"):
            st.switch_page("pages/live.py", query_params={"pack": found.labels[pack_id]})
        st.download_button(
            "All seven as a zip", lambda: export_pack(pack), f"{pack_id}.zip", "application/zip",
            icon=":material/folder_zip:", on_click="ignore",
        )  # fmt: skip


settings = Settings.from_environment()
st.html(f"<style>{STYLE}{swatches()}</style>")
st.title("Make an avatar", anchor=False)
stage, choices = st.columns([2, 3], gap="large")
with choices, st.container(key="choices"):
    avatar = choose()
with stage, st.container(key="stage"):
    show_large(avatar, st.session_state.get("shown", Emotion.HAPPY))
st.subheader("All it can feel", anchor=False)
show_seven(avatar)
st.subheader("Wear it", anchor=False)
save(avatar)
if "saved_avatar" in st.session_state:
    offer(st.session_state.saved_avatar)
