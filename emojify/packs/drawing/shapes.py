"""Small tools for writing SVG: tags, paths through numpy points, colors.

Parts that cut into each other (iris and lids, teeth and lips) are cut by arithmetic here and not by
``clipPath``, which would cost the renderer a layer each.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def tag(name: str, *children: str, **attributes: str | float) -> str:
    """One SVG element. ``stroke_width=3`` becomes ``stroke-width="3"``."""
    written = "".join([f' {_hyphens(key)}="{_written(value)}"' for key, value in attributes.items()])
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"


@cache
def _hyphens(key: str) -> str:
    return key.replace("_", "-")


def _written(value: str | float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def path(d: str, **attributes: str | float) -> str:
    """A path, or nothing if it is empty."""
    return tag("path", d=d, **attributes) if d else ""


def line(d: str, color: str, width_px: float, opacity: float = 1.0) -> str:
    """A stroke with round ends and no fill."""
    return path(
        d, fill="none", stroke=color, stroke_width=width_px, stroke_linecap="round", stroke_linejoin="round",
        stroke_opacity=opacity,
    )  # fmt: skip


def ellipse(cx: float, cy: float, rx: float, ry: float, **attributes: str | float) -> str:
    """An ellipse."""
    return tag("ellipse", cx=cx, cy=cy, rx=rx, ry=ry, **attributes)


DOWN = {"x1": 0.0, "y1": 0.0, "x2": 0.0, "y2": 1.0}
OUT = {"cx": 0.5, "cy": 0.5, "r": 0.5}


def gradient(name: str, stops: dict[float, str], place: dict[str, float], fade: bool = False) -> str:
    """A gradient called ``name``; ``fade`` makes the last stop transparent.

    ``place`` is `DOWN`, `OUT` or other attributes like theirs: with ``r`` it is radial, otherwise linear.
    """
    last = max(stops)
    written = [
        tag("stop", offset=offset, stop_color=color, stop_opacity=0.0 if fade and offset == last else 1.0)
        for offset, color in stops.items()
    ]
    return tag("radialGradient" if "r" in place else "linearGradient", *written, id=name, **place)


def curve(xs: Points, ys: Points) -> str:
    """An open path along the points: parabolas from midpoint to midpoint, so that it has no corners of its own.

    A point given twice stays a corner.
    """
    # After the first parabola each has its control point where the one before, mirrored, has it: "T" says so.
    # Hundredths, for what is rounded off adds up along the mirrors.
    written = np.empty((len(xs) + 2, 2))
    points = np.array([xs, ys]).T
    middles = (points[:-1] + points[1:]) * 0.5
    written[0], written[1], written[2] = points[0], middles[0], points[1]
    written[3:-1], written[-1] = middles[1:], points[-1]
    return _curve_format(len(middles)) % tuple(written.ravel().tolist())


@cache
def _curve_format(parts: int) -> str:
    return "M%.2f %.2fL%.2f %.2fQ%.2f %.2f %.2f %.2f" + "T%.2f %.2f" * (parts - 2) + "L%.2f %.2f"


def band(xs: Points, top: Points, bottom: Points) -> str:
    """The closed region between two curves over the same xs; where they cross it is empty."""
    bottom = np.maximum(top, bottom)
    return curve(np.concatenate([xs, xs[::-1]]), np.concatenate([top, bottom[::-1]])) + "Z"


def drop(x: float, y: float, size_px: float) -> str:
    """A drop of water hanging from (x, y), ``size_px`` high."""
    r = size_px * 0.36
    return (
        f"M{x:.1f} {y:.1f}c{r * 0.25:.1f} {r * 0.75:.1f} {r:.1f} {r * 1.1:.1f} {r:.1f} {r * 1.8:.1f}"
        f"a{r:.1f} {r:.1f} 0 0 1 {-2 * r:.1f} 0c0 {-r * 0.7:.1f} {r * 0.75:.1f} {-r * 1.05:.1f} {r:.1f} {-r * 1.8:.1f}Z"
    )


def mix(first: str, second: str, share: float) -> str:
    """The color ``share`` of the way from ``#rrggbb`` to ``#rrggbb``."""
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * min(max(share, 0.0), 1.0)):02x}" for a, b in pairs)


def ease(amount: float, start: float = 0.0, end: float = 1.0) -> float:
    """0 up to ``start``, 1 from ``end`` on, and smooth in between."""
    t = min(max((amount - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)
