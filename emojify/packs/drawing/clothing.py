"""Glasses, earrings and shirts. None of them changes with the expression."""

from functools import cache

from emojify.packs.drawing.appearance import CLOTHES, Clothes, Earrings, Glasses
from emojify.packs.drawing.shapes import ellipse, line, mix, path, tag

CX = 256.0
_FRAME = "#23262e"
_GOLD, _GOLD_LINE = "#f6b93b", "#9a6410"

SHOULDERS = (
    "M208 390L208 424C208 434 200 440 188 443C138 454 104 466 94 486C90 494 96 499 106 499L406 499"
    "C416 499 422 494 418 486C408 466 374 454 324 443C312 440 304 434 304 424L304 390Z"
)
_SHIRT = (
    "M184 444C138 454 104 466 94 486C90 494 96 499 106 499L406 499C416 499 422 494 418 486"
    "C408 466 374 454 328 444C318 466 292 478 256 478C220 478 194 466 184 444Z"
)
_SLEEVE = (
    "M-40 -16C-40 -38 -38 -56 -33 -70C-16 -60 14 -60 30 -70C36 -54 40 -36 42 -14C42 -4 38 0 28 0L-28 0"
    "C-36 0 -40 -6 -40 -16Z"
)


@cache
def glasses(kind: Glasses) -> str:
    """Return the glasses."""
    if kind is Glasses.NONE:
        return ""
    dark = kind is Glasses.SUN
    frame: dict[str, str | float] = {
        "fill": "#171a2b" if dark else "#ffffff", "fill_opacity": 0.68 if dark else 0.08,
        "stroke": _FRAME, "stroke_width": 7,
    }  # fmt: skip
    lenses = []
    for side in (-1, 1):
        x = CX + side * 58
        if kind is Glasses.ROUND:
            lenses.append(ellipse(x, 248, 48, 48, **frame))
        elif kind is Glasses.SQUARE:
            lenses.append(tag("rect", x=x - 49, y=208, width=98, height=78, rx=20, **frame))
        else:
            d = (
                f"M{x - 50} 214C{x - 20} 206 {x + 20} 206 {x + 50} 214"
                f"C{x + 52} 262 {x + 34} 292 {x} 292C{x - 34} 292 {x - 52} 262 {x - 50} 214Z"
            )
            lenses.append(path(d, **frame))
        lenses.append(line(f"M{x + 26} 222l-8 10M{x + 36} 232l-16 20", "#ffffff", 5, 0.55))
    return tag("g", *lenses, line("M246 244q10 -9 20 0M150 242L132 236M362 242L380 236", _FRAME, 7))


@cache
def earrings(kind: Earrings) -> str:
    """Return the earrings, one on each ear."""
    if kind is Earrings.NONE:
        return ""
    parts = []
    for side in (-1, 1):
        x = CX + side * 122
        if kind is Earrings.HOOPS:
            ring = f"M{x - 13} 308a13 15 0 1 0 26 0a13 15 0 1 0 -26 0"
            parts += [line(ring, _GOLD_LINE, 9), line(ring, _GOLD, 5)]
        else:
            parts.append(ellipse(x, 287, 8, 8, fill=_GOLD, stroke=_GOLD_LINE, stroke_width=3))
            parts.append(ellipse(x - 2, 285, 2.5, 2.5, fill="#fff"))
    return tag("g", *parts)


@cache
def shirt(color: Clothes) -> str:
    """Return the shirt, without the neck. The document must define the gradient ``shirt``."""
    shades = CLOTHES[color]
    return path(_SHIRT, fill="url(#shirt)", stroke=shades.line, stroke_width=5, stroke_linejoin="round") + line(
        "M184 446C194 468 220 479 256 479C292 479 318 468 328 446", shades.shadow, 11
    )


@cache
def sleeve(color: Clothes) -> str:
    """Return the end of a raised sleeve. Its lower edge is at the origin; the hand is drawn above it."""
    shades = CLOTHES[color]
    return (
        path(_SLEEVE, fill="#fff", stroke="#fff", stroke_width=18, stroke_linejoin="round")
        + path(
            _SLEEVE,
            fill=mix(shades.light, shades.base, 0.6),
            stroke=shades.line,
            stroke_width=5,
            stroke_linejoin="round",
        )
        + line("M-34 -60C-16 -50 14 -50 31 -60", shades.shadow, 7)
    )
