"""The classic emoji: a round yellow face."""

from emojify.packs.drawing.effects import HandPlace, effect_gradients, hands, sticker_edge, water
from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.features import BrowPlace, EyePlace, brow_outline, eye_opening
from emojify.packs.drawing.mouth import MouthPlace, mouth, mouth_gradients
from emojify.packs.drawing.shapes import CENTER_TO_RIM, TOP_TO_BOTTOM, ease, ellipse, gradient, line, mix, path, tag

SIZE = 512
_CX, _CY, _RADIUS = 256.0, 256.0, 228.0
_INK = "#4a2511"
_EYES = tuple(EyePlace(side, _CX + side * 80, 228.0, 40.0, 50.0) for side in (-1, 1))
_BROWS = tuple(BrowPlace(side, _CX + side * 84, 146.0, 54.0, 42.0) for side in (-1, 1))
_BROW_PAINT: dict[str, str | float] = {"fill": _INK, "stroke": _INK, "stroke_width": 4, "stroke_linejoin": "round"}
_HANDS = HandPlace(_CX, 500.0, 172.0)
_MOUTH = MouthPlace(_CX, 358.0, 94.0, 84.0, 12.0)

# Colors of the face (highlight, base, rim): at rest, angry, disgusted.
_YELLOW = ("#fff07a", "#ffd23f", "#f59b1d")
_RED = ("#ff9d5c", "#f4563a", "#b71f24")
_GREEN = ("#dcea6b", "#9ccb46", "#4f9136")


def classic_svg(expression: Expression) -> str:
    """Return the face as an SVG document, 512 by 512 with a transparent background."""
    rx, ry = _RADIUS * (1 - 0.03 * expression.stretch), _RADIUS * (1 + 0.03 * expression.stretch)
    highlight, base, rim = (
        mix(mix(yellow, red, expression.red), green, expression.green)
        for yellow, red, green in zip(_YELLOW, _RED, _GREEN, strict=True)
    )
    edge = mix(rim, _INK, 0.3)
    face = [
        sticker_edge(ellipse(_CX, _CY, rx, ry)),
        ellipse(_CX, _CY, rx, ry, fill="url(#skin)", stroke=edge, stroke_width=5),
        *_pallor(expression.blue, rx, ry),
        _shine(ry),
        *_cheeks(expression.blush),
        _creases(expression, edge),
        *(_eye(expression, place) for place in _EYES),
        *(path(brow_outline(expression, place), **_BROW_PAINT) for place in _BROWS),
        mouth(expression, _MOUTH, _INK),
        water(_EYES[0].cx - 20, 260, 98 * expression.tears),
        water(78, 138, 86 * expression.sweat),
        water(432, 160, 60 * expression.sweat),
        hands(expression.hands, _HANDS, mix(base, highlight, 0.3), edge),
    ]
    head = tag("g", *face, transform=f"rotate({expression.head_tilt_degrees:.2f} {_CX} {_CY})")
    return tag(
        "svg",
        _definitions(highlight, base, rim),
        head,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {SIZE} {SIZE}",
    )


def _definitions(highlight: str, base: str, rim: str) -> str:
    return tag(
        "defs",
        gradient("skin", {0: highlight, 0.5: base, 1: rim}, {"cx": 0.42, "cy": 0.36, "r": 0.68}),
        gradient("pallor", {0: "#3f74e0", 0.45: "#86b2ff", 1: "#d9e8ff"}, TOP_TO_BOTTOM | {"y2": 0.66}, fade=True),
        gradient("shine", {0: "#ffffff", 1: "#ffffff"}, CENTER_TO_RIM, fade=True),
        gradient("eye", {0: "#6b3a1e", 1: "#2b1208"}, TOP_TO_BOTTOM),
        mouth_gradients(),
        effect_gradients(),
    )


def _pallor(amount: float, rx: float, ry: float) -> list[str]:
    return [ellipse(_CX, _CY, rx - 2, ry - 2, fill="url(#pallor)", fill_opacity=amount * 0.9)] if amount > 0 else []


def _shine(ry: float) -> str:
    """Return the reflection of light from the upper left: a soft patch and a sharp streak."""
    x, y = _CX - 76, _CY - ry * 0.62
    patch = ellipse(x, y, 120, 64, fill="url(#shine)", fill_opacity=0.4, transform=f"rotate(-24 {x} {y:.1f})")
    return patch + line("M104 136C122 108 150 80 184 64", "#ffffff", 12, 0.5)


def _cheeks(amount: float) -> list[str]:
    return [ellipse(_CX + side * 142, 312, 54, 38, fill="url(#cheek)", fill_opacity=0.75 * amount) for side in (-1, 1)]


def _creases(expression: Expression, color: str) -> str:
    """Return the creases between the brows and beside the nose."""
    frown = (line(f"M{_CX + s * 15} 180q{s * -6} 16 {s * 2} 32", color, 7, expression.frown_crease) for s in (-1, 1))
    nose = (line(f"M{_CX + s * 14} 262q{s * 26} 2 {s * 30} 30", color, 8, expression.nose_wrinkle) for s in (-1, 1))
    return tag("g", *frown, *nose)


def _eye(expression: Expression, place: EyePlace) -> str:
    opening = eye_opening(expression, place)
    outline = opening.outline
    # A laughing eye is a dark arc: the white disappears as the lower lid rises.
    laugh = ease(expression.lower_lid, 0.45, 0.9)
    rx, ry = 31.0 * expression.pupil_size, 39.0 * expression.pupil_size
    x, y = place.cx + expression.gaze_x * (40 - rx * 0.5) * 0.8, place.cy + expression.gaze_y * 16
    glint = (1 - laugh) * expression.pupil_size
    return tag(
        "g",
        path(outline, fill=mix("#ffffff", _INK, laugh)),
        path(opening.disc(x, y, rx, ry), fill="url(#eye)"),
        path(opening.disc(x - rx * 0.32, y - ry * 0.4, 11.5 * glint, 13 * glint), fill="#fff"),
        path(opening.disc(x + rx * 0.36, y + ry * 0.42, 5.5 * glint, 6 * glint), fill="#fff", opacity=0.8),
        path(opening.slice(1 - 0.24 * expression.tears, 1), fill="#9bdcff"),
        path(outline, fill="none", stroke=_INK, stroke_width=5 + 10 * laugh, stroke_linejoin="round"),
        path(opening.lash(13), fill=_INK),
    )
