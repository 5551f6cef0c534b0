"""Helpers for writing SVG: tags, paths through numpy points, colors.

Shapes that cover each other in part (iris and lids, teeth and lips) are intersected here by arithmetic. ``clipPath``
would cost the renderer an extra layer for each.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def tag(name: str, *children: str, **attributes: str | float) -> str:
    """Return an SVG element. ``stroke_width=3`` becomes ``stroke-width="3"``."""
    formatted = "".join([f' {_attribute_name(key)}="{_formatted(value)}"' for key, value in attributes.items()])
    return f"<{name}{formatted}>{''.join(children)}</{name}>" if children else f"<{name}{formatted}/>"


@cache
def _attribute_name(key: str) -> str:
    return key.replace("_", "-")


def _formatted(value: str | float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def path(d: str, **attributes: str | float) -> str:
    """Return a path, or an empty string if ``d`` is empty."""
    return tag("path", d=d, **attributes) if d else ""


def line(d: str, color: str, width_px: float, opacity: float = 1.0) -> str:
    """Return a stroke with round ends and no fill."""
    return path(
        d, fill="none", stroke=color, stroke_width=width_px, stroke_linecap="round", stroke_linejoin="round",
        stroke_opacity=opacity,
    )  # fmt: skip


def ellipse(cx: float, cy: float, rx: float, ry: float, **attributes: str | float) -> str:
    """Return an ellipse."""
    return tag("ellipse", cx=cx, cy=cy, rx=rx, ry=ry, **attributes)


TOP_TO_BOTTOM = {"x1": 0.0, "y1": 0.0, "x2": 0.0, "y2": 1.0}
CENTER_TO_RIM = {"cx": 0.5, "cy": 0.5, "r": 0.5}


def gradient(name: str, stops: dict[float, str], place: dict[str, float], fade: bool = False) -> str:
    """Return a gradient.

    Args:
        name: its id in the document.
        stops: colors by offset, 0 to 1.
        place: :data:`TOP_TO_BOTTOM`, :data:`CENTER_TO_RIM` or other attributes like these. With ``r`` the gradient is
            radial, otherwise linear.
        fade: make the last stop transparent.
    """
    last = max(stops)
    formatted = [
        tag("stop", offset=offset, stop_color=color, stop_opacity=0.0 if fade and offset == last else 1.0)
        for offset, color in stops.items()
    ]
    return tag("radialGradient" if "r" in place else "linearGradient", *formatted, id=name, **place)


def curve(xs: Points, ys: Points) -> str:
    """Return an open smooth path: parabolas from midpoint to midpoint of the points.

    A point that occurs twice in a row becomes a corner.
    """
    # "T" mirrors the control point of the parabola before it, which is what these parabolas need.
    # Two decimals, because rounding errors add up from one mirrored point to the next.
    formatted = np.empty((len(xs) + 2, 2))
    points = np.array([xs, ys]).T
    middles = (points[:-1] + points[1:]) * 0.5
    formatted[0], formatted[1], formatted[2] = points[0], middles[0], points[1]
    formatted[3:-1], formatted[-1] = middles[1:], points[-1]
    return _curve_format(len(middles)) % tuple(formatted.ravel().tolist())


@cache
def _curve_format(parts: int) -> str:
    return "M%.2f %.2fL%.2f %.2fQ%.2f %.2f %.2f %.2f" + "T%.2f %.2f" * (parts - 2) + "L%.2f %.2f"


def band(xs: Points, top: Points, bottom: Points) -> str:
    """Return the closed region between two curves over the same xs. It is empty where ``bottom`` is above ``top``."""
    bottom = np.maximum(top, bottom)
    return curve(np.concatenate([xs, xs[::-1]]), np.concatenate([top, bottom[::-1]])) + "Z"


def drop(x: float, y: float, size_px: float) -> str:
    """Return a drop of water with its tip at (x, y), ``size_px`` high."""
    r = size_px * 0.36
    return (
        f"M{x:.1f} {y:.1f}c{r * 0.25:.1f} {r * 0.75:.1f} {r:.1f} {r * 1.1:.1f} {r:.1f} {r * 1.8:.1f}"
        f"a{r:.1f} {r:.1f} 0 0 1 {-2 * r:.1f} 0c0 {-r * 0.7:.1f} {r * 0.75:.1f} {-r * 1.05:.1f} {r:.1f} {-r * 1.8:.1f}Z"
    )


def mix(first: str, second: str, share: float) -> str:
    """Return the color at ``share`` (0 to 1) of the way from ``first`` to ``second``, all ``#rrggbb``."""
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * min(max(share, 0.0), 1.0)):02x}" for a, b in pairs)


def ease(amount: float, start: float = 0.0, end: float = 1.0) -> float:
    """Return 0 up to ``start``, 1 from ``end`` on, and a smooth step in between."""
    t = min(max((amount - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)
