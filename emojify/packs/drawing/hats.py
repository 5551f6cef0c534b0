"""Hats. The coordinates fit the same head as those of :mod:`~emojify.packs.drawing.hair`."""

from functools import cache

from emojify.packs.drawing.appearance import CLOTHES, Clothes, Hat, Shades
from emojify.packs.drawing.shapes import ellipse, line, path

_CX = 256.0
_GOLD, _GOLD_LIGHT, _GOLD_LINE = "#f6b93b", "#ffe28a", "#9a6410"

# The outline of each hat; the sticker edge follows it too.
HAT_OUTLINES: dict[Hat, tuple[str, ...]] = {
    Hat.NONE: (),
    Hat.CAP: (
        "M104 176C94 92 162 34 256 34C350 34 418 92 408 176Z",
        "M96 176C136 138 200 128 256 128C312 128 376 138 416 176C424 188 412 196 400 190"
        "C358 168 304 160 256 160C208 160 154 168 112 190C100 196 88 188 96 176Z",
    ),
    Hat.BEANIE: (
        "M104 170C98 92 168 38 256 38C344 38 414 92 408 170Z",
        "M98 178C96 152 102 138 118 134C200 112 312 112 394 134C410 138 416 152 414 178C414 192 406 196 394 192"
        "C312 168 200 168 118 192C106 196 98 192 98 178Z",
    ),
    Hat.HIJAB: (
        "M256 44C156 44 98 114 100 214C102 280 108 326 100 368C92 408 112 436 148 440C192 446 320 446 364 440"
        "C400 436 420 408 412 368C404 326 410 280 412 214C414 114 356 44 256 44Z",
    ),
    Hat.CROWN: (
        "M176 108L160 50C158 44 166 40 170 46L208 76L250 34C254 30 258 30 262 34L304 76L342 46C346 40 354 44 352 50"
        "L336 108C300 98 212 98 176 108Z",
    ),
}
_FACE_OPENING = (
    "M256 124C196 124 150 158 146 222C144 290 160 336 200 368C226 390 286 390 312 368C352 336 368 290 366 222"
    "C362 158 316 124 256 124Z"
)


@cache
def hat(kind: Hat, color: Clothes) -> str:
    """Return a hat, drawn above the hair. The document must define the gradient ``hat``."""
    drawing = _DRAWINGS.get(kind)
    return drawing(CLOTHES[color]) if drawing else ""


def _rim(shades: Shades) -> dict[str, str | float]:
    return {"stroke": shades.line, "stroke_width": 4, "stroke_linejoin": "round"}


def _cap(shades: Shades) -> str:
    dome, brim = HAT_OUTLINES[Hat.CAP]
    seams = "M256 38L256 130M256 38C206 60 176 92 166 138M256 38C306 60 336 92 346 138"
    return "".join([
        path(dome, fill="url(#hat)", **_rim(shades)),
        line(seams, shades.shadow, 4),
        ellipse(_CX, 36, 13, 7, fill=shades.base, **_rim(shades)),
        ellipse(_CX, 98, 25, 23, fill="#fff"),
        line("M244 100c4 10 20 10 24 0M247 90v2M265 90v2", shades.line, 5),
        path(brim, fill=shades.shadow, **_rim(shades)),
        line("M128 164C172 146 214 141 256 141", shades.light, 6, 0.55),
    ])  # fmt: skip


def _beanie(shades: Shades) -> str:
    dome, band = HAT_OUTLINES[Hat.BEANIE]
    folds = (
        "M200 116C202 94 214 74 232 62M312 116C310 94 298 74 280 62M152 122C154 102 166 86 184 76"
        "M360 122C358 102 346 86 328 76"
    )
    ribs = ""
    for x in range(136, 377, 24):
        offset = (x - _CX) / 150
        ribs += f"M{x} {124 + 14 * offset**2:.0f}l{3 * offset:.1f} 40"
    return "".join([
        path(dome, fill="url(#hat)", **_rim(shades)),
        line(folds, shades.shadow, 5),
        ellipse(_CX, 46, 28, 25, fill=shades.light, **_rim(shades)),
        line("M244 40c4-6 12-8 18-4M262 56c6 0 10-4 12-10M240 52c2 4 6 6 10 6", shades.base, 5),
        path(band, fill=shades.base, **_rim(shades)),
        line(ribs, shades.shadow, 5),
    ])  # fmt: skip


def _hijab(shades: Shades) -> str:
    folds = (
        "M150 186C126 236 124 300 144 352M362 186C386 236 388 300 368 352M126 300C122 340 130 372 152 396"
        "M204 390C240 412 292 412 330 386M180 410C226 432 300 430 352 400M256 84C206 84 160 112 138 160"
    )
    # The fabric is the outline minus the opening for the face.
    fabric = HAT_OUTLINES[Hat.HIJAB][0] + _FACE_OPENING
    return "".join([
        path(fabric, fill="url(#hat)", fill_rule="evenodd", **_rim(shades)),
        line(folds, shades.shadow, 5),
        line("M168 108C188 88 214 76 244 72", shades.light, 9, 0.7),
    ])  # fmt: skip


def _crown(shades: Shades) -> str:
    jewels = ((_CX, 84, 11, shades.base), (212, 90, 8, shades.light), (300, 90, 8, shades.light))
    return "".join([
        path(HAT_OUTLINES[Hat.CROWN][0], fill=_GOLD, stroke=_GOLD_LINE, stroke_width=4, stroke_linejoin="round"),
        line("M178 64L190 96M246 50L226 72", _GOLD_LIGHT, 6),
        *(ellipse(x, y, r, r, fill=fill, stroke=_GOLD_LINE, stroke_width=3) for x, y, r, fill in jewels),
    ])  # fmt: skip


_DRAWINGS = {Hat.CAP: _cap, Hat.BEANIE: _beanie, Hat.HIJAB: _hijab, Hat.CROWN: _crown}
