"""A gray cat with a white muzzle. Its ears fold outward in anger, fear and grief."""

from emojify.packs.drawing.effects import HandPlace, effect_gradients, hands, sticker_edge, water
from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.features import BrowPlace, EyePlace, brow_outline, eye_opening
from emojify.packs.drawing.mouth import MouthPlace, mouth, mouth_gradients
from emojify.packs.drawing.shapes import TOP_TO_BOTTOM, ease, ellipse, gradient, line, mix, path, tag

_CX = 256.0
_INK = "#2f2540"
_HEAD = (
    "M256 106C366 106 458 178 466 290L496 306L462 330L482 362L442 372C400 444 330 478 256 478"
    "C182 478 112 444 70 372L30 362L50 330L16 306L46 290C54 178 146 106 256 106Z"
)
# The ear on the right, drawn around the middle of its base.
_EAR = "M-68 34C-46 -40 -8 -92 40 -116C58 -124 68 -114 70 -98C78 -48 80 8 66 62Z"
_INNER_EAR = "M-30 28C-18 -22 8 -62 42 -86C54 -44 54 2 42 44Z"
_EAR_X, _EAR_Y = 118.0, 164.0
_EYES = tuple(EyePlace(side, _CX + side * 92, 254.0, 50.0, 52.0) for side in (-1, 1))
_BROWS = tuple(BrowPlace(side, _CX + side * 92, 178.0, 56.0, 34.0) for side in (-1, 1))
_MOUTH = MouthPlace(_CX, 390.0, 84.0, 62.0, 11.0)
_HANDS = HandPlace(_CX, 500.0, 176.0)
_CHEEK_STRIPES = ((262, 6), (292, 0))  # y, and the rise of the end
_STRIPES = ("M256 118V166", "M222 124Q224 142 228 156", "M290 124Q288 142 284 156")

# Colors of the fur (light, base, shadow): at rest, angry, disgusted, afraid.
_GRAY = ("#c3c9dc", "#949db9", "#69718f")
_RED = ("#ff9c82", "#ea5545", "#ac2530")
_GREEN = ("#cfe58a", "#93bd58", "#57843c")
_BLUE = ("#d5e6ff", "#93b8f2", "#5b7fc4")


def cat_svg(expression: Expression) -> str:
    """Return the cat as an SVG document, 512 by 512 with a transparent background."""
    light, base, shadow = (
        mix(mix(mix(gray, red, expression.red * 0.85), green, expression.green * 0.85), blue, expression.blue * 0.7)
        for gray, red, green, blue in zip(_GRAY, _RED, _GREEN, _BLUE, strict=True)
    )
    edge = mix(shadow, _INK, 0.55)
    ears = [_ear(side, expression, _EAR) for side in (-1, 1)]
    head = [
        sticker_edge(path(_HEAD), *ears),
        *(_colored_ear(side, expression, edge) for side in (-1, 1)),
        path(_HEAD, fill="url(#fur)", stroke=edge, stroke_width=5, stroke_linejoin="round"),
        *(line(stripe, shadow, 15) for stripe in _STRIPES),
        *(line(f"M{_CX + s * 194} {y}l{s * -36} {rise}", shadow, 12) for s in (-1, 1) for y, rise in _CHEEK_STRIPES),
        *(ellipse(_CX + s * 46, 372, 84, 72, fill="#fff") for s in (-1, 1)),
        ellipse(_CX, 420, 70, 46, fill="#fff"),
        *_cheeks(expression.blush),
        _creases(expression, edge),
        *(_eye(expression, place) for place in _EYES),
        *(path(brow_outline(expression, place), fill=_INK, stroke=_INK, stroke_width=5) for place in _BROWS),
        _whiskers(expression),
        mouth(expression, _MOUTH, _INK),
        path("M232 310C240 304 272 304 280 310C284 318 264 338 256 338C248 338 228 318 232 310Z",
             fill="#f58aa0", stroke=_INK, stroke_width=5, stroke_linejoin="round"),
        water(_EYES[0].cx - 20, 290, 96 * expression.tears),
        water(62, 190, 84 * expression.sweat),
        water(452, 208, 60 * expression.sweat),
        hands(expression.hands, _HANDS, mix(base, light, 0.4), edge),
    ]  # fmt: skip
    return tag(
        "svg",
        _definitions(light, base, shadow),
        tag("g", *head, transform=f"rotate({expression.head_tilt_degrees:.2f} {_CX} 300)"),
        xmlns="http://www.w3.org/2000/svg",
        viewBox="0 0 512 512",
    )


