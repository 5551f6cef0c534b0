"""A robot whose face is a screen. The light of the screen takes the color of the emotion."""

from emojify.packs.drawing.effects import HandPlace, effect_gradients, hands, sticker_edge, water
from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.features import BrowPlace, EyePlace, brow_outline, eye_opening
from emojify.packs.drawing.mouth import MouthPlace, mouth
from emojify.packs.drawing.shapes import CENTER_TO_RIM, TOP_TO_BOTTOM, ease, ellipse, gradient, line, mix, path, tag

_CX = 256.0
_LINE = "#3b4560"
_SCREEN = "#101a33"
_EYES = tuple(EyePlace(side, _CX + side * 80, 252.0, 44.0, 48.0) for side in (-1, 1))
_BROWS = tuple(BrowPlace(side, _CX + side * 80, 180.0, 52.0, 18.0) for side in (-1, 1))
_MOUTH = MouthPlace(_CX, 364.0, 92.0, 60.0, 13.0)
_HANDS = HandPlace(_CX, 500.0, 178.0)

# The light of the screen: at rest, angry, disgusted, afraid, blushing.
_CYAN, _RED, _GREEN, _BLUE, _ROSE = "#5cf0ff", "#ff5340", "#a9ee3c", "#9cc3ff", "#ff6fae"


def robot_svg(expression: Expression) -> str:
    """Return the robot as an SVG document, 512 by 512 with a transparent background."""
    light = mix(mix(mix(_CYAN, _RED, expression.red), _GREEN, expression.green), _BLUE, expression.blue)
    head = [
        sticker_edge(_box(56, 92, 400, 386, 92), _box(22, 216, 60, 128, 24), _box(430, 216, 60, 128, 24),
                     _antenna(expression)),
        _antenna_colored(expression, light),
        *(_box(x, 216, 60, 128, 24, fill="#7f8bab", stroke=_LINE, stroke_width=5) for x in (22, 430)),
        _box(56, 92, 400, 386, 92, fill="url(#metal)", stroke=_LINE, stroke_width=6),
        line("M112 142C132 122 152 114 178 112", "#fff", 11, 0.8),
        *(ellipse(x, y, 8, 8, fill="#7f8bab", stroke=_LINE, stroke_width=3) for x, y in ((110, 446), (402, 446))),
        _box(88, 128, 336, 304, 66, fill=_SCREEN, stroke=_LINE, stroke_width=6),
        _box(88, 128, 336, 304, 66, fill="url(#glow)", fill_opacity=0.42),
        *(ellipse(_CX + s * 124, 326, 36, 26, fill="url(#rose)", fill_opacity=expression.blush) for s in (-1, 1)),
        _creases(expression, light),
        *(_eye(expression, place, light) for place in _EYES),
        *(path(brow_outline(expression, place), fill=light, stroke=light, stroke_width=9, stroke_linejoin="round")
          for place in _BROWS),
        mouth(expression, _MOUTH, light),
        water(_EYES[0].cx - 18, 286, 92 * expression.tears),
        water(66, 132, 80 * expression.sweat),
        water(446, 150, 58 * expression.sweat),
        *_steam(expression.red),
        hands(expression.hands, _HANDS, "#c6cfe3", _LINE),
    ]  # fmt: skip
    return tag(
        "svg",
        _definitions(light),
        tag("g", *head, transform=f"rotate({expression.head_tilt_degrees:.2f} {_CX} 300)"),
        xmlns="http://www.w3.org/2000/svg",
        viewBox="0 0 512 512",
    )


def _definitions(light: str) -> str:
    """Return the gradients; the mouth of a robot glows inside."""
    return tag(
        "defs",
        gradient("metal", {0: "#f1f5ff", 0.5: "#c6cfe3", 1: "#98a4c2"}, TOP_TO_BOTTOM),
        gradient("glow", {0: light, 1: light}, CENTER_TO_RIM, fade=True),
        gradient("rose", {0: _ROSE, 1: _ROSE}, CENTER_TO_RIM, fade=True),
        gradient("mouth", {0: mix(_SCREEN, light, 0.12), 1: mix(_SCREEN, light, 0.4)}, TOP_TO_BOTTOM),
        gradient("tongue", {0: _ROSE, 1: mix(_ROSE, _SCREEN, 0.25)}, TOP_TO_BOTTOM),
        effect_gradients(),
    )


def _box(x: float, y: float, width: float, height: float, radius: float, **attributes: str | float) -> str:
    return tag("rect", x=x, y=y, width=width, height=height, rx=radius, **attributes)


def _antenna(expression: Expression) -> str:
    """Return the antenna: upright, longer in surprise, hanging to the side in grief."""
    x, y = _antenna_tip(expression)
    return line(_antenna_stem(expression), _LINE, 14) + ellipse(x, y, 22, 22)


def _antenna_colored(expression: Expression, light: str) -> str:
    x, y = _antenna_tip(expression)
    return (
        line(_antenna_stem(expression), _LINE, 14)
        + ellipse(x, y, 21, 21, fill=light, stroke=_LINE, stroke_width=6)
        + ellipse(x - 7, y - 7, 6, 6, fill="#fff")
    )


def _antenna_tip(expression: Expression) -> tuple[float, float]:
    hanging = expression.tears
    return _CX + 70 * hanging, 46 - 8 * max(0.0, expression.stretch) + 22 * hanging


def _antenna_stem(expression: Expression) -> str:
    x, y = _antenna_tip(expression)
    return f"M{_CX} 96Q{_CX} {y - 10 + 10 * (1 - expression.tears):.1f} {x:.1f} {y:.1f}"


def _creases(expression: Expression, light: str) -> str:
    """Return the creases between the brows and those of a wrinkled nose."""
    frown = (line(f"M{_CX + s * 14} 190v30", light, 8, expression.frown_crease) for s in (-1, 1))
    nose = (
        line(f"M{_CX + s * 10} {y}h{s * 24}", light, 8, expression.nose_wrinkle) for s in (-1, 1) for y in (284, 302)
    )
    return tag("g", *frown, *nose)


def _steam(amount: float) -> list[str]:
    """Return clouds of steam that grow out of both ears."""
    size = ease(amount, 0.1, 1.0)
    if size < 0.02:
        return []
    puffs = ((38, 196, 30), (24, 164, 20), (58, 168, 24))
    return [
        ellipse(_CX + s * (_CX - x), y, r * size, r * size, fill="#fff", stroke="#a9b2c8", stroke_width=4 * size)
        for s in (-1, 1)
        for x, y, r in puffs
    ]


def _eye(expression: Expression, place: EyePlace, light: str) -> str:
    """Return a glowing eye with a dark pupil."""
    opening = eye_opening(expression, place)
    laugh = ease(expression.lower_lid, 0.45, 0.9)
    radius = 25.0 * expression.pupil_size * (1 - laugh)
    x, y = place.cx + expression.gaze_x * 18, place.cy + expression.gaze_y * 14
    return tag(
        "g",
        path(opening.outline, fill=light, stroke=light, stroke_width=4 + 10 * laugh, stroke_linejoin="round"),
        path(opening.disc(x, y, radius, radius * 1.2), fill=_SCREEN),
        path(opening.disc(x - radius * 0.35, y - radius * 0.45, radius * 0.32, radius * 0.36), fill="#fff"),
    )
