"""Beards. They are drawn below the mouth's layer and follow its shape."""

from emojify.packs.drawing.appearance import Beard, Shades
from emojify.packs.drawing.features import Opening
from emojify.packs.drawing.shapes import band, path

_STUBBLE_OPACITY = 0.3


def beard(kind: Beard, lips: Opening, chin_y: float, hair: Shades, skin: Shades) -> str:
    """Return the beard around a mouth, on a chin whose lowest point is at ``chin_y``.

    The document must define the gradient ``hair-back``.
    """
    if kind is Beard.NONE:
        return ""
    rim: dict[str, str | float] = {"stroke": hair.line, "stroke_width": 4, "stroke_linejoin": "round"}
    moustache = path(_moustache(lips), fill=hair.base, **rim)
    if kind is Beard.MOUSTACHE:
        return moustache
    if kind is Beard.STUBBLE:
        return path(_shadow(lips, chin_y - 3), fill=hair.base, fill_opacity=_STUBBLE_OPACITY)
    shape = _full_beard(lips, chin_y) if kind is Beard.FULL else _goatee(lips, chin_y)
    # A lower lip in the color of the skin: without it, the line of the mouth would vanish in a dark beard.
    return path(shape, fill="url(#hair-back)", **rim) + path(_lower_lip(lips), fill=skin.base) + moustache


def _moustache(lips: Opening) -> str:
    """Return two lobes with raised tips. Straight tips would look like lips."""
    top = float(lips.upper[len(lips.upper) // 2]) - 5
    sides = []
    for side, x, y in ((-1, lips.xs[0], lips.upper[0]), (1, lips.xs[-1], lips.upper[-1])):
        tip_x, tip_y = x + side * 20, y - 16
        sides.append((tip_x, tip_y, x - side * 4, y + 2, side))
    (left_x, left_y, left_low_x, left_low_y, _), (right_x, right_y, right_low_x, right_low_y, _) = sides
    return (
        f"M256 {top - 20:.1f}C244 {top - 32:.1f} 218 {top - 24:.1f} 208 {top - 8:.1f}"
        f"Q{left_low_x:.1f} {left_low_y - 8:.1f} {left_x:.1f} {left_y:.1f}"
        f"Q{left_x + 2:.1f} {left_low_y + 8:.1f} {left_low_x:.1f} {left_low_y:.1f}"
        f"C{left_low_x + 16:.1f} {left_low_y:.1f} 236 {top + 4:.1f} 256 {top - 5:.1f}"
        f"C276 {top + 4:.1f} {right_low_x - 16:.1f} {right_low_y:.1f} {right_low_x:.1f} {right_low_y:.1f}"
        f"Q{right_x - 2:.1f} {right_low_y + 8:.1f} {right_x:.1f} {right_y:.1f}"
        f"Q{right_low_x:.1f} {right_low_y - 8:.1f} 304 {top - 8:.1f}"
        f"C294 {top - 24:.1f} 268 {top - 32:.1f} 256 {top - 20:.1f}Z"
    )


def _lower_lip(lips: Opening) -> str:
    middle = (lips.xs - lips.xs.mean()) / (lips.xs[-1] - lips.xs.mean())
    return band(lips.xs, lips.upper, lips.lower + 15 * (1 - middle**2))


def _shadow(lips: Opening, chin_y: float) -> str:
    """Return the area of stubble, along the line of the jaw."""
    top = float(lips.upper[len(lips.upper) // 2])
    return (
        f"M145 286C152 314 166 318 188 314C210 306 236 {top - 26:.1f} 256 {top - 20:.1f}"
        f"C276 {top - 26:.1f} 302 306 324 314C346 318 360 314 367 286"
        f"C354 {chin_y - 38:.1f} 310 {chin_y:.1f} 256 {chin_y:.1f}C202 {chin_y:.1f} 158 {chin_y - 38:.1f} 145 286Z"
    )


def _full_beard(lips: Opening, chin_y: float) -> str:
    top = float(lips.upper[len(lips.upper) // 2])
    return (
        f"M137 250C142 288 156 312 184 310C206 302 236 {top - 28:.1f} 256 {top - 22:.1f}"
        f"C276 {top - 28:.1f} 306 302 328 310C356 312 370 288 375 250C380 306 366 {chin_y - 24:.1f} 326 {chin_y:.1f}"
        f"C286 {chin_y + 22:.1f} 226 {chin_y + 22:.1f} 186 {chin_y:.1f}C146 {chin_y - 24:.1f} 132 306 137 250Z"
    )


def _goatee(lips: Opening, chin_y: float) -> str:
    left, right = float(lips.xs[0]) - 10, float(lips.xs[-1]) + 10
    y = float(lips.upper[0])
    return (
        f"M{left:.1f} {y:.1f}C{left - 8:.1f} {chin_y - 30:.1f} {left + 6:.1f} {chin_y + 6:.1f} 256 {chin_y + 10:.1f}"
        f"C{right - 6:.1f} {chin_y + 6:.1f} {right + 8:.1f} {chin_y - 30:.1f} {right:.1f} {y:.1f}Z"
    )
