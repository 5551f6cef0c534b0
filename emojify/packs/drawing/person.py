"""A person as an emoji: head and shoulders of a friendly human."""

from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.extras import extras_gradients, hands, sticker_edge, water
from emojify.packs.drawing.features import BrowPlace, EyePlace, brow_outline, eye_opening
from emojify.packs.drawing.hair import CUTS, Cut
from emojify.packs.drawing.mouth import MouthPlace, mouth, mouth_gradients, mouth_opening
from emojify.packs.drawing.people import (
    BACKGROUNDS,
    CLOTHES,
    HAIR_COLOURS,
    SKINS,
    Background,
    Beard,
    Glasses,
    Person,
    Shades,
)
from emojify.packs.drawing.shapes import DOWN, ease, ellipse, gradient, line, mix, path, tag

SIZE = 512
_CX = 256.0
_INK = "#2c1a14"
_FRAME = "#23262e"
# The head is drawn in a square of its own, where it fills x 134 to 378 and y 84 to 388, and then placed.
_HEAD_PLACE = f"translate({_CX} 224) scale(1.12) translate({-_CX} -212)"
_EYES = tuple(EyePlace(side, _CX + side * 57, 246.0, 36.0, 34.0) for side in (-1, 1))
_BROWS = tuple(BrowPlace(side, _CX + side * 60, 192.0, 40.0, 21.0) for side in (-1, 1))
_MOUTH = MouthPlace(_CX, 337.0, 62.0, 47.0, 8.0)
_SHOULDERS = (
    "M208 390L208 424C208 434 200 440 188 443C138 454 104 466 94 486C90 494 96 499 106 499L406 499"
    "C416 499 422 494 418 486C408 466 374 454 324 443C312 440 304 434 304 424L304 390Z"
)
_SHIRT = (
    "M184 444C138 454 104 466 94 486C90 494 96 499 106 499L406 499C416 499 422 494 418 486"
    "C408 466 374 454 328 444C318 466 292 478 256 478C220 478 194 466 184 444Z"
)
_SLEEVE = "M2 40L8 70"


