"""Emoji packs: add a pack from seven pictures or a zip; see, export, edit and delete the existing ones."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal
from zlib import crc32

import streamlit as st

from emojify.emotions import LABELS, Emotion, parse_emotion
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
from emojify.packs.store import MAX_PACKS, PackList, edit_pack, export_pack, remove_pack, replace_picture
from emojify.pictures import SUFFIXES, open_picture, square_png
from emojify.public import is_visitor
from emojify.settings import Settings
from pages.parts.entry import enter_page
from pages.parts.messages import escape_markdown, run_action, show_error, show_result
from pages.parts.visitor_pack import VISITOR_PACK_NOTE, available_packs, save_pack

enter_page(__file__)

FACE_PX = 80
PIXEL_RATIO = 2  # picture pixels per CSS pixel: screens of phones are finer
TEXT_FIELDS = {"name": "Name", "author": "Drawn by", "license": "License"}
PLACEHOLDERS = {"name": "For example: Cats", "author": "Your name", "license": "For example: CC BY 4.0"}
# Seven faces fit in one row, on a phone too. In the narrow slots only the button of an uploader is shown.
STYLE = """<style>
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


def main() -> None:
    """Show the pack just added, the form to add one, and all packs."""
    settings = Settings.from_environment()
    st.html(STYLE)
    st.title("Emoji packs", anchor=False)
    st.markdown("A pack is seven pictures, one for each emotion. Use one of these, or add your own.")
    if is_visitor():
        st.caption(VISITOR_PACK_NOTE)
    show_result()
    found = available_packs(settings)
    for problem in found.problems:
        st.warning(escape_markdown(problem))
    own_packs = [pack for pack in found.packs if pack.id not in BUILT_IN_PACKS]
    for pack in own_packs:
        if pack.id == st.session_state.get("added"):
            show_added(found, pack)
    # The server keeps whether it is open: without that, a click while the page loads is lost.
    with st.expander("Add a pack", icon=":material/add_circle:", key="add_a_pack", on_change="rerun"):
        show_form(settings)
    with st.container(key="gallery"):
        for pack in found.packs:
            show_pack(settings, found, pack)


def show_added(found: PackList, pack: EmojiPack) -> None:
    with st.container(border=True):
        show_name(f"{pack.name} is ready", "See it in the live video, or find it in the list below.")
        show_live_button(found, pack, "added")


# ---- add a pack ----


def show_form(settings: Settings) -> None:
    batch = st.session_state.get("batch", 0)
    dropped = show_drop_zone(batch)
    for problem in dropped.problems:
        show_error(problem)
    draft = show_slots(dropped, batch)
    if not draft.pictures:
        return
    for note in draft.notes:
        st.caption(f":material/info: {escape_markdown(note)}")
    # The keys change with the dropped files, so that the text fields take over the texts of their manifest.
    key = f"{batch}-{crc32(dropped.manifest.to_json())}"
    draft = show_missing(draft, key)
    draft = replace(draft, manifest=show_texts(draft.manifest, key))
    if not draft.manifest.name:
        st.caption("Give it a name, then add it.")
    st.button(
        "Add this pack",
        type="primary",
        icon=":material/add:",
        disabled=not draft.manifest.name or bool(draft.missing),
        on_click=run_button_action,
        args=[add_draft, settings, draft],
    )


def show_drop_zone(batch: int) -> Draft:
    """Show the uploader for a zip or several pictures; return their draft."""
    st.markdown(
        f"Drop a zip, or all seven pictures together, named {', '.join(LABELS)}. PNG, WebP and GIF pictures with a "
        "transparent background look best."
    )
    files = st.file_uploader(
        "A zip, or pictures",
        type=["zip", *SUFFIXES],
        accept_multiple_files=True,
        max_upload_size=MAX_ZIP_MB,
        key=f"files-{batch}",
        label_visibility="collapsed",
    )
    st.caption(
        f"Limits: {MAX_ZIP_MB} MB per zip, {MAX_PICTURE_MB} MB and {MAX_MEGAPIXELS} megapixels per picture, "
        f"{MAX_PACKS} packs in all. Pictures become squares of at most {SIDE_PX} pixels."
    )
    return check_files([(file.name, file.getvalue()) for file in files])


