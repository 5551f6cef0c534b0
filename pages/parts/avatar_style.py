"""The CSS of the avatar maker."""

from __future__ import annotations

from emojify.packs.drawing.appearance import BACKGROUNDS, CLOTHES, HAIR_COLORS, SKINS

SWATCHES: dict[str, list[str]] = {
    "skin": [shades.base for shades in SKINS.values()],
    "hair_color": [shades.base for shades in HAIR_COLORS.values()],
    "hat_color": [shades.base for shades in CLOTHES.values()],
    "clothes": [shades.base for shades in CLOTHES.values()],
    "background": ["transparent", *BACKGROUNDS.values()],
}
"""CSS colors of the choices, by part, in the order of their buttons."""

# The face stays in view while the user scrolls through the choices: beside them, or on a phone small above them.
_LAYOUT = """
.st-key-stage {position: sticky; top: 4rem}
.st-key-choices {gap: .5rem}
@media (max-width: 640px) {
  .stColumn:has(.st-key-stage) {position: sticky; top: 3.75rem; z-index: 2; backdrop-filter: blur(14px)}
  .st-key-stage {flex-direction: row; align-items: center}
  .st-key-stage img {width: 170px !important}
}
"""


def avatar_css() -> str:
    """Return the style sheet: the layout, and a dot of its color before the name of each choice."""
    dot = "content:''; display:inline-block; width:.9em; height:.9em; margin-right:.4em; vertical-align:-.1em;"
    rim = "border-radius:50%; border:1px solid #8888;"
    dots = [
        f".st-key-{part} button:nth-of-type({number}) p::before {{{dot} {rim} background:{color}}}"
        for part, colors in SWATCHES.items()
        for number, color in enumerate(colors, start=1)
    ]
    return _LAYOUT + "\n".join(dots)
