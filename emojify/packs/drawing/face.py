"""The face of a person: the parts of the head that move with the expression."""

from emojify.packs.drawing.appearance import Shades
from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.features import BrowPlace, EyePlace, brow_outline, eye_opening
from emojify.packs.drawing.mouth import MouthPlace
from emojify.packs.drawing.shapes import ease, ellipse, line, mix, path

CX = 256.0
EYES = tuple(EyePlace(side, CX + side * 57, 246.0, 36.0, 34.0) for side in (-1, 1))
BROWS = tuple(BrowPlace(side, CX + side * 60, 192.0, 40.0, 21.0) for side in (-1, 1))
MOUTH = MouthPlace(CX, 337.0, 62.0, 47.0, 8.0)
EARS = tuple((side, CX + side * 122, 258.0) for side in (-1, 1))
_INK = "#2c1a14"


def tint_skin(skin: Shades, expression: Expression) -> Shades:
    """Return the skin colors, tinted red by anger and green by disgust."""
    light, base, shadow, drawn = (
        mix(mix(tone, "#e62f1c", 0.45 * expression.red), "#8ccb3f", 0.6 * expression.green)
        for tone in (skin.light, skin.base, skin.shadow, skin.line)
    )
    return Shades(light, base, shadow, drawn)


def chin_y(expression: Expression) -> float:
    """Return the y of the lowest point of the chin. It moves down when the mouth opens."""
    return 384 + 14 * expression.jaw_drop + 9 * expression.stretch


def jaw(expression: Expression) -> str:
    """Return the outline of the head."""
    return _head_outline(chin_y(expression), 122 - 4 * expression.stretch)


def _head_outline(chin: float, wide: float) -> str:
    left, right = CX - wide, CX + wide
    return (
        f"M{left:.1f} 212C{left:.1f} 128 188 82 256 82C324 82 {right:.1f} 128 {right:.1f} 212"
        f"C{right:.1f} 244 {right - 3:.1f} 272 {right - 9:.1f} 296"
        f"C{right - 22:.1f} {chin - 36:.1f} 312 {chin:.1f} 256 {chin:.1f}"
        f"C200 {chin:.1f} {left + 22:.1f} {chin - 36:.1f} {left + 9:.1f} 296"
        f"C{left + 3:.1f} 272 {left:.1f} 244 {left:.1f} 212Z"
    )


AVERAGE_HEAD = _head_outline(396, 123)
"""A fixed outline, the average of all expressions, for layers that must not move with the jaw."""


def ears(skin: Shades) -> str:
    """Return both ears."""
    parts = []
    for side, x, y in EARS:
        parts.append(ellipse(x, y, 25, 32, fill=skin.base, stroke=skin.line, stroke_width=4))
        parts.append(line(f"M{x + side * 12} 246c{side * -14} -4 {side * -18} 8 {side * -12} 24", skin.shadow, 6))
    return "".join(parts)


def complexion(expression: Expression, outline: str) -> str:
    """Return pallor and blushing, inside ``outline``.

    The document must define the gradients ``pallor`` and ``cheek``.
    """
    # Pallor covers a large area, which takes time to render; skip it where it would be invisible.
    pallor = path(outline, fill="url(#pallor)", fill_opacity=expression.blue * 0.85) if expression.blue > 0.01 else ""
    warmth = (0.18 + 0.5 * expression.blush) * (1 - expression.green)
    cheeks = (ellipse(CX + side * 82, 306, 40, 28, fill="url(#cheek)", fill_opacity=warmth) for side in (-1, 1))
    return pallor + "".join(cheeks)


def creases(expression: Expression, skin: Shades) -> str:
    """Return the creases between the brows and beside the nose."""
    frown = "".join(f"M{CX + s * 11} 204q{s * -5} 12 {s} 24" for s in (-1, 1))
    nose = "".join(f"M{CX + s * 22} 274q{s * 18} 2 {s * 22} 18" for s in (-1, 1))
    folds = ((frown, expression.frown_crease), (nose, expression.nose_wrinkle))
    return "".join(line(d, skin.line, 5, amount) for d, amount in folds if amount > 0.01)


def nose(expression: Expression, skin: Shades) -> str:
    """Return the tip of the nose."""
    y = 286 - 6 * expression.nose_wrinkle
    light = ellipse(CX, y - 2, 11, 9, fill=skin.light, fill_opacity=0.7)
    return light + line(f"M242 {y:.1f}c2 17 26 17 28 0", skin.line, 6)


def eye(expression: Expression, place: EyePlace, skin: Shades) -> str:
    """Return an eye with its lids. The document must define the gradient ``iris``."""
    opening = eye_opening(expression, place)
    outline = opening.outline
    # A laughing eye is a dark arc: the white disappears as the lower lid rises.
    laugh = ease(expression.lower_lid, 0.45, 0.9)
    size = 0.4 + 0.6 * expression.pupil_size
    x, y = place.cx + expression.gaze_x * 14, place.cy + expression.gaze_y * 9
    glint = (1 - laugh) * size
    return "".join([
        path(outline, fill=mix("#ffffff", _INK, laugh)),
        path(opening.disc(x, y, 28 * size, 29 * size), fill="url(#iris)"),
        path(opening.disc(x, y, 16 * expression.pupil_size, 17 * expression.pupil_size), fill="#1a0d08"),
        path(opening.disc(x - 9 * glint, y - 11 * glint, 9 * glint, 9.5 * glint), fill="#fff"),
        path(opening.disc(x + 10 * glint, y + 11 * glint, 4 * glint, 4 * glint), fill="#fff", opacity=0.8),
        path(opening.slice(1 - 0.24 * expression.tears, 1), fill="#a5deff"),
        path(
            outline, fill="none", stroke=mix(skin.line, _INK, laugh), stroke_width=3 + 6 * laugh,
            stroke_linejoin="round",
        ),
        path(opening.lash(13), fill=_INK),
    ])  # fmt: skip


def brow(expression: Expression, place: BrowPlace, hair: Shades) -> str:
    """Return a brow in the color of the hair."""
    return path(
        brow_outline(expression, place), fill=hair.shadow, stroke=hair.line, stroke_width=4, stroke_linejoin="round"
    )