def person_svg(person: Person, expression: Expression) -> str:
    """The person with that expression as an SVG document, 512 by 512."""
    skin, hair = _tinted(SKINS[person.skin], expression), HAIR_COLOURS[person.hair_colour]
    clothes = CLOTHES[person.clothes]
    cut, jaw = CUTS[person.hair], _jaw(expression)
    place = f"rotate({expression.head_tilt_degrees:.2f} {_CX} 420) {_HEAD_PLACE}"
    ears = tag("g", *(ellipse(_CX + side * 122, 258, 25, 32) for side in (-1, 1)))
    silhouette = tag("g", *(path(d) for d in (jaw, cut.back, cut.front) if d), ears, transform=place)
    behind = path(cut.back, fill="url(#hair-back)", stroke=hair.line, stroke_width=4, transform=place)
    head = tag(
        "g",
        *_ears(skin),
        path(jaw, fill="url(#skin)", stroke=skin.line, stroke_width=4),
        *_complexion(expression, jaw),
        *_beard(person, expression, hair, skin),
        _creases(expression, skin),
        _nose(expression, skin),
        *(_eye(expression, eye, skin) for eye in _EYES),
        mouth(expression, _MOUTH, mix(skin.line, "#5c1a1a", 0.6)),
        *_hair(cut, hair),
        *(_brow(expression, brow, hair) for brow in _BROWS),
        *_glasses(person),
        water(_EYES[0].cx - 14, 268, 68 * expression.tears),
        water(138, 176, 58 * expression.sweat),
        water(376, 192, 46 * expression.sweat),
        transform=place,
    )
    return tag(
        "svg",
        _definitions(skin, hair, clothes),
        *_backdrop(person),
        sticker_edge(path(_SHOULDERS), silhouette),
        *([behind] if cut.back else []),
        *_body(skin, clothes),
        head,
        hands(
            expression.hands, _CX, 394, 152, skin.base, skin.line,
            line(_SLEEVE, "#fff", 76) + line(_SLEEVE, clothes.line, 63) + line(_SLEEVE, clothes.base, 53),
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {SIZE} {SIZE}",
    )  # fmt: skip


def _tinted(skin: Shades, expression: Expression) -> Shades:
    light, base, shadow, drawn = (
        mix(mix(tone, "#e62f1c", 0.45 * expression.red), "#8ccb3f", 0.6 * expression.green)
        for tone in (skin.light, skin.base, skin.shadow, skin.line)
    )
    return Shades(light, base, shadow, drawn)


def _chin_y(expression: Expression) -> float:
    """An open mouth takes the chin down with it."""
    return 384 + 14 * expression.jaw_drop + 9 * expression.stretch


def _jaw(expression: Expression) -> str:
    """The outline of the head."""
    chin, wide = _chin_y(expression), 122 - 4 * expression.stretch
    left, right = _CX - wide, _CX + wide
    return (
        f"M{left:.1f} 212C{left:.1f} 128 188 82 256 82C324 82 {right:.1f} 128 {right:.1f} 212"
        f"C{right:.1f} 244 {right - 3:.1f} 272 {right - 9:.1f} 296"
        f"C{right - 22:.1f} {chin - 36:.1f} 312 {chin:.1f} 256 {chin:.1f}"
        f"C200 {chin:.1f} {left + 22:.1f} {chin - 36:.1f} {left + 9:.1f} 296"
        f"C{left + 3:.1f} 272 {left:.1f} 244 {left:.1f} 212Z"
    )


def _definitions(skin: Shades, hair: Shades, clothes: Shades) -> str:
    return tag(
        "defs",
        gradient("skin", {0: skin.light, 0.55: skin.base, 1: skin.shadow}, {"cx": 0.45, "cy": 0.4, "r": 0.68}),
        gradient("neck", {0: skin.shadow, 0.4: skin.shadow, 1: skin.base}, DOWN),
        gradient("hair", {0: hair.light, 0.45: hair.base, 1: hair.shadow}, DOWN),
        gradient("hair-back", {0: hair.base, 1: hair.shadow}, DOWN),
        gradient("shirt", {0: clothes.light, 1: clothes.base}, DOWN),
        gradient("iris", {0: "#4a2a17", 1: "#b0713f"}, DOWN),
        gradient("pallor", {0: "#4d86e8", 0.4: "#7fabf5", 1: "#d3e3ff"}, DOWN | {"y1": 0.1, "y2": 0.72}, fade=True),
        mouth_gradients(),
        extras_gradients(),
    )


def _backdrop(person: Person) -> list[str]:
    if person.background is Background.NONE:
        return []
    return [ellipse(_CX, 256, 254, 254, fill=BACKGROUNDS[person.background])]


def _body(skin: Shades, clothes: Shades) -> list[str]:
    return [
        path(_SHOULDERS, fill="url(#neck)", stroke=skin.line, stroke_width=4),
        path(_SHIRT, fill="url(#shirt)", stroke=clothes.line, stroke_width=5, stroke_linejoin="round"),
        line("M184 446C194 468 220 479 256 479C292 479 318 468 328 446", clothes.shadow, 11),
    ]


def _ears(skin: Shades) -> list[str]:
    parts = []
    for side in (-1, 1):
        x = _CX + side * 122
        parts.append(ellipse(x, 258, 25, 32, fill=skin.base, stroke=skin.line, stroke_width=4))
        parts.append(line(f"M{x + side * 12} 246c{side * -14} -4 {side * -18} 8 {side * -12} 24", skin.shadow, 6))
    return parts


def _complexion(expression: Expression, jaw: str) -> list[str]:
    pallor = [path(jaw, fill="url(#pallor)", fill_opacity=expression.blue * 0.85)] if expression.blue > 0 else []
    warmth = (0.18 + 0.5 * expression.blush) * (1 - expression.green)
    cheeks = [ellipse(_CX + side * 82, 306, 40, 28, fill="url(#cheek)", fill_opacity=warmth) for side in (-1, 1)]
    return pallor + cheeks


def _creases(expression: Expression, skin: Shades) -> str:
    """The folds between the brows and beside the nose."""
    frown = (line(f"M{_CX + s * 11} 204q{s * -5} 12 {s} 24", skin.line, 5, expression.frown_crease) for s in (-1, 1))
    nose = (line(f"M{_CX + s * 22} 274q{s * 18} 2 {s * 22} 18", skin.line, 5, expression.nose_wrinkle) for s in (-1, 1))
    return tag("g", *frown, *nose)


def _nose(expression: Expression, skin: Shades) -> str:
    y = 286 - 6 * expression.nose_wrinkle
    light = ellipse(_CX, y - 2, 11, 9, fill=skin.light, fill_opacity=0.7)
    return light + line(f"M242 {y:.1f}c2 17 26 17 28 0", skin.line, 6)


def _eye(expression: Expression, place: EyePlace, skin: Shades) -> str:
    opening = eye_opening(expression, place)
    # A laughing eye is an arc of ink: the white goes as the lower lid comes up.
    laugh = ease(expression.lower_lid, 0.45, 0.9)
    size = 0.4 + 0.6 * expression.pupil_size
    x, y = place.cx + expression.gaze_x * 14, place.cy + expression.gaze_y * 9
    glint = (1 - laugh) * size
    return tag(
        "g",
        path(opening.outline, fill=mix("#ffffff", _INK, laugh)),
        path(opening.disc(x, y, 28 * size, 29 * size), fill="url(#iris)"),
        path(opening.disc(x, y, 16 * expression.pupil_size, 17 * expression.pupil_size), fill="#1a0d08"),
        path(opening.disc(x - 9 * glint, y - 11 * glint, 9 * glint, 9.5 * glint), fill="#fff"),
        path(opening.disc(x + 10 * glint, y + 11 * glint, 4 * glint, 4 * glint), fill="#fff", opacity=0.8),
        path(opening.slice(1 - 0.24 * expression.tears, 1), fill="#a5deff"),
        path(
            opening.outline, fill="none", stroke=mix(skin.line, _INK, laugh), stroke_width=3 + 6 * laugh,
            stroke_linejoin="round",
        ),
        path(opening.lash(13), fill=_INK),
    )  # fmt: skip


def _brow(expression: Expression, place: BrowPlace, hair: Shades) -> str:
    return path(
        brow_outline(expression, place), fill=hair.shadow, stroke=hair.line, stroke_width=4, stroke_linejoin="round"
    )


def _beard(person: Person, expression: Expression, hair: Shades, skin: Shades) -> list[str]:
    """Drawn under the mouth, whose movements it follows."""
    lips = mouth_opening(expression, _MOUTH)
    top = float(lips.upper[len(lips.upper) // 2])
    if person.beard is Beard.MOUSTACHE:
        left, right = float(lips.xs[0]), float(lips.xs[-1])
        d = (
            f"M256 {top - 22:.1f}C236 {top - 34:.1f} 210 {top - 20:.1f} {left - 14:.1f} {lips.upper[0] + 4:.1f}"
            f"C{left + 14:.1f} {top + 2:.1f} 236 {top - 2:.1f} 256 {top - 4:.1f}"
            f"C276 {top - 2:.1f} {right - 14:.1f} {top + 2:.1f} {right + 14:.1f} {lips.upper[-1] + 4:.1f}"
            f"C302 {top - 20:.1f} 276 {top - 34:.1f} 256 {top - 22:.1f}Z"
        )
        return [path(d, fill=hair.base, stroke=hair.line, stroke_width=4, stroke_linejoin="round")]
    if person.beard is Beard.FULL:
        chin = _chin_y(expression)
        d = (
            f"M140 262C146 296 158 316 186 312C206 300 236 {top - 30:.1f} 256 {top - 24:.1f}"
            f"C276 {top - 30:.1f} 306 300 326 312C354 316 366 296 372 262C376 310 366 {chin - 24:.1f} 326 {chin:.1f}"
            f"C286 {chin + 22:.1f} 226 {chin + 22:.1f} 186 {chin:.1f}C146 {chin - 24:.1f} 136 310 140 262Z"
        )
        return [
            path(d, fill="url(#hair-back)", stroke=hair.line, stroke_width=4, stroke_linejoin="round"),
            # The mouth needs skin around it, or its line would be lost in dark hair.
            path(lips.outline, fill=skin.base, stroke=skin.base, stroke_width=18, stroke_linejoin="round"),
        ]
    return []


def _hair(cut: Cut, hair: Shades) -> list[str]:
    if not cut.front:
        return []
    return [
        path(cut.front, fill="url(#hair)", stroke=hair.line, stroke_width=4, stroke_linejoin="round"),
        line(cut.strands, hair.shadow, 5),
        path(cut.shine, fill=hair.light, fill_opacity=0.7),
    ]


def _glasses(person: Person) -> list[str]:
    if person.glasses is Glasses.NONE:
        return []
    lenses = []
    for side in (-1, 1):
        frame: dict[str, str | float] = {"fill": "#ffffff", "fill_opacity": 0.08, "stroke": _FRAME, "stroke_width": 7}
        x = _CX + side * 58
        if person.glasses is Glasses.ROUND:
            lenses.append(ellipse(x, 248, 48, 48, **frame))
        else:
            lenses.append(tag("rect", x=x - 49, y=208, width=98, height=78, rx=20, **frame))
        lenses.append(line(f"M{x + 26} 222l-8 10M{x + 36} 232l-16 20", "#ffffff", 5, 0.55))
    return [*lenses, line("M246 244q10 -9 20 0M150 242L132 236M362 242L380 236", _FRAME, 7)]
