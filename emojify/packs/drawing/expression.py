"""Facial expressions as numbers: one set for each emotion, and blends of the seven.

Every number moves its part of the face continuously: half of a tear is a small tear, half of a grin is a smile. A face
can therefore follow the network's probabilities from frame to frame without jumps.

*Left* and *right* mean the left and right of the picture, not of the person in it.
"""

from dataclasses import dataclass, field, fields
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emojify.emotions import Emotion


def _number(default: float, low: float, high: float) -> float:
    """Declare a field whose value must be between ``low`` and ``high``."""
    value: float = field(default=default, metadata={"range": (low, high)})
    return value


@dataclass(frozen=True, kw_only=True)
class Expression:
    """The position of every movable part of a face. The defaults are a face at rest.

    Raises:
        ValueError: if a number is outside the range of its field.
    """

    # Brows. Raise: lowered .. raised. Tilt: inner end down (as in anger) .. inner end up (as in grief).
    brow_left_raise: float = _number(0.0, -1.0, 1.0)
    brow_right_raise: float = _number(0.0, -1.0, 1.0)
    brow_left_tilt: float = _number(0.0, -1.0, 1.0)
    brow_right_tilt: float = _number(0.0, -1.0, 1.0)
    brow_arch: float = _number(0.4, -1.0, 1.0)  # straight .. bent upwards in the middle
    frown_crease: float = _number(0.0, 0.0, 1.0)  # the vertical creases between the brows

    # Eyes. Open: closed .. at rest (1) .. wide. Lids: the share of the eye that each covers.
    eye_left_open: float = _number(1.0, 0.0, 1.5)
    eye_right_open: float = _number(1.0, 0.0, 1.5)
    upper_lid: float = _number(0.0, 0.0, 1.0)
    lower_lid: float = _number(0.0, 0.0, 1.0)  # 1 leaves only the arc of a laughing eye
    lid_tilt: float = _number(0.0, -1.0, 1.0)  # the upper lid's slope, signed as a brow's tilt
    pupil_size: float = _number(1.0, 0.2, 1.3)
    gaze_x: float = _number(0.0, -1.0, 1.0)  # to the left .. to the right
    gaze_y: float = _number(0.0, -1.0, 1.0)  # up .. down

    nose_wrinkle: float = _number(0.0, 0.0, 1.0)

    # Mouth. Lift and drop open it: the upper lip moves up, the lower lip moves down.
    mouth_width: float = _number(1.0, 0.2, 1.5)
    mouth_curve: float = _number(0.0, -1.0, 1.0)  # corners down .. corners up
    mouth_raise: float = _number(0.0, -1.0, 1.0)  # the whole mouth, down .. up
    lip_lift: float = _number(0.0, 0.0, 1.0)
    jaw_drop: float = _number(0.0, 0.0, 1.0)
    mouth_square: float = _number(0.0, 0.0, 1.0)  # oval .. rectangular, as with bared teeth
    mouth_wave: float = _number(0.0, -1.0, 1.0)  # amplitude of a ripple of the lips; the sign is the phase
    mouth_skew: float = _number(0.0, -1.0, 1.0)  # left corner up .. right corner up
    teeth_upper: float = _number(0.0, 0.0, 1.0)  # share of the upper half of the open mouth
    teeth_lower: float = _number(0.0, 0.0, 1.0)
    tongue: float = _number(0.0, 0.0, 1.0)  # inside the open mouth
    tongue_out: float = _number(0.0, 0.0, 1.0)  # over the lower lip

    # Effects on the skin and around the face.
    blush: float = _number(0.0, 0.0, 1.0)
    tears: float = _number(0.0, 0.0, 1.0)
    sweat: float = _number(0.0, 0.0, 1.0)
    hands: float = _number(0.0, 0.0, 1.0)  # hidden .. on the cheeks
    red: float = _number(0.0, 0.0, 1.0)
    green: float = _number(0.0, 0.0, 1.0)
    blue: float = _number(0.0, 0.0, 1.0)  # pallor, from the forehead down
    stretch: float = _number(0.0, -1.0, 1.0)  # the head, squat .. long
    head_tilt_degrees: float = _number(0.0, -15.0, 15.0)  # to the left .. to the right

    def __post_init__(self) -> None:
        for part in fields(self):
            low, high = part.metadata["range"]
            value = getattr(self, part.name)
            # Rounding can put the mean of seven numbers slightly outside their range.
            if not isfinite(value) or not low - 1e-9 <= value <= high + 1e-9:
                raise ValueError(f"{part.name} is {value}; it must be between {low} and {high}")


