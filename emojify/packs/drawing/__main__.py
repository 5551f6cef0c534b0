"""Draw the pictures of all built-in packs again: ``python -m emojify.packs.drawing``."""

from pathlib import Path

from PIL import Image

from emojify.emotions import Emotion
from emojify.packs.built_in import BUILT_IN_PACKS
from emojify.packs.drawing.expression import EXPRESSIONS
from emojify.packs.drawing.render import render
from emojify.packs.manifest import MANIFEST_FILE

SIZE_PX = 512
PACKS_DIR = Path(__file__).resolve().parents[3] / "emojis"


def draw_pack(pack_id: str, folder: Path) -> None:
    """Write the seven pictures and the ``pack.json`` of a built-in pack to ``folder``."""
    pack = BUILT_IN_PACKS[pack_id]
    folder.mkdir(parents=True, exist_ok=True)
    for emotion in Emotion:
        pixels = render(pack.svg(EXPRESSIONS[emotion]), SIZE_PX)
        Image.fromarray(pixels[:, :, [2, 1, 0, 3]]).save(folder / f"{emotion.label}.png", optimize=True)
    (folder / MANIFEST_FILE).write_bytes(pack.manifest.to_json())


if __name__ == "__main__":
    for pack_id in BUILT_IN_PACKS:
        draw_pack(pack_id, PACKS_DIR / pack_id)
        print(f"drew {PACKS_DIR / pack_id}")
