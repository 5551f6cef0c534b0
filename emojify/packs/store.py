"""The packs that are here: listing, adding, editing, removing, exporting.

A pack is written into a hidden folder of the store and renamed into place when it is whole; one that is removed is
renamed away first. Whatever goes wrong in between, the list of packs is as before.
"""

from __future__ import annotations

import errno
import io
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.files import UNFINISHED, clear_leftovers, locked, remove_tree, write_atomically
from emojify.packs.built_in import BUILT_IN_PACKS
from emojify.packs.importer import Draft
from emojify.packs.manifest import MANIFEST_FILE, make_id
from emojify.packs.pack import EmojiPack
from emojify.public import admin_only

DEFAULT_PACK = "classic"
MAX_PACKS = 50

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say; with the real one no two exports were the same
_NAME_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR)


@dataclass(frozen=True)
class PackList:
    """The packs that can be used, the default one first, and why the others can't."""

    packs: tuple[EmojiPack, ...]
    problems: tuple[str, ...]

    def get(self, pack_id: str) -> EmojiPack:
        """The pack with this id.

        Raises:
            EmojifyError: if there is none.
        """
        for pack in self.packs:
            if pack.id == pack_id:
                return pack
        known = ", ".join(pack.id for pack in self.packs) or "none"
        raise EmojifyError(f"There is no pack {pack_id!r}. There are: {known}.")

    @property
    def labels(self) -> dict[str, str]:
        """What to call each pack in a list, by id: its name, with the id behind it where several share the name."""
        times = Counter(pack.name for pack in self.packs)
        return {pack.id: pack.name if times[pack.name] == 1 else f"{pack.name} ({pack.id})" for pack in self.packs}


def list_packs(folder: Path) -> PackList:
    """All packs below ``folder``; a broken one becomes a problem, not an error."""
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
    """Put a pack into the store, under an id made from its name that nobody has yet.

    Raises:
        EmojifyError: if it lacks a name or a picture, the store has ``MAX_PACKS``, or the disk does not take it;
            the store is then as it was.
    """
    draft.check_complete()
    _check_room(folder)
    with _disk_errors("added"):
        folder.mkdir(parents=True, exist_ok=True)
        clear_leftovers(folder)
        unfinished = Path(tempfile.mkdtemp(dir=folder, prefix=UNFINISHED))
        try:
            for emotion, picture in draft.pictures.items():
                write_atomically(unfinished / f"{emotion.label}.png", picture.png)
            write_atomically(unfinished / MANIFEST_FILE, draft.manifest.to_json())
            unfinished.chmod(0o755)  # mkdtemp keeps it to its owner
            with locked(folder):
                _check_room(folder)
                return EmojiPack.load(_rename_to_free_id(unfinished, draft.manifest.name))
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


@admin_only
def edit_pack(folder: Path, pack_id: str, name: str, author: str, license: str) -> EmojiPack:
    """Change what a pack says of itself; its id and pictures stay.

    Raises:
        EmojifyError: if there is no such pack, it is built in, the name is empty, or the disk does not take it.
    """
    pack = list_packs(folder).get(pack_id)
    _refuse_built_in(pack_id)
    manifest = replace(pack.manifest, name=name, author=author, license=license)
    if not manifest.name:
        raise EmojifyError("The pack needs a name.")
    clear_leftovers(pack.folder)
    with _disk_errors("changed"):
        write_atomically(pack.folder / MANIFEST_FILE, manifest.to_json())
    return EmojiPack.load(pack.folder)


@admin_only
def remove_pack(folder: Path, pack_id: str) -> None:
    """Delete a pack, a broken one too.

    Raises:
        EmojifyError: if there is none with this id, it is built in, or the disk does not let go of it.
    """
    path = next((path for path in _pack_folders(folder) if path.name == pack_id), None)
    if path is None:
        list_packs(folder).get(pack_id)  # raises, with the ids that there are
        raise EmojifyError(f"The pack {pack_id} is gone already.")
    _refuse_built_in(pack_id)
    with _disk_errors("removed"):
        remove_tree(path)


def export_pack(pack: EmojiPack) -> bytes:
    """A zip with the seven pictures and ``pack.json`` that imports again; the same pack gives the same bytes.

    Raises:
        EmojifyError: if a picture cannot be read.
    """
    files = {MANIFEST_FILE: replace(pack.manifest, name=pack.name).to_json()}
    for emotion in Emotion:
        files[pack.path(emotion).name] = pack.read(emotion)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # stored as they are: PNG is packed already
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
        raise EmojifyError(f"There are {MAX_PACKS} packs already, and no more fit. Delete one first.")


def _refuse_built_in(pack_id: str) -> None:
    if pack_id in BUILT_IN_PACKS:
        raise EmojifyError(f"The pack {pack_id} comes with Emojify: it can't be changed or removed.")


def _rename_to_free_id(unfinished: Path, name: str) -> Path:
    """Renaming onto a folder that is not empty fails, so whoever comes second goes on to the next number."""
    wanted = make_id(name)
    for number in count(1):
        path = unfinished.with_name(wanted if number == 1 else f"{wanted}-{number}")
        if path.name in BUILT_IN_PACKS or path.exists():
            continue
        try:
            return unfinished.rename(path)
        except OSError as error:
            if error.errno not in _NAME_TAKEN:
                raise
    raise AssertionError("there is always a next number")


@contextmanager
def _disk_errors(done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
        raise EmojifyError(f"The pack was not {done}: {why}. Everything is as it was before.") from error
