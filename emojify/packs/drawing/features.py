"""The geometry of eyes and brows, shared by all faces. Each face colors the shapes itself."""

from dataclasses import dataclass

import numpy as np

from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.shapes import Points, band

_ANGLES: Points = np.linspace(-np.pi / 2, np.pi / 2, 15)
SINE: Points = np.sin(_ANGLES)  # from -1 to 1, denser toward the corners, where the curves bend most
COSINE: Points = np.cos(_ANGLES)


@dataclass(frozen=True)
class Opening:
    """The area between two curves over the same xs: between the eyelids or between the lips.

    Attributes:
        xs, upper, lower: (n,) float64, in pixels of the drawing; y grows downward.
    """

    xs: Points
    upper: Points
    lower: Points

    @property
    def outline(self) -> str:
        """The whole area as a closed path."""
        return band(self.xs, self.upper, self.lower)

    def slice(self, start: float, end: float) -> str:
        """Return the part of the area from one share of its height (0 is the top) to another."""
        if start >= end:
            return ""
        gap = self.lower - self.upper
        return band(self.xs, self.upper + start * gap, self.upper + end * gap)

    def lash(self, thickness_px: float) -> str:
        """Return a line along the upper edge that tapers toward both corners."""
        half = thickness_px / 2 * COSINE
        return band(self.xs, self.upper - half, self.upper + half)

    def disc(self, cx: float, cy: float, rx: float, ry: float) -> str:
        """Return the part of an ellipse that is inside the opening."""
        if min(rx, ry) < 0.5:
            return ""
        xs = cx + rx * SINE
        upper, lower = np.interp(xs, self.xs, self.upper), np.interp(xs, self.xs, self.lower)
        top, bottom = cy - ry * COSINE, cy + ry * COSINE
        if (top >= upper).all() and (bottom <= lower).all():
            arc = f"a{rx:.2f} {ry:.2f} 0 1 0"
            return f"M{cx - rx:.2f} {cy:.2f}{arc} {2 * rx:.2f} 0{arc} {-2 * rx:.2f} 0Z"
        return band(xs, np.clip(top, upper, lower), np.clip(bottom, upper, lower))


@dataclass(frozen=True)
class EyePlace:
    """Position and size of an eye at rest. ``side`` is -1 for the left of the picture, 1 for the right."""

    side: int
    cx: float
    cy: float
    half_width_px: float
    half_height_px: float


def eye_opening(expression: Expression, place: EyePlace) -> Opening:
    """Return the visible part of the eye: an oval, cut by both lids."""
    openness = expression.eye_left_open if place.side < 0 else expression.eye_right_open
    width, height = place.half_width_px * (0.8 + 0.2 * openness), place.half_height_px * openness
    slope = expression.lid_tilt * SINE * place.side * 0.55
    # At 0 the lid is above the oval, so that its slope is invisible.
    clearance = max(0.0, 1 - expression.upper_lid / 0.15)
    lid = height * (slope - 1.05 + 1.7 * expression.upper_lid - 2 * clearance)
    # The cheek pushes the lower lid up into the oval; a laughing eye is only the upper arc.
    lower = height * COSINE * (1 - 1.85 * expression.lower_lid)
    upper = np.minimum(np.maximum(-height * COSINE, lid), lower)
    return Opening(place.cx + SINE * width, place.cy + upper, place.cy + lower)


@dataclass(frozen=True)
class BrowPlace:
    """Position and size of a brow at rest. A full raise lifts it by ``travel_px``."""

    side: int
    cx: float
    cy: float
    half_width_px: float
    travel_px: float


def brow_outline(expression: Expression, place: BrowPlace) -> str:
    """Return a brow as a tapered stroke, thickest near the nose."""
    left = place.side < 0
    raised = expression.brow_left_raise if left else expression.brow_right_raise
    tilt = expression.brow_left_tilt if left else expression.brow_right_tilt
    outward, half = SINE * place.side, place.half_width_px
    bend = tilt * outward * 0.42 + expression.brow_arch * (SINE**2 - 0.4) * 0.5
    middle = place.cy - raised * place.travel_px + half * bend
    thickness = half * 0.19 * np.sqrt(COSINE) * (1 - 0.25 * outward)
    return band(place.cx + SINE * half, middle - thickness, middle + thickness)
