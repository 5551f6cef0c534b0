"""An emoji pack: a folder with seven pictures and a ``pack.json``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.os_errors import readable_os_errors
from emojify.packs.avatar import AnimatedAvatar, Avatar
from emojify.packs.importer import Draft
from emojify.packs.manifest import MANIFEST_FILE, PackManifest
from emojify.pictures import open_picture
from emojify.vision.annotators import Emoji, Head, StaticEmoji

SHARED_PACKS = 4
"""Number of packs whose decoded pictures are kept for all sessions, 7.3 MB each."""
VISITOR_PACK_ID = "_yours"
"""The id of a pack that exists in memory only. No folder in a store can have this name."""


@dataclass(frozen=True)
class EmojiPack:
    """Seven pictures, one for each emotion, and a manifest. ::

        pack = EmojiPack.load(Path("emojis/classic"))
        pack.name                            # "Classic"
        pack.pictures[Emotion.HAPPY].shape   # (512, 512, 4)

    Attributes:
        id: the folder's name, used by the command line.
        manifest: the content of its ``pack.json``.
        folder: the folder of the pictures.
        content: the picture files of a pack that exists in memory only; None for a pack in a folder.
    """

    id: str
    manifest: PackManifest
    folder: Path
    content: Mapping[Emotion, bytes] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_draft(cls, draft: Draft) -> EmojiPack:
        """Make a pack that exists in memory only.

        Raises:
            EmojifyError: if the name or a picture is missing.
        """
        draft.check_complete()
        draft = draft.place_head()
        content = {emotion: picture.png for emotion, picture in draft.pictures.items()}
        return cls(id=VISITOR_PACK_ID, manifest=draft.manifest, folder=Path(VISITOR_PACK_ID), content=content)

    @classmethod
    def load(cls, folder: Path) -> EmojiPack:
        """Read ``pack.json`` and check that all seven picture files exist. The pictures are not opened.

        Raises:
            EmojifyError: if a file is missing or the manifest cannot be read; the message names it.
        """
        try:
            manifest = PackManifest.parse((folder / MANIFEST_FILE).read_bytes())
        except EmojifyError as error:
            raise EmojifyError(f"The pack {folder.name} has an invalid {MANIFEST_FILE}: {error}") from error
        except (OSError, ValueError, TypeError) as error:
            raise EmojifyError(f"The pack {folder.name} has no readable {MANIFEST_FILE}.") from error
        missing = [emotion.label for emotion in Emotion if not (folder / f"{emotion.label}.png").is_file()]
        if missing:
            raise EmojifyError(f"The pack {folder.name} has no picture for: {', '.join(missing)}.")
        return cls(id=folder.name, manifest=manifest, folder=folder)

    @property
    def name(self) -> str:
        """The name in ``pack.json``, or the id if that is empty."""
        return self.manifest.name or self.id

    @property
    def author(self) -> str:
        """Who drew the pack; empty if unknown."""
        return self.manifest.author

    @property
    def license(self) -> str:
        """How the pack may be used; empty if unknown."""
        return self.manifest.license

    @property
    def head(self) -> Head:
        """Where the head is in the pictures. The sticker style places it on the person's head."""
        return self.manifest.head

    def path(self, emotion: Emotion) -> Path:
        """Return the path of an emotion's picture file."""
        return self.folder / f"{emotion.label}.png"

    def read(self, emotion: Emotion) -> bytes:
        """Return an emotion's picture as a PNG: that of the avatar, or else the content of the file.

        Raises:
            EmojifyError: if the file cannot be read.
        """
        if self.content is not None:
            return self.content[emotion]
        if self.avatar is not None:
            return _draw_png(self.avatar, emotion)
        path = self.path(emotion)
        with readable_os_errors(f"{path.name} of the pack {self.id} cannot be read"):
            return path.read_bytes()

    def fingerprint(self) -> str:
        """Return a text that changes when the pack changes. Reads no picture of a pack in a folder."""
        if self.content is None:
            return fingerprint(self.folder)
        return hashlib.sha256(b"".join([self.manifest.to_json(), *map(self.read, Emotion)])).hexdigest()

    @cached_property
    def avatar(self) -> Avatar | None:
        """The avatar that the pack was made from.

        None for a pack that was not made with the avatar maker. Also None for an avatar with parts from a newer
        version; the seven pictures can still be used.
        """
        if self.manifest.avatar is None:
            return None
        try:
            return Avatar.from_json(self.manifest.avatar)
        except EmojifyError:
            return None

    @cached_property
    def emoji(self) -> Emoji:
        """What is drawn on a face: the animated avatar, or else the seven pictures.

        All sessions share the pictures of a pack in a folder, until its files change.

        Raises:
            EmojifyError: if a picture can't be opened.
        """
        if self.avatar is not None:
            return AnimatedAvatar(self.avatar)
        if self.content is not None:
            return StaticEmoji(self.pictures, self.head)
        return _load_shared_emoji(self.folder, self.fingerprint())

    @cached_property
    def pictures(self) -> Mapping[Emotion, NDArray[np.uint8]]:
        """Each picture as (side, side, 4) uint8 BGRA. A picture that is not square is padded, not stretched.

        Raises:
            EmojifyError: if a picture can't be opened.
        """
        pictures = {}
        for emotion in Emotion:
            name = f"{emotion.label}.png of the pack {self.id}"
            picture = open_picture(self.read(emotion), name).convert("RGBA")
            picture = ImageOps.pad(picture, (max(picture.size), max(picture.size)), color=(0, 0, 0, 0))
            pictures[emotion] = np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, [2, 1, 0, 3]])
        return pictures


@lru_cache(SHARED_PACKS)
def _load_shared_emoji(folder: Path, files: str) -> Emoji:
    """Return the emoji of the pack in ``folder``, whose fingerprint is ``files``. Drawing it is thread-safe."""
    pack = EmojiPack.load(folder)
    return StaticEmoji(pack.pictures, pack.head)


@lru_cache(maxsize=4 * len(Emotion))
def _draw_png(avatar: Avatar, emotion: Emotion) -> bytes:
    return avatar.draw_png(emotion)
