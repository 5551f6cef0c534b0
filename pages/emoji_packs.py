"""Emoji packs: bring your own seven faces, and look after the packs that are here."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace
from typing import Literal
from zlib import crc32

import streamlit as st

from emojify.emotions import LABELS, Emotion
from emojify.errors import EmojifyError
from emojify.packs.built_in import BUILT_IN_PACKS
from emojify.packs.importer import (
    MAX_MEGAPIXELS,
    MAX_PICTURE_MB,
    MAX_ZIP_MB,
    SIDE_PX,
    CheckedPicture,
    Draft,
    read_files,
    read_picture,
)
from emojify.packs.manifest import MAX_CHARACTERS, PackManifest
from emojify.packs.pack import EmojiPack
from emojify.packs.store import MAX_PACKS, PackList, edit_pack, export_pack, remove_pack
from emojify.pictures import open_picture, square_png
from emojify.public import is_visitor
from emojify.settings import Settings
from pages.parts.entry import enter_page
from pages.parts.messages import escape_markdown, run_action, show_result
from pages.parts.visitor_pack import VISITOR_PACK_NOTE, available_packs, save_pack

enter_page(__file__)

FACE_PX = 80
SHARPNESS = 2  # pixels of a picture for one on the page: phones have finer screens
PICTURES = ["png", "webp", "jpg", "jpeg"]
# Seven faces always fit in a row, on a phone too. In the narrow places an uploader is no more than its button.
STYLE = """<style>
.stMainBlockContainer {padding-top: 3rem}
.st-key-gallery [data-testid="stImage"] {flex-wrap: nowrap; gap: .25rem}
.st-key-gallery [data-testid="stImageContainer"] {flex: 0 1 auto; min-width: 0}
.st-key-slots [data-testid="stFileUploaderDropzoneInstructions"] {display: none}
.st-key-slots [data-testid="stFileUploaderDropzone"] {padding: 0; min-height: 0; border: none; background: none;
  justify-content: center}