EXPRESSIONS: dict[Emotion, Expression] = {
    Emotion.ANGRY: Expression(
        brow_left_raise=-0.75, brow_right_raise=-0.75, brow_left_tilt=-1.0, brow_right_tilt=-1.0,
        brow_arch=0.1, frown_crease=1.0,
        eye_left_open=1.0, eye_right_open=1.0, upper_lid=0.34, lower_lid=0.1, lid_tilt=-0.9, pupil_size=0.72,
        nose_wrinkle=0.3,
        mouth_width=1.12, mouth_curve=-0.5, mouth_raise=0.2, lip_lift=0.48, jaw_drop=0.42,
        mouth_square=0.75, teeth_upper=1.0, teeth_lower=1.0,
        red=1.0, stretch=-0.7,
    ),
    Emotion.DISGUSTED: Expression(
        brow_left_raise=-0.65, brow_right_raise=0.0, brow_left_tilt=-0.5, brow_right_tilt=0.2,
        brow_arch=0.2, frown_crease=0.6,
        eye_left_open=0.8, eye_right_open=0.95, upper_lid=0.3, lower_lid=0.42, lid_tilt=-0.4, pupil_size=0.72,
        gaze_y=-0.1, nose_wrinkle=1.0,
        mouth_width=0.86, mouth_curve=-0.4, mouth_raise=0.1, mouth_skew=-0.2,
        lip_lift=0.34, jaw_drop=0.32, mouth_square=0.45, tongue_out=1.0,
        green=1.0, head_tilt_degrees=-5.0,
    ),
    Emotion.FEARFUL: Expression(
        brow_left_raise=0.6, brow_right_raise=0.6, brow_left_tilt=1.0, brow_right_tilt=1.0, brow_arch=0.0,
        eye_left_open=1.3, eye_right_open=1.3, pupil_size=0.4,
        mouth_width=0.84, mouth_curve=-0.3, mouth_wave=0.75, mouth_square=0.2, lip_lift=0.3, jaw_drop=0.4,
        tongue=0.7,
        sweat=1.0, hands=1.0, blue=1.0, stretch=0.4,
    ),
    Emotion.HAPPY: Expression(
        brow_left_raise=0.45, brow_right_raise=0.45, brow_arch=0.9,
        lower_lid=0.95,
        mouth_width=1.25, mouth_curve=0.42, mouth_raise=1.0, jaw_drop=1.0, mouth_square=0.12,
        teeth_upper=0.62, tongue=1.0,
        blush=1.0, head_tilt_degrees=4.0,
    ),
    Emotion.NEUTRAL: Expression(
        brow_left_raise=0.15, brow_right_raise=0.15, brow_arch=0.6, upper_lid=0.1, mouth_width=0.74, blush=0.3
    ),
    Emotion.SAD: Expression(
        brow_left_raise=0.15, brow_right_raise=0.15, brow_left_tilt=0.9, brow_right_tilt=0.9, brow_arch=-0.1,
        eye_left_open=0.95, eye_right_open=0.95, upper_lid=0.22, lid_tilt=0.7, pupil_size=0.95, gaze_y=0.3,
        mouth_width=0.72, mouth_curve=-0.9, mouth_raise=-0.2,
        tears=1.0, blush=0.25, head_tilt_degrees=-3.0,
    ),
    Emotion.SURPRISED: Expression(
        brow_left_raise=1.0, brow_right_raise=1.0, brow_arch=1.0,
        eye_left_open=1.3, eye_right_open=1.3, pupil_size=0.62,
        mouth_width=0.54, lip_lift=0.62, jaw_drop=0.9, mouth_raise=-0.2, tongue=0.8,
        blush=0.4, stretch=1.0,
    ),
}  # fmt: skip

_NAMES = tuple(part.name for part in fields(Expression))
_TABLE: NDArray[np.float64] = np.array(
    [[getattr(EXPRESSIONS[emotion], name) for name in _NAMES] for emotion in Emotion], dtype=np.float64
)


def blend(probabilities: ArrayLike) -> Expression:
    """Return the mean of the seven expressions, weighted by the probabilities of their emotions.

    Args:
        probabilities: (7,) in the order of :class:`~emojify.emotions.Emotion`, none negative, sum 1.

    Raises:
        ValueError: if ``probabilities`` are not seven probabilities.
    """
    weights = np.asarray(probabilities, dtype=np.float64)
    if weights.shape != (len(Emotion),):
        raise ValueError(f"expected {len(Emotion)} probabilities, got an array of shape {weights.shape}")
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(f"probabilities must be finite and not negative, got {weights.tolist()}")
    total = float(weights.sum())
    if abs(total - 1.0) > 0.01:  # wide enough for float16 and quantized outputs
        raise ValueError(f"probabilities must sum to 1, got {total:.3f}")
    values = weights / total @ _TABLE
    return Expression(**dict(zip(_NAMES, values.tolist(), strict=True)))
