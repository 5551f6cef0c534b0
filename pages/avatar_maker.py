"""Make an avatar: choose its parts, see its seven expressions, save it as a pack."""

from __future__ import annotations

import random

import streamlit as st

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.avatar import Avatar
from emojify.packs.built_in import BUILT_IN_PACKS
from emojify.packs.drawing.appearance import PARTS, Person
from emojify.packs.drawing.expression import EXPRESSIONS
from emojify.packs.importer import Draft
from emojify.packs.manifest import MAX_CHARACTERS
from emojify.packs.pack import EmojiPack
from emojify.packs.store import change_avatar, export_pack
from emojify.pictures import encode_png
from emojify.printable import printable
from emojify.public import is_visitor
from emojify.settings import Settings
from pages.parts.avatar_style import avatar_css
from pages.parts.entry import enter_page
from pages.parts.messages import show_error
from pages.parts.visitor_pack import VISITOR_PACK_NOTE, available_packs, save_pack

enter_page(__file__)

LARGE_PX, SMALL_PX, DOWNLOAD_PX = 340, 100, 1024
PIXEL_RATIO = 2  # picture pixels per CSS pixel: screens of phones are finer
PART_LABELS = {
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


def main() -> None:
    """Show the avatar beside the choices, its seven expressions, and the form to save it."""
    settings = Settings.from_environment()
    st.html(f"<style>{avatar_css()}</style>")
    st.title("Make an avatar", anchor=False)
    stage, choices = st.columns([2, 3], gap="large")
    with choices, st.container(key="choices"):
        avatar = choose_avatar(settings)
    with stage, st.container(key="stage"):
        show_large(avatar, st.session_state.get("shown", Emotion.HAPPY))
    st.subheader("All seven expressions", anchor=False)
    show_expressions(avatar)
    st.subheader("Wear it", anchor=False)
    show_save_form(settings, avatar)
    if "saved_avatar" in st.session_state:
        show_saved(settings, st.session_state.saved_avatar)


def choose_avatar(settings: Settings) -> Avatar:
    for part, choice in Avatar(Person()).to_json().items():
        st.session_state.setdefault(part, choice)
    show_saved_avatars(settings)
    choices = {part: choose_part(part, label) for part, label in PART_LABELS.items()}
    return Avatar.from_json(choices)


def choose_part(part: str, label: str) -> str:
    if part == "hat_color" and st.session_state.hat == "none":
        st.session_state[part] = st.session_state[part]  # Streamlit forgets the choice of a widget that is not shown
        return str(st.session_state[part])
    return str(
        st.pills(
            label,
            [str(choice) for choice in PARTS[part]],
            required=True,
            format_func=lambda choice: str(choice).capitalize(),
            key=part,
            wrap=True,
            persist_state="session",
        )
    )


def show_saved_avatars(settings: Settings) -> None:
    """Offer the saved avatars, to change one."""
    avatars = {
        pack.id: pack for pack in available_packs(settings).packs if pack.avatar and pack.id not in BUILT_IN_PACKS
    }
    if st.session_state.get("changed_avatar") not in avatars:
        st.session_state.changed_avatar = None
    if avatars:
        st.selectbox(
            "Change a saved avatar",
            list(avatars),
            format_func=lambda pack_id: printable(avatars[pack_id].name),
            placeholder="A new avatar",
            key="changed_avatar",
            on_change=load_avatar,
            args=[avatars],
            width=260,
        )


def load_avatar(avatars: dict[str, EmojiPack]) -> None:
    """Show the parts, name and author of the chosen avatar; leave them if none is chosen."""
    pack = avatars.get(str(st.session_state.changed_avatar))
    if pack is not None and pack.avatar is not None:
        st.session_state.update(pack.avatar.to_json(), avatar_name=pack.name, avatar_author=pack.author)


def show_large(avatar: Avatar, emotion: Emotion) -> None:
    large = draw_png(avatar, emotion, LARGE_PX * PIXEL_RATIO)
    st.image(large, width=LARGE_PX, alt=f"Your avatar, {emotion.label}")
    with st.container(horizontal=True):
        st.button("Random", on_click=choose_randomly, type="primary", icon=":material/casino:")
        st.download_button(
            "Picture", lambda: draw_png(avatar, emotion, DOWNLOAD_PX), f"avatar-{emotion.label}.png", "image/png",
            icon=":material/download:", on_click="ignore",
            help=f"Download this face as a PNG, {DOWNLOAD_PX} pixels wide",
        )  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=512)
def draw_png(avatar: Avatar, emotion: Emotion, size_px: int) -> bytes:
    return encode_png(avatar.draw(EXPRESSIONS[emotion], size_px))


def choose_randomly() -> None:
    for part, choice in Avatar.random(random.Random()).to_json().items():
        st.session_state[part] = choice


def show_expressions(avatar: Avatar) -> None:
    with st.container(horizontal=True, key="seven"):
        for emotion in Emotion:
            with st.container(width=SMALL_PX, horizontal_alignment="center", gap="xxsmall"):
                small = draw_png(avatar, emotion, SMALL_PX * PIXEL_RATIO)
                st.image(small, width=SMALL_PX, alt=f"Your avatar, {emotion.label}, small")
                st.button(emotion.label, on_click=show_emotion, args=[emotion], type="tertiary", help="Show it large")


def show_emotion(emotion: Emotion) -> None:
    st.session_state.shown = emotion


def show_save_form(settings: Settings, avatar: Avatar) -> None:
    changed = st.session_state.get("changed_avatar")
    with st.form("save", border=False):
        left, right = st.columns(2)
        name = left.text_input(
            "Name", max_chars=MAX_CHARACTERS["name"], placeholder="Give it a name", key="avatar_name"
        )
        author = right.text_input(
            "Author", max_chars=MAX_CHARACTERS["author"], placeholder="Your name, if you like", key="avatar_author"
        )
        st.caption("It is saved under the MIT license: everyone who gets the pack may use and change the pictures.")
        with st.container(horizontal=True):
            change = changed is not None and st.form_submit_button("Save the changes", icon=":material/save:")
            add = st.form_submit_button("Save as a new pack" if changed else "Save as a pack", icon=":material/add:")
    if change or add:
        try:
            save_avatar(settings, avatar.to_draft(name, author), str(changed) if change else None)
        except EmojifyError as error:
            show_error(error)
        else:
            st.rerun()


def save_avatar(settings: Settings, draft: Draft, changed: str | None) -> None:
    """Save an avatar as a new pack, or in place of the pack ``changed``.

    Raises:
        EmojifyError: if the name is missing, or the pack can't be saved.
    """
    if changed is None or is_visitor():
        pack = save_pack(settings, draft)
    else:
        pack = change_avatar(settings.emojis, changed, draft)
    st.session_state.saved_avatar = pack.id


def show_saved(settings: Settings, pack_id: str) -> None:
    found = available_packs(settings)
    if pack_id not in found.labels:
        return  # deleted since
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


main()