def _definitions(light: str, base: str, shadow: str) -> str:
    return tag(
        "defs",
        gradient("fur", {0: light, 0.55: base, 1: mix(base, shadow, 0.6)}, {"cx": 0.44, "cy": 0.34, "r": 0.72}),
        gradient("ear", {0: light, 1: base}, TOP_TO_BOTTOM),
        gradient("iris", {0: "#c8ec5a", 1: "#f7e26b"}, TOP_TO_BOTTOM),
        mouth_gradients(),
        effect_gradients(),
    )


def _cheeks(amount: float) -> list[str]:
    return [ellipse(_CX + side * 156, 342, 44, 30, fill="url(#cheek)", fill_opacity=0.8 * amount) for side in (-1, 1)]


def _ear(side: int, expression: Expression, *shapes: str) -> str:
    """Return shapes of an ear, turned outward by how much the cat is afraid, angry or sad, and upright in surprise."""
    folded = min(1.0, expression.blue + 0.8 * expression.red + 0.85 * expression.tears + 0.5 * expression.green)
    degrees = 44 * folded - 8 * max(0.0, expression.stretch)
    drawn = "".join(shape if shape.startswith("<") else path(shape) for shape in shapes)
    x, y = _CX + side * _EAR_X, _EAR_Y + 26 * folded
    scale = 1 - 0.12 * folded
    return tag(
        "g", drawn, transform=f"translate({x:.1f} {y:.1f}) scale({side * scale:.3f} {scale:.3f}) rotate({degrees:.2f})"
    )


def _colored_ear(side: int, expression: Expression, edge: str) -> str:
    return _ear(
        side,
        expression,
        path(_EAR, fill="url(#ear)", stroke=edge, stroke_width=5, stroke_linejoin="round"),
        path(_INNER_EAR, fill="#f7a9b5"),
    )


def _creases(expression: Expression, color: str) -> str:
    """Return the creases between the brows and beside the nose."""
    frown = (line(f"M{_CX + s * 16} 196q{s * -6} 14 {s * 2} 30", color, 8, expression.frown_crease) for s in (-1, 1))
    nose = (line(f"M{_CX + s * 16} 284q{s * 26} -4 {s * 36} 18", color, 9, expression.nose_wrinkle) for s in (-1, 1))
    return tag("g", *frown, *nose)


def _whiskers(expression: Expression) -> str:
    """Return three whiskers on each side. They hang in grief and rise in joy."""
    droop = 26 * expression.tears - 22 * ease(expression.mouth_raise) - 14 * max(0.0, expression.stretch)
    return "".join(
        line(f"M{_CX + s * 104} {y}q{s * 44} {bend + droop * 0.4:.1f} {s * 96} {end + droop:.1f}", "#fff", 7)
        + line(f"M{_CX + s * 104} {y}q{s * 44} {bend + droop * 0.4:.1f} {s * 96} {end + droop:.1f}", _INK, 4)
        for s in (-1, 1)
        for y, bend, end in ((352, -12, -18), (372, -2, 2), (392, 8, 22))
    )


def _eye(expression: Expression, place: EyePlace) -> str:
    """Return a green eye with a tall pupil; the arc of a laughing eye is dark."""
    opening = eye_opening(expression, place)
    outline = opening.outline
    laugh = ease(expression.lower_lid, 0.45, 0.9)
    rx, ry = 25.0 * expression.pupil_size**1.5, 43.0 * expression.pupil_size**0.6
    x, y = place.cx + expression.gaze_x * 20, place.cy + expression.gaze_y * 14
    glint = (1 - laugh) * min(1.0, expression.pupil_size + 0.2)
    return tag(
        "g",
        path(outline, fill="url(#iris)"),
        path(outline, fill=_INK, fill_opacity=laugh),
        path(opening.disc(x, y, rx, ry), fill=_INK),
        path(opening.disc(x - 10, y - ry * 0.45, 9 * glint, 11 * glint), fill="#fff"),
        path(opening.slice(1 - 0.24 * expression.tears, 1), fill="#9bdcff"),
        path(outline, fill="none", stroke=_INK, stroke_width=6 + 9 * laugh, stroke_linejoin="round"),
        path(opening.lash(14), fill=_INK),
    )
