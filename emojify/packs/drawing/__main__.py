"""``python -m emojify.packs.drawing`` draws the two built-in packs again."""

import json
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from emojify.emotions import Emotion
from emojify.packs.drawing.classic import classic_svg
from emojify.packs.drawing.expression import EXPRESSIONS, Expression
from emojify.packs.drawing.people import Person
from emojify.packs.drawing.person import person_svg
from emojify.packs.drawing.render import render

SIZE_PX = 512
PACKS_DIR = Path(__file__).resolve().parents[3] / "emojis"

DRAWINGS: dict[str, Callable[[Expression], str]] = {
    "classic": classic_svg,
    "person": lambda expression: person_svg(Person(), expression),
}
_ABOUT: dict[str, dict[str, object]] = {
    "classic": {
        "name": "Classic",
        "description": "The round yellow face.",
        "head": {"x": 0.5, "y": 0.5, "width": 0.94},
    },
    "person": {
        "name": "Person",
        "description": "Somebody like you and me, in a green shirt.",
        "head": {"x": 0.5, "y": 0.47, "width": 0.64},
    },
}


def draw_pack(pack_id: str, folder: Path) -> None:
    """Write the seven pictures and ``pack.json`` of a built-in pack into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for emotion in Emotion:
        pixels = render(DRAWINGS[pack_id](EXPRESSIONS[emotion]), SIZE_PX)
        Image.fromarray(pixels).save(folder / f"{emotion.label}.png", optimize=True)
    card = {"author": "Emojify", "licence": "MIT", **_ABOUT[pack_id]}
    (folder / "pack.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for pack_id in DRAWINGS:
        draw_pack(pack_id, PACKS_DIR / pack_id)
        print(f"drew {PACKS_DIR / pack_id}")
