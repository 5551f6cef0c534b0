"""Tears, sweat, raised hands, and the white edge of a sticker.

The size of each grows from zero with its amount, so that none appears suddenly while expressions blend.
"""

from dataclasses import dataclass
from functools import cache

from emojify.packs.drawing.shapes import CENTER_TO_RIM, TOP_TO_BOTTOM, drop, ease, ellipse, gradient, line, path, tag

_WATER_RIM = "#1f6fc4"
_FINGERS = "M-34 -4L-44 -46M-13 -12L-18 -70M10 -12L11 -72M33 -4L38 -54"
_GAPS = "M-26.5 -27L-23.5 -4M-2 -27L-1.5 -8M22.7 -27L21.5 -4"
_THUMB = "M-34 20L-62 -4"


def sticker_edge(*silhouettes: str) -> str:
    """Return a white border around the shapes and a thin gray line around it, visible on any background."""
    return "".join(
        tag("g", *silhouettes, fill=color, stroke=color, stroke_width=width_px, stroke_linejoin="round")
        for color, width_px in (("#a4a7ae", 20), ("#fff", 17))
    )


@cache
def effect_gradients() -> str:
    """Return the gradients ``water`` and ``cheek``, which this module and the faces use."""
    return gradient("water", {0: "#d8f3ff", 0.5: "#6cc6ff", 1: "#2a8be6"}, TOP_TO_BOTTOM) + gradient(
        "cheek", {0: "#ff5652", 1: "#ff5652"}, CENTER_TO_RIM, fade=True
    )


def water(x: float, y: float, size_px: float) -> str:
    """Return a drop with its tip at (x, y). The document must contain :func:`effect_gradients`."""
    if size_px < 1:
        return ""
    body = path(drop(x, y, size_px), fill="url(#water)", stroke=_WATER_RIM, stroke_width=size_px * 0.06)
    return body + ellipse(x - size_px * 0.13, y + size_px * 0.66, size_px * 0.07, size_px * 0.12, fill="#fff")


@dataclass(frozen=True)
class HandPlace:
    """Position of two raised hands.

    Attributes:
        cx: the middle between the hands.
        y: the lower end of the forearms.
        apart_px: the distance of each hand from ``cx``.
    """

    cx: float
    y: float
    apart_px: float


def hands(amount: float, place: HandPlace, fill: str, outline: str, forearm: str = "") -> str:
    """Return two hands raised to the cheeks.

    They grow in place instead of rising from below, so that the edge of the picture never cuts them.

    Args:
        amount: 0 (hidden) to 1 (full size).
        place: where the hands are.
        fill, outline: the colors of the skin.
        forearm: SVG drawn behind each hand, with its lower end at the origin.
    """
    # Hands appear late: a trace of fear must not cover other expressions with hands.
    size = ease(amount, 0.15, 0.9)
    if size < 0.02:
        return ""
    raised = tag("g", _hand(fill, outline), transform="translate(0 -105) rotate(-14)")
    return "".join(
        tag(
            "g",
            forearm,
            raised,
            transform=(
                f"translate({place.cx + side * place.apart_px:.1f} {place.y:.1f}) scale({side * size:.3f} {size:.3f})"
            ),
        )
        for side in (-1, 1)
    )


def _hand(fill: str, outline: str) -> str:
    """Return the back of the hand on the right of the picture: palm at the origin, fingers up, thumb inward."""
    shape = _FINGERS + _THUMB
    return (
        line(shape, "#fff", 46)
        + ellipse(0, 22, 58, 53, fill="#fff")
        + line(shape, outline, 33)
        + ellipse(0, 22, 50, 45, fill=fill, stroke=outline, stroke_width=5.5)
        + line(shape, fill, 22)
        + line(_GAPS, outline, 4)
    )
