"""An emoji pack: a folder with seven pictures and a ``pack.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.pictures import open_picture
from emojify.vision.annotators import Head

MANIFEST = "pack.json"


@dataclass(frozen=True)
class EmojiPack:
    """Seven pictures under a name.

    Attributes:
        id: the folder's name; what the command line and the address bar call it.
        name, author, licence, description: for people.
        head: where the head is in the pictures; a sticker puts it on the person's.
        folder: where the pictures lie.
    """

    id: str
    name: str
    author: str
    licence: str
    description: str
    head: Head
    folder: Path

    @classmethod
    def load(cls, folder: Path) -> EmojiPack:
        """Read ``pack.json`` and check that all seven pictures are there.

        Raises:
            EmojifyError: if something is missing or cannot be read, naming it.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            about = {key: str(manifest.get(key) or "") for key in ("name", "author", "licence", "description")}
            head = Head(**{key: float(share) for key, share in (manifest.get("head") or {}).items()})
        except EmojifyError as error:
            raise EmojifyError(f"The pack {folder.name} has a {MANIFEST} that cannot be: {error}") from error
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise EmojifyError(f"The pack {folder.name} has no readable {MANIFEST}.") from error
        missing = [emotion.label for emotion in Emotion if not (folder / f"{emotion.label}.png").is_file()]
        if missing:
            raise EmojifyError(f"The pack {folder.name} lacks: {', '.join(missing)}.")
        return cls(id=folder.name, head=head, folder=folder, **{**about, "name": about["name"] or folder.name})

    def path(self, emotion: Emotion) -> Path:
        """The picture file of an emotion."""
        return self.folder / f"{emotion.label}.png"

    @cached_property
    def pictures(self) -> Mapping[Emotion, NDArray[np.uint8]]:
        """Each picture as (side, side, 4) uint8 BGRA; one that is not square is padded, not stretched.

        Raises:
            EmojifyError: if one of them does not open.
        """
        pictures = {}
        for emotion in Emotion:
            path = self.path(emotion)
            try:
                content = path.read_bytes()
            except OSError as error:
                raise EmojifyError(f"{path.name} of the pack {self.id} cannot be read: {error.strerror}.") from error
            picture = open_picture(content, f"{path.name} of the pack {self.id}").convert("RGBA")
            picture = ImageOps.pad(picture, (max(picture.size), max(picture.size)), color=(0, 0, 0, 0))
            pictures[emotion] = np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, [2, 1, 0, 3]])
        return pictures
