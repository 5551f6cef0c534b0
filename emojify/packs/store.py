"""The packs that are here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emojify.errors import EmojifyError
from emojify.packs.pack import EmojiPack

DEFAULT_PACK = "classic"


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


def list_packs(folder: Path) -> PackList:
    """All packs below ``folder``; a broken one becomes a problem, not an error."""
    packs, problems = [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir() and not path.name.startswith((".", "_")):
            try:
                packs.append(EmojiPack.load(path))
            except EmojifyError as error:
                problems.append(str(error))
    if not packs:
        problems.append(f"There are no emoji packs in {folder}.")
    packs.sort(key=lambda pack: (pack.id != DEFAULT_PACK, pack.name.casefold()))
    return PackList(tuple(packs), tuple(problems))
