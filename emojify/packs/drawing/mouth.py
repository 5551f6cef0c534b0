"""Mouths, shared by all faces: lips, teeth, tongue."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.features import COSINE, SINE, Opening
from emojify.packs.drawing.shapes import TOP_TO_BOTTOM, curve, ease, gradient, line, path, tag


@dataclass(frozen=True)
class MouthPlace:
    """Position and size of a mouth. A full ``jaw_drop`` moves the lower lip by ``height_px``."""

    cx: float
    cy: float
    half_width_px: float
    height_px: float
    lip_px: float


def mouth_opening(expression: Expression, place: MouthPlace) -> Opening:
    """Return the opening between the center lines of both lips."""
    half, height = place.half_width_px, place.height_px
    middle = (
        place.cy
        - expression.mouth_raise * height * 0.25
        - expression.mouth_curve * half * 0.62 * (SINE**2 - 0.45)
        - expression.mouth_skew * half * 0.3 * SINE
        - expression.mouth_wave * half * 0.1 * np.cos(SINE * 3 * np.pi)
    )
    profile = COSINE ** (1 - 0.62 * expression.mouth_square)
    return Opening(
        place.cx + SINE * half * expression.mouth_width,
        middle - expression.lip_lift * height * profile,
        middle + expression.jaw_drop * height * profile,
    )


@cache
def mouth_gradients() -> str:
    """Return the gradients ``mouth`` and ``tongue``."""
    return gradient("mouth", {0: "#4d0c19", 1: "#951f2e"}, TOP_TO_BOTTOM) + gradient(
        "tongue", {0: "#ff8d92", 1: "#e85364"}, TOP_TO_BOTTOM
    )


def mouth(expression: Expression, place: MouthPlace, ink: str) -> str:
    """Return the mouth, with lips in the color ``ink``. The document must contain :func:`mouth_gradients`."""
    lips = mouth_opening(expression, place)
    outline = lips.outline
    half, height = place.half_width_px, place.height_px
    tongue_y = float(lips.lower.max()) + height * 0.1
    parts = [
        path(outline, fill="url(#mouth)"),
        path(lips.disc(place.cx, tongue_y, half * 0.62, height * 0.66 * expression.tongue), fill="url(#tongue)"),
        path(lips.slice(0, expression.teeth_upper / 2), fill="#fff"),
        path(lips.slice(1 - expression.teeth_lower / 2, 1), fill="#f3ece6"),
        _clenched_teeth(lips, expression.teeth_upper * expression.teeth_lower, place.lip_px * 0.4),
        path(outline, fill="none", stroke=ink, stroke_width=place.lip_px, stroke_linejoin="round"),
        _tongue_out(expression.tongue_out, lips, place, ink),
    ]
    return tag("g", *parts)


def _clenched_teeth(lips: Opening, amount: float, width_px: float) -> str:
    """Return the lines between clenched teeth."""
    if amount < 0.01:
        return ""
    xs = np.linspace(lips.xs[0], lips.xs[-1], 7)[1:-1]
    tops, bottoms = np.interp(xs, lips.xs, lips.upper), np.interp(xs, lips.xs, lips.lower)
    ends = zip(xs.tolist(), tops.tolist(), bottoms.tolist(), strict=True)
    gaps = "".join([f"M{x:.1f} {top:.1f}V{bottom:.1f}" for x, top, bottom in ends])
    return line(curve(lips.xs, (lips.upper + lips.lower) / 2) + gaps, "#b59c98", width_px, amount)


def _tongue_out(amount: float, lips: Opening, place: MouthPlace, ink: str) -> str:
    """Return a tongue that hangs out of the mouth, slightly off center."""
    shown = ease(amount, 0.0, 0.3)
    if shown == 0:
        return ""
    x = place.cx + place.half_width_px * 0.12
    y = float(np.interp(x, lips.xs, lips.upper * 0.45 + lips.lower * 0.55))
    half, length = place.half_width_px * (0.24 + 0.14 * amount), place.height_px * 1.2 * amount
    shape = (
        f"M{x - half:.1f} {y:.1f}v{length * 0.5:.1f}c0 {length * 0.66:.1f} {2 * half:.1f} {length * 0.66:.1f} "
        f"{2 * half:.1f} 0v{-length * 0.5:.1f}c{-half * 0.6:.1f} {-half * 0.4:.1f} {-half * 1.4:.1f} {-half * 0.4:.1f} "
        f"{-2 * half:.1f} 0Z"
    )
    return tag(
        "g",
        path(shape, fill="url(#tongue)", stroke=ink, stroke_width=place.lip_px * 0.8 * shown, stroke_linejoin="round"),
        line(f"M{x:.1f} {y + 2:.1f}v{length * 0.55:.1f}", "#b93248", place.lip_px * 0.55, shown),
    )