@st.cache_data(max_entries=8, show_spinner="Checking the pictures …", scope="session")
def check_files(files: list[tuple[str, bytes]]) -> Draft:
    return read_files(files)


def show_slots(draft: Draft, batch: int) -> Draft:
    """Show a slot with an uploader for each emotion; an uploaded picture replaces a dropped one."""
    pictures, problems = dict(draft.pictures), []
    with st.container(horizontal=True, gap="xsmall", key="slots"):
        for emotion in Emotion:
            with st.container(width=98, horizontal_alignment="center", gap="xxsmall"):
                preview = st.empty()
                try:
                    if picture := show_slot_uploader(emotion, batch):
                        pictures[emotion] = picture
                except EmojifyError as error:
                    problems.append(error)
                if emotion in pictures:
                    preview.image(pictures[emotion].png, width=92, alt=f"Your {emotion.label} picture")
                else:
                    preview.html(f'<div class="empty" aria-hidden="true">{emotion.symbol}</div>')
    for problem in problems:
        show_error(problem)
    return replace(draft, pictures=pictures)


def show_slot_uploader(emotion: Emotion, batch: int) -> CheckedPicture | None:
    st.markdown(f"**{emotion.label}**", width="content")
    file = st.file_uploader(
        f"Picture for {emotion.label}",
        type=list(SUFFIXES),
        max_upload_size=MAX_PICTURE_MB,
        key=f"slot-{emotion.label}-{batch}",
        label_visibility="collapsed",
    )
    return None if file is None else check_picture(file.getvalue(), file.name)


@st.cache_data(max_entries=16, show_spinner=False, scope="session")
def check_picture(content: bytes, name: str) -> CheckedPicture:
    return read_picture(content, name)


def show_missing(draft: Draft, key: str) -> Draft:
    """Name the missing emotions, and fill them with the neutral picture if the user chooses so."""
    if not draft.missing:
        return draft
    names = ", ".join(emotion.label for emotion in draft.missing)
    st.warning(f"Still missing: {names}.", icon=":material/add_photo_alternate:")
    if Emotion.NEUTRAL in draft.pictures and st.checkbox(
        "Use the neutral picture for missing emotions", key=f"fill-{key}"
    ):
        return draft.fill_missing()
    return draft


def show_texts(manifest: PackManifest, key: str) -> PackManifest:
    """Show the fields for name, author and license; return the manifest with their texts."""
    with st.container(horizontal=True):
        texts = {
            name: st.text_input(
                label,
                getattr(manifest, name),
                max_chars=MAX_CHARACTERS[name],
                key=f"{name}-{key}",
                placeholder=PLACEHOLDERS[name],
                width=240,
            )
            for name, label in TEXT_FIELDS.items()
        }
    return replace(manifest, **texts)


def add_draft(settings: Settings, draft: Draft) -> None:
    pack = save_pack(settings, draft)
    st.session_state.batch = st.session_state.get("batch", 0) + 1  # new widget keys: the form is empty again
    st.session_state.add_a_pack = False
    st.session_state.added = pack.id


# ---- all packs ----


def show_pack(settings: Settings, found: PackList, pack: EmojiPack) -> None:
    with st.container(border=True):
        origin = " · ".join(text for text in (pack.author, pack.license) if text) or "Author and license unknown"
        show_name(found.labels[pack.id], f"{origin} · comes with Emojify" if pack.id in BUILT_IN_PACKS else origin)
        try:
            st.image(
                thumbnails(pack, pack.fingerprint()), width=FACE_PX, alt=[f"{pack.name}: {label}" for label in LABELS]
            )
        except (EmojifyError, OSError) as error:
            st.warning(escape_markdown(f"This pack has a picture that can't be opened: {error}"))
        with st.container(horizontal=True, vertical_alignment="center"):
            show_live_button(found, pack, pack.id)
            st.download_button(
                "Export", lambda: export_pack(pack), f"{pack.id}.zip", "application/zip",
                icon=":material/download:", key=f"export-{pack.id}", on_click="ignore",
            )  # fmt: skip
            if pack.id not in BUILT_IN_PACKS and not is_visitor():
                with st.popover("Change", icon=":material/edit:"):
                    show_editor(settings, pack)


