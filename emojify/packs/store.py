"""The store of packs, a folder with one folder per pack: list, add, edit, remove, export.

A pack is added or removed by one rename. If a step before that fails, the list of packs is unchanged.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.files import clear_leftovers, locked, new_folder, remove_tree, write_atomically
from emojify.os_errors import readable_os_errors
from emojify.packs.built_in import BUILT_IN_PACKS
from emojify.packs.importer import CheckedPicture, Draft
from emojify.packs.manifest import MANIFEST_FILE, make_id
from emojify.packs.pack import EmojiPack
from emojify.public import admin_only

DEFAULT_PACK = "classic"
MAX_PACKS = 50

# A fixed time, the earliest that a zip can store: two exports of the same pack are identical.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class PackList:
    """The usable packs, the default one first, and one sentence for each unusable pack."""

    packs: tuple[EmojiPack, ...]
    problems: tuple[str, ...]

    def get(self, pack_id: str) -> EmojiPack:
        """Return the pack with this id.

        Raises:
            EmojifyError: if it does not exist.
        """
        for pack in self.packs:
            if pack.id == pack_id:
                return pack
        known = ", ".join(pack.id for pack in self.packs) or "none"
        raise EmojifyError(f"There is no pack {pack_id!r}. There are: {known}.")

    @property
    def labels(self) -> dict[str, str]:
        """The text for each pack in a menu, by id: its name, followed by the id if several packs share the name."""
        times = Counter(pack.name for pack in self.packs)
        return {pack.id: pack.name if times[pack.name] == 1 else f"{pack.name} ({pack.id})" for pack in self.packs}


def list_packs(folder: Path) -> PackList:
    """Load all packs in ``folder``. A broken pack adds a problem to the list and raises nothing."""
    packs, problems = [], []
    for path in _pack_folders(folder):
        try:
            packs.append(EmojiPack.load(path))
        except EmojifyError as error:
            problems.append(str(error))
    if not packs:
        problems.append(f"There are no emoji packs in {folder}.")
    packs.sort(key=lambda pack: (pack.id != DEFAULT_PACK, pack.name.casefold(), pack.id))
    return PackList(tuple(packs), tuple(problems))


@admin_only
def add_pack(folder: Path, draft: Draft) -> EmojiPack:
    """Add a pack to the store, under an unused id made from its name.

    Raises:
        EmojifyError: if the name or a picture is missing, the store already has ``MAX_PACKS``, or the disk can't be
            written; the store is then unchanged.
    """
    draft.check_complete()
    draft = draft.place_head()
    _check_room(folder)
    with readable_os_errors("The pack was not added"):
        folder.mkdir(parents=True, exist_ok=True)
        clear_leftovers(folder)
        with locked(folder):
            _check_room(folder)
            return EmojiPack.load(_write_pack(folder, draft))


def _write_pack(folder: Path, draft: Draft) -> Path:
    for pack_id in _unused_ids(draft.manifest.name):
        try:
            with new_folder(folder / pack_id) as unfinished:
                for emotion, picture in draft.pictures.items():
                    (unfinished / f"{emotion.label}.png").write_bytes(picture.png)
                (unfinished / MANIFEST_FILE).write_bytes(draft.manifest.to_json())
        except FileExistsError:
            continue
        return folder / pack_id
    raise AssertionError("the sequence of ids has no end")


def _unused_ids(name: str) -> Iterator[str]:
    """Yield ids for a pack without end: ``cats``, ``cats-2``, ``cats-3``, ... Folders with these names may exist."""
    pack_id = make_id(name)
    for number in count(1):
        numbered = pack_id if number == 1 else f"{pack_id}-{number}"
        if numbered not in BUILT_IN_PACKS:
            yield numbered


@admin_only
def edit_pack(folder: Path, pack_id: str, name: str, author: str, license: str) -> EmojiPack:
    """Change the name, author and license of a pack. Its id and pictures stay.

    Raises:
        EmojifyError: if the pack does not exist or is built in, the name is empty, or the disk can't be written.
    """
    pack = list_packs(folder).get(pack_id)
    _check_not_built_in(pack_id)
    manifest = replace(pack.manifest, name=name, author=author, license=license)
    if not manifest.name:
        raise EmojifyError("The pack needs a name.")
    clear_leftovers(pack.folder)
    with readable_os_errors("The pack was not changed"):
        write_atomically(pack.folder / MANIFEST_FILE, manifest.to_json())
    return EmojiPack.load(pack.folder)


@admin_only
def replace_picture(folder: Path, pack_id: str, emotion: Emotion, picture: CheckedPicture) -> EmojiPack:
    """Replace one picture of a pack.

    Raises:
        EmojifyError: if the pack does not exist, is built in or is an avatar, or the disk can't be written.
    """
    pack = list_packs(folder).get(pack_id)
    _check_not_built_in(pack_id)
    if pack.manifest.avatar is not None:
        raise EmojifyError(f"{pack.name} is an avatar: change it in the avatar maker.")
    clear_leftovers(pack.folder)
    with readable_os_errors("The picture was not replaced"):
        write_atomically(pack.path(emotion), picture.png)
    return EmojiPack.load(pack.folder)


@admin_only
def change_avatar(folder: Path, pack_id: str, draft: Draft) -> EmojiPack:
    """Replace the avatar and the texts of a pack that was made with the avatar maker. Its id stays.

    The manifest is replaced in one step, and what is shown is drawn from it. The picture files follow; where the disk
    is full, they stay as they are.

    Args:
        folder: of the store.
        pack_id: the pack to change.
        draft: of the changed avatar.

    Raises:
        EmojifyError: if the pack does not exist or is no avatar, the draft is incomplete, or the disk can't be written.
    """
    draft.check_complete()
    pack = list_packs(folder).get(pack_id)
    _check_not_built_in(pack_id)
    if pack.manifest.avatar is None or draft.manifest.avatar is None:
        raise EmojifyError(f"{pack.name} was not made with the avatar maker.")
    clear_leftovers(pack.folder)
    with readable_os_errors("The avatar was not changed"):
        write_atomically(pack.folder / MANIFEST_FILE, draft.manifest.to_json())
    with suppress(OSError):
        for emotion, picture in draft.pictures.items():
            write_atomically(pack.path(emotion), picture.png)
    return EmojiPack.load(pack.folder)


@admin_only
def remove_pack(folder: Path, pack_id: str) -> None:
    """Delete a pack. Also deletes a broken pack.

    Raises:
        EmojifyError: if the pack does not exist or is built in, or the disk can't be written.
    """
    path = next((path for path in _pack_folders(folder) if path.name == pack_id), None)
    if path is None:
        list_packs(folder).get(pack_id)  # raises, with the ids of the existing packs
        raise EmojifyError(f"The pack {pack_id} is already gone.")
    _check_not_built_in(pack_id)
    with readable_os_errors("The pack was not removed"):
        remove_tree(path)


def export_pack(pack: EmojiPack) -> bytes:
    """Return a zip with the seven pictures and ``pack.json``, which can be imported again.

    The same pack always gives the same bytes.

    Raises:
        EmojifyError: if a picture cannot be read.
    """
    files = {MANIFEST_FILE: replace(pack.manifest, name=pack.name).to_json()}
    for emotion in Emotion:
        files[pack.path(emotion).name] = pack.read(emotion)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # without compression: PNG files are already compressed
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def _pack_folders(folder: Path) -> list[Path]:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if path.is_dir() and not path.name.startswith((".", "_"))]


def _check_room(folder: Path) -> None:
    if len(_pack_folders(folder)) >= MAX_PACKS:
        raise EmojifyError(f"There are {MAX_PACKS} packs already, the most that fit. Delete one first.")


def _check_not_built_in(pack_id: str) -> None:
    if pack_id in BUILT_IN_PACKS:
        raise EmojifyError(f"The pack {pack_id} comes with Emojify: it can't be changed or removed.")
