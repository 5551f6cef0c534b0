"""An emoji pack: a folder with seven pictures and a ``pack.json``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.packs.avatar import AnimatedAvatar, Avatar
from emojify.packs.importer import Draft
from emojify.packs.manifest import MANIFEST_FILE, PackManifest
from emojify.pictures import open_picture
from emojify.vision.annotators import Emoji, Head, Stills

VISITOR_PACK_ID = "_yours"
"""What a pack that lies nowhere but in memory is called; no folder of a store is called so."""


@dataclass(frozen=True)
class EmojiPack:
    """Seven pictures under a name.

    Attributes:
        id: the folder's name; what the command line calls it.
        manifest: what its ``pack.json`` says.
        folder: where the pictures lie.
        content: the bytes of the picture files of a pack that lies in memory alone; None for one in a folder.
    """

    id: str
    manifest: PackManifest
    folder: Path
    content: Mapping[Emotion, bytes] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_draft(cls, draft: Draft) -> EmojiPack:
        """A pack for whoever brought the draft: in memory, and gone when they forget it.

        Raises:
            EmojifyError: if it lacks a name or a picture.
        """
        draft.check_complete()
        content = {emotion: picture.png for emotion, picture in draft.pictures.items()}
        return cls(id=VISITOR_PACK_ID, manifest=draft.manifest, folder=Path(VISITOR_PACK_ID), content=content)

    @classmethod
    def load(cls, folder: Path) -> EmojiPack:
        """Read ``pack.json`` and check that all seven pictures are there.

        Raises:
            EmojifyError: if something is missing or cannot be read, naming it.
        """
        try:
            manifest = PackManifest.parse((folder / MANIFEST_FILE).read_bytes())
        except EmojifyError as error:
            raise EmojifyError(f"The pack {folder.name} has a {MANIFEST_FILE} that cannot be: {error}") from error
        except (OSError, ValueError, TypeError) as error:
            raise EmojifyError(f"The pack {folder.name} has no readable {MANIFEST_FILE}.") from error
        missing = [emotion.label for emotion in Emotion if not (folder / f"{emotion.label}.png").is_file()]
        if missing:
            raise EmojifyError(f"The pack {folder.name} lacks: {', '.join(missing)}.")
        return cls(id=folder.name, manifest=manifest, folder=folder)

    @property
    def name(self) -> str:
        """What people call it: the name in ``pack.json``, or the folder's where that has none."""
        return self.manifest.name or self.id

    @property
    def author(self) -> str:
        return self.manifest.author

    @property
    def license(self) -> str:
        return self.manifest.license

    @property
    def head(self) -> Head:
        """Where the head is in the pictures; a sticker puts it on the person's."""
        return self.manifest.head

    def path(self, emotion: Emotion) -> Path:
        """The picture file of an emotion."""
        return self.folder / f"{emotion.label}.png"

    def read(self, emotion: Emotion) -> bytes:
        """The picture file's content.

        Raises:
            EmojifyError: if it cannot be read.
        """
        if self.content is not None:
            return self.content[emotion]
        path = self.path(emotion)
        try:
            return path.read_bytes()
        except OSError as error:
            raise EmojifyError(f"{path.name} of the pack {self.id} cannot be read: {error.strerror}.") from error

    def fingerprint(self) -> str:
        """Changes when the pack does; cheap."""
        if self.content is None:
            return fingerprint(self.folder)
        return hashlib.sha256(b"".join([self.manifest.to_json(), *map(self.read, Emotion)])).hexdigest()

    @cached_property
    def avatar(self) -> Avatar | None:
        """Whom the avatar maker drew it from.

        None for a pack that was not made there, and for one with parts from a newer version: its seven pictures
        serve all the same.
        """
        if self.manifest.avatar is None:
            return None
        try:
            return Avatar.from_json(self.manifest.avatar)
        except EmojifyError:
            return None

    @cached_property
    def emoji(self) -> Emoji:
        """What stands for a face: the living avatar, or else the seven pictures.

        Raises:
            EmojifyError: if one of the pictures does not open.
        """
        return Stills(self.pictures, self.head) if self.avatar is None else AnimatedAvatar(self.avatar)

    @cached_property
    def pictures(self) -> Mapping[Emotion, NDArray[np.uint8]]:
        """Each picture as (side, side, 4) uint8 BGRA; one that is not square is padded, not stretched.

        Raises:
            EmojifyError: if one of them does not open.
        """
        pictures = {}
        for emotion in Emotion:
            name = f"{emotion.label}.png of the pack {self.id}"
            picture = open_picture(self.read(emotion), name).convert("RGBA")
            picture = ImageOps.pad(picture, (max(picture.size), max(picture.size)), color=(0, 0, 0, 0))
            pictures[emotion] = np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, [2, 1, 0, 3]])
        return pictures