@st.cache_data(max_entries=2 * MAX_PACKS, show_spinner="Loading the packs …", scope="session")
def thumbnails(_pack: EmojiPack, fingerprint: str) -> list[bytes]:
    """Return small pictures of the seven emotions. The cache key is ``fingerprint``, which changes with the pack."""
    return [
        square_png(open_picture(_pack.read(emotion), f"{emotion.label}.png"), FACE_PX * PIXEL_RATIO)
        for emotion in Emotion
    ]


def show_editor(settings: Settings, pack: EmojiPack) -> None:
    with st.form(f"edit-{pack.id}", border=False):
        texts = [
            st.text_input(label, getattr(pack, key), max_chars=MAX_CHARACTERS[key], key=f"{key}-of-{pack.id}")
            for key, label in TEXT_FIELDS.items()
        ]
        if st.form_submit_button("Save"):
            run_button_action(save_texts, settings, pack, *texts)
            st.rerun()
    if pack.manifest.avatar is None:
        show_replacement(settings, pack)
    else:
        st.page_link("pages/avatar_maker.py", label="Change its face in the avatar maker", icon=":material/edit:")
    if st.checkbox("Delete this pack", key=f"delete-{pack.id}"):
        st.caption("This deletes its seven pictures for good. To keep a copy, export the pack first.")
        st.button(
            "Yes, delete it for good",
            icon=":material/delete:",
            key=f"really-{pack.id}",
            on_click=run_button_action,
            args=[delete_pack, settings, pack],
        )


def show_replacement(settings: Settings, pack: EmojiPack) -> None:
    """Offer to replace one picture of a pack."""
    label = st.selectbox("Replace the picture for", LABELS, key=f"replaced-{pack.id}")
    file = st.file_uploader(
        "Its new picture",
        type=list(SUFFIXES),
        max_upload_size=MAX_PICTURE_MB,
        key=f"replacement-{pack.id}-{pack.fingerprint()}",  # a new key after the change: the form is empty again
        label_visibility="collapsed",
    )
    if file is not None and st.button("Replace it", key=f"replace-{pack.id}", icon=":material/swap_horiz:"):
        run_button_action(replace_one, settings, pack, label, file.getvalue(), file.name)
        st.rerun()


def replace_one(settings: Settings, pack: EmojiPack, label: str, content: bytes, name: str) -> str:
    replace_picture(settings.emojis, pack.id, parse_emotion(label), check_picture(content, name))
    return f"The {label} picture of {pack.name} is replaced."


def save_texts(settings: Settings, pack: EmojiPack, name: str, author: str, license: str) -> str:
    return f"{edit_pack(settings.emojis, pack.id, name, author, license).name} is saved."


def delete_pack(settings: Settings, pack: EmojiPack) -> str:
    remove_pack(settings.emojis, pack.id)
    return f"{pack.name} is deleted."


# ---- shared ----


def show_name(name: str, details: str) -> None:
    """Show a heading and a line below it as HTML: names may contain Markdown, and may run from right to left."""
    st.html(
        f'<h3 style="margin:0;padding:0;font-size:1.25rem;overflow-wrap:anywhere"><bdi>{html.escape(name)}</bdi></h3>'
        f'<div style="opacity:.7;font-size:.875rem;overflow-wrap:anywhere"><bdi>{html.escape(details)}</bdi></div>'
    )


def show_live_button(found: PackList, pack: EmojiPack, key: str) -> None:
    """Show the button that opens the live page with a pack. It is a primary button for the pack just added."""
    kind: Literal["primary", "secondary"] = "primary" if key == "added" else "secondary"
    if st.button("See it on your face", type=kind, icon=":material/videocam:", key=f"live-{key}"):
        st.session_state.pop("added", None)
        st.switch_page("pages/live.py", query_params={"pack": found.labels[pack.id]})


def run_button_action(action: Callable[..., str | None], *args: Any) -> None:
    """Run an action, and stop pointing out the pack added before it."""
    st.session_state.pop("added", None)
    run_action(action, *args)


main()
