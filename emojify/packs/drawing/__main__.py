"""``python -m emojify.packs.drawing`` draws the two built-in packs again."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from emojify.emotions import Emotion
from emojify.packs.about import MANIFEST, About
from emojify.packs.avatar import HEAD, Avatar
from emojify.packs.drawing.classic import classic_svg
from emojify.packs.drawing.expression import EXPRESSIONS, Expression
from emojify.packs.drawing.people import Person
from emojify.packs.drawing.person import person_svg
from emojify.packs.drawing.render import render
from emojify.vision.annotators import Head

SIZE_PX = 512
PACKS_DIR = Path(__file__).resolve().parents[3] / "emojis"

DRAWINGS: dict[str, Callable[[Expression], str]] = {
    "classic": classic_svg,
    "person": lambda expression: person_svg(Person(), expression),
}
_ABOUT = {
    "classic": About(
        name="Classic",
        author="Emojify",
        licence="MIT",
        description="The round yellow face.",
        head=Head(x=0.5, y=0.5, width=0.94),
    ),
    "person": About(
        name="Person",
        author="Emojify",
        licence="MIT",
        description="Somebody like you and me, in a green shirt.",
        head=HEAD,
        avatar=Avatar(Person()).to_json(),
    ),
}


def draw_pack(pack_id: str, folder: Path) -> None:
    """Write the seven pictures and ``pack.json`` of a built-in pack into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for emotion in Emotion:
        pixels = render(DRAWINGS[pack_id](EXPRESSIONS[emotion]), SIZE_PX)
        Image.fromarray(pixels[:, :, [2, 1, 0, 3]]).save(folder / f"{emotion.label}.png", optimize=True)
    (folder / MANIFEST).write_bytes(_ABOUT[pack_id].to_json())


if __name__ == "__main__":
    for pack_id in DRAWINGS:
        draw_pack(pack_id, PACKS_DIR / pack_id)
        print(f"drew {PACKS_DIR / pack_id}")