.st-key-slots [data-testid="stFileChip"] {width: 98px; min-width: 0; padding: 0 .25rem; gap: 0}
.st-key-slots [data-testid="stFileChip"] > div {flex: 1; min-width: 0}
.st-key-slots [data-testid="stFileChip"] > div:first-child,
.st-key-slots [data-testid="stBaseButton-borderlessIcon"] {display: none}
.st-key-slots .empty {width: 88px; height: 88px; margin: 2px auto; display: grid; place-items: center; opacity: .6;
  border-radius: 50%; border: 2px dashed #8A8A8A; font-size: 1.8rem}
</style>"""


def do(action: Callable[[], str | None]) -> None:
    """Run what a button is for, and keep the sentence about it for the next run of the page."""
    st.session_state.pop("added", None)
    run_action(action)


def show_name(name: str, about: str) -> None:
    """In HTML, which takes letters as letters, and lets those that run from right to left do so."""
    st.html(
        f'<h3 style="margin:0;padding:0;font-size:1.25rem;overflow-wrap:anywhere"><bdi>{html.escape(name)}</bdi></h3>'
        f'<div style="opacity:.7;font-size:.875rem;overflow-wrap:anywhere"><bdi>{html.escape(about)}</bdi></div>'
    )


def offer_live(found: PackList, pack: EmojiPack, key: str) -> None:
    kind: Literal["primary", "secondary"] = "primary" if key == "added" else "secondary"
    if st.button("See it on your face", type=kind, icon=":material/videocam:", key=f"live-{key}"):
        st.session_state.pop("added", None)
        st.switch_page("pages/live.py", query_params={"pack": found.labels[pack.id]})


# ---- adding ----


@st.cache_data(max_entries=8, show_spinner="Looking at the pictures …", scope="session")
def check_files(files: list[tuple[str, bytes]]) -> tuple[Draft, tuple[str, ...]]:
    return read_files(files)


@st.cache_data(max_entries=16, show_spinner=False, scope="session")
def check_picture(content: bytes, name: str) -> CheckedPicture:
    return read_picture(content, name)


def bring_files(batch: int) -> tuple[Draft, tuple[str, ...]]:
    st.markdown(
        f"Drop a zip, or the seven pictures together. They sort themselves by name: {', '.join(LABELS)}; "
        "PNG, WebP or JPEG. A face on a see-through background looks best."
    )
    files = st.file_uploader(
        "A zip, or pictures",
        type=["zip", *PICTURES],
        accept_multiple_files=True,
        max_upload_size=MAX_ZIP_MB,
        key=f"files-{batch}",
        label_visibility="collapsed",
    )
    st.caption(
        f"Up to {MAX_ZIP_MB} MB a zip, {MAX_PICTURE_MB} MB and {MAX_MEGAPIXELS} megapixels a picture, "
        f"{MAX_PACKS} packs in all. Pictures are padded to squares of at most {SIDE_PX} pixels."
    )
    return check_files([(file.name, file.getvalue()) for file in files])


def fill_slots(draft: Draft, batch: int) -> Draft:
    """The seven places, each with what is in it; a picture that is put into one replaces what was dropped."""
    pictures, problems = dict(draft.pictures), []
    with st.container(horizontal=True, gap="xsmall", key="slots"):
        for emotion in Emotion:
            with st.container(width=98, horizontal_alignment="center", gap="xxsmall"):
                place = st.empty()
                st.markdown(f"**{emotion.label}**", width="content")
                file = st.file_uploader(
                    f"Picture for {emotion.label}",
                    type=PICTURES,
                    max_upload_size=MAX_PICTURE_MB,
                    key=f"slot-{emotion.label}-{batch}",
                    label_visibility="collapsed",
                )
                try:
                    if file is not None:
                        pictures[emotion] = check_picture(file.getvalue(), file.name)
                except EmojifyError as error:
                    problems.append(str(error))
                if emotion in pictures:
                    place.image(pictures[emotion].png, width=92, alt=f"Your {emotion.label} picture")
                else:
                    place.html(f'<div class="empty" aria-hidden="true">{emotion.symbol}</div>')
    for problem in problems:
        st.error(escape_markdown(problem))
    return replace(draft, pictures=pictures)


def describe(draft: Draft, key: str) -> PackManifest:
    """Name, author and license; ``key`` changes with what was brought, so that its words are taken over."""
    with st.container(horizontal=True):
        texts = {
            name: st.text_input(label, getattr(draft.manifest, name), max_chars=MAX_CHARACTERS[name],
                                key=f"{name}-{key}",
                                placeholder=hint, width=240)
            for name, label, hint in (
                ("name", "Name", "Cats"),
                ("author", "Drawn by", "you?"),
                ("license", "License", "e.g. CC BY 4.0, or: only for me"),
            )
        }  # fmt: skip
    return replace(draft.manifest, **texts)


def complete(draft: Draft, key: str) -> Draft:
    """Name what is missing, and let the neutral picture fill in if the person says so."""
    if not draft.missing:
        return draft
    names = ", ".join(emotion.label for emotion in draft.missing)
    st.warning(f"Still missing: {names}.", icon=":material/add_photo_alternate:")
    if Emotion.NEUTRAL in draft.pictures and st.checkbox(
        "Use the neutral picture for what is missing", key=f"fill-{key}"
    ):
        return draft.fill_missing()
    return draft


def add(draft: Draft) -> None:
    pack = save_pack(settings, draft)
    st.session_state.batch = st.session_state.get("batch", 0) + 1  # fresh widgets: the next pack starts empty
    st.session_state.added = pack.id


def add_a_pack() -> None:
    batch = st.session_state.get("batch", 0)
    dropped, problems = bring_files(batch)
    for problem in problems:
        st.error(escape_markdown(problem))
    draft = fill_slots(dropped, batch)
    if not draft.pictures:
        return
    for note in draft.notes:
        st.caption(f":material/info: {escape_markdown(note)}")
    key = f"{batch}-{crc32(dropped.manifest.to_json())}"
    draft = complete(draft, key)
    draft = replace(draft, manifest=describe(draft, key))
    ready = bool(draft.manifest.name) and not draft.missing
    if not draft.manifest.name:
        st.caption("Give it a name, then add it.")
    st.button(
        "Add this pack",
        type="primary",
        icon=":material/add:",
        disabled=not ready,
        on_click=do,
        args=[lambda: add(draft)],
    )


# ---- looking after those that are here ----


@st.cache_data(max_entries=2 * MAX_PACKS, show_spinner="Looking at the packs …", scope="session")
def faces(_pack: EmojiPack, files: str) -> list[bytes]:
    """Small pictures of the seven; ``files`` is the pack's fingerprint."""
    return [
        square_png(open_picture(_pack.read(emotion), f"{emotion.label}.png"), FACE_PX * SHARPNESS)
        for emotion in Emotion
    ]


def change(pack: EmojiPack) -> None:
    with st.form(f"edit-{pack.id}", border=False):
        texts = [
            st.text_input(label, getattr(pack, key), max_chars=MAX_CHARACTERS[key], key=f"{key}-of-{pack.id}")
            for key, label in (("name", "Name"), ("author", "Drawn by"), ("license", "License"))
        ]
        if st.form_submit_button("Save"):
            do(lambda: f"{edit_pack(settings.emojis, pack.id, *texts).name} is saved.")
            st.rerun()
    if st.checkbox("Delete this pack", key=f"delete-{pack.id}"):
        st.caption("Its seven pictures are then gone for good. Export it first if you may want them back.")
        st.button(
            "Yes, delete it for good",
            icon=":material/delete:",
            key=f"really-{pack.id}",
            on_click=do,
            args=[lambda: remove(pack)],
        )


def remove(pack: EmojiPack) -> str:
    remove_pack(settings.emojis, pack.id)
    return f"{pack.name} is deleted."


def show_pack(found: PackList, pack: EmojiPack) -> None:
    with st.container(border=True):
        by = " · ".join(text for text in (pack.author, pack.license) if text) or "no author or license given"
        show_name(found.labels[pack.id], f"{by} · comes with Emojify" if pack.id in BUILT_IN_PACKS else by)
        try:
            pictures = faces(pack, pack.fingerprint())
            st.image(pictures, width=FACE_PX, alt=[f"{pack.name}: {label}" for label in LABELS])
        except (EmojifyError, OSError) as error:
            st.warning(escape_markdown(f"A picture of this pack does not open: {error}"))
        with st.container(horizontal=True, vertical_alignment="center"):
            offer_live(found, pack, pack.id)
            st.download_button(
                "Export", lambda: export_pack(pack), f"{pack.id}.zip", "application/zip",
                icon=":material/download:", key=f"export-{pack.id}", on_click="ignore",
            )  # fmt: skip
            if pack.id not in BUILT_IN_PACKS and not is_visitor():
                with st.popover("Change", icon=":material/edit:"):
                    change(pack)


settings = Settings.from_environment()
st.html(STYLE)
st.title("Emoji packs", anchor=False)
st.markdown("Seven pictures make a pack, one for each emotion. Wear one of these, or bring your own.")
if is_visitor():
    st.caption(VISITOR_PACK_NOTE)
show_result()
found = available_packs(settings)
for problem in found.problems:
    st.warning(escape_markdown(problem))
mine = [pack for pack in found.packs if pack.id not in BUILT_IN_PACKS]
just_added = [pack for pack in mine if pack.id == st.session_state.get("added")]
for pack in just_added:
    with st.container(border=True):
        show_name(f"{pack.name} is ready", "Seven faces, and they are yours.")
        offer_live(found, pack, "added")
with st.expander("Add a pack", expanded=not mine, icon=":material/add_circle:"):
    add_a_pack()
with st.container(key="gallery"):
    for pack in found.packs:
        show_pack(found, pack)
