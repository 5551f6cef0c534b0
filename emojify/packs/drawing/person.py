"""The person emoji: head and shoulders of a person, drawn in four layers."""

from functools import cache

from emojify.packs.drawing.appearance import (
    BACKGROUNDS,
    CLOTHES,
    HAIR_COLORS,
    SKINS,
    Background,
    Clothes,
    HairColor,
    Person,
    Shades,
)
from emojify.packs.drawing.beard import beard
from emojify.packs.drawing.clothing import SHOULDERS, earrings, glasses, shirt, sleeve
from emojify.packs.drawing.effects import HandPlace, effect_gradients, hands, sticker_edge, water
from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.face import (
    AVERAGE_HEAD,
    BROWS,
    EARS,
    EYES,
    MOUTH,
    brow,
    chin_y,
    complexion,
    creases,
    ears,
    eye,
    jaw,
    nose,
    tint_skin,
)
from emojify.packs.drawing.hair import hair_behind, hair_on_head, hair_under_hat
from emojify.packs.drawing.hats import HAT_OUTLINES, hat
from emojify.packs.drawing.mouth import mouth, mouth_gradients, mouth_opening
from emojify.packs.drawing.shapes import TOP_TO_BOTTOM, ellipse, gradient, mix, path, tag

SIZE = 512
_CX = 256.0
# The head is drawn in its own square, where it fills x 134 to 378 and y 84 to 388, and then moved and scaled.
_HEAD_POSITION = f"translate({_CX} 224) scale(1.12) translate({-_CX} -212)"
_HANDS = HandPlace(_CX, 499.0, 150.0)
_PALLOR = {0: "#4d86e8", 0.4: "#7fabf5", 1: "#d3e3ff"}  # from the forehead down


def person_svg(person: Person, expression: Expression) -> str:
    """Return a person with an expression as an SVG document, 512 by 512."""
    tilt = expression.head_tilt_degrees
    return document(
        behind_face(person, tilt),
        face(person, expression),
        on_head(person, tilt),
        in_front_of_face(person, expression),
    )


def document(*layers: str) -> str:
    """Return an SVG document of some layers of a person, given from back to front."""
    return tag("svg", *layers, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {SIZE} {SIZE}")


def behind_face(person: Person, head_tilt_degrees: float) -> str:
    """Return the layer behind the face: background, white edge, long hair. It changes only with the head's tilt."""
    hair_shape, transform = hair_under_hat(person.hair, person.hat), _head_transform(head_tilt_degrees)
    head = [path(AVERAGE_HEAD), path(hair_shape.back), path(hair_shape.outer), *map(path, HAT_OUTLINES[person.hat])]
    head += [ellipse(x, y, 25, 32) for _, x, y in EARS]
    disc = (
        "" if person.background is Background.NONE else ellipse(_CX, 256, 254, 254, fill=BACKGROUNDS[person.background])
    )
    return tag(
        "g",
        _definitions(person),
        disc,
        sticker_edge(path(SHOULDERS), tag("g", *head, transform=transform)),
        tag("g", hair_behind(hair_shape, person.hair_color), transform=transform),
    )


def face(person: Person, expression: Expression) -> str:
    """Return the layer of the face and the body."""
    skin, hair = tint_skin(SKINS[person.skin], expression), HAIR_COLORS[person.hair_color]
    outline = jaw(expression)
    head = tag(
        "g",
        ears(skin),
        earrings(person.earrings),
        path(outline, fill="url(#skin)", stroke=skin.line, stroke_width=4),
        complexion(expression, outline),
        beard(person.beard, mouth_opening(expression, MOUTH), chin_y(expression), hair, skin),
        creases(expression, skin),
        nose(expression, skin),
        *(eye(expression, place, skin) for place in EYES),
        mouth(expression, MOUTH, mix(skin.line, "#5c1a1a", 0.6)),
        transform=_head_transform(expression.head_tilt_degrees),
    )
    return tag(
        "g",
        _skin_gradients(skin),
        _face_definitions(person.hair_color, person.clothes),
        path(SHOULDERS, fill="url(#neck)", stroke=skin.line, stroke_width=4),
        shirt(person.clothes),
        head,
    )


def on_head(person: Person, head_tilt_degrees: float) -> str:
    """Return the layer of hair and hat. It changes only with the head's tilt."""
    hair = hair_on_head(hair_under_hat(person.hair, person.hat), person.hair_color)
    return tag(
        "g", _definitions(person), hair, hat(person.hat, person.hat_color), transform=_head_transform(head_tilt_degrees)
    )


def in_front_of_face(person: Person, expression: Expression) -> str:
    """Return the top layer: brows, glasses, tears, sweat, hands."""
    skin, hair = tint_skin(SKINS[person.skin], expression), HAIR_COLORS[person.hair_color]
    return tag(
        "g",
        effect_gradients(),
        tag(
            "g",
            *(brow(expression, place, hair) for place in BROWS),
            glasses(person.glasses),
            water(EYES[0].cx - 14, 268, 68 * expression.tears),
            water(138, 176, 58 * expression.sweat),
            water(376, 192, 46 * expression.sweat),
            transform=_head_transform(expression.head_tilt_degrees),
        ),
        hands(expression.hands, _HANDS, skin.base, skin.line, sleeve(person.clothes)),
    )


def _head_transform(head_tilt_degrees: float) -> str:
    return f"rotate({head_tilt_degrees:.2f} {_CX} 420) {_HEAD_POSITION}"


def _definitions(person: Person) -> str:
    hair, hat_shades = HAIR_COLORS[person.hair_color], CLOTHES[person.hat_color]
    return (
        gradient("hair", {0: hair.light, 0.45: hair.base, 1: hair.shadow}, TOP_TO_BOTTOM)
        + gradient("hair-back", {0: hair.base, 1: hair.shadow}, TOP_TO_BOTTOM)
        + gradient("hat", {0: hat_shades.light, 0.5: hat_shades.base, 1: hat_shades.base}, TOP_TO_BOTTOM)
    )


@cache
def _face_definitions(hair_color: HairColor, clothes_color: Clothes) -> str:
    hair, clothes = HAIR_COLORS[hair_color], CLOTHES[clothes_color]
    return "".join([
        gradient("hair-back", {0: hair.base, 1: hair.shadow}, TOP_TO_BOTTOM),
        gradient("shirt", {0: clothes.light, 1: clothes.base}, TOP_TO_BOTTOM),
        gradient("iris", {0: "#4a2a17", 1: "#b0713f"}, TOP_TO_BOTTOM),
        gradient("pallor", _PALLOR, TOP_TO_BOTTOM | {"y1": 0.1, "y2": 0.72}, fade=True),
        mouth_gradients(),
        effect_gradients(),
    ])  # fmt: skip


def _skin_gradients(skin: Shades) -> str:
    return gradient(
        "skin", {0: skin.light, 0.55: skin.base, 1: skin.shadow}, {"cx": 0.45, "cy": 0.4, "r": 0.68}
    ) + gradient("neck", {0: skin.shadow, 0.4: skin.shadow, 1: skin.base}, TOP_TO_BOTTOM)
