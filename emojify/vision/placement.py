"""The size and height of an emoji on a face, as a person chooses them."""

from __future__ import annotations

from dataclasses import dataclass

from emojify.errors import EmojifyError

MIN_SIZE, MAX_SIZE = 0.5, 2.0
MAX_RISE = 0.5


@dataclass(frozen=True)
class Placement:
    """How an emoji lies on a face, beside what its pack says about the head in its pictures.

    Attributes:
        size: factor of the emoji's size; at 1 its head is as wide as the person's.
        rise: how far it is moved up, as a share of the face's height; negative moves it down.

    Raises:
        EmojifyError: if a number is out of range.
    """

    size: float = 1.0
    rise: float = 0.0

    def __post_init__(self) -> None:
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise EmojifyError(f"The size must be between {MIN_SIZE:g} and {MAX_SIZE:g}, not {self.size:g}.")
        if not -MAX_RISE <= self.rise <= MAX_RISE:
            raise EmojifyError(f"The rise must be between {-MAX_RISE:g} and {MAX_RISE:g}, not {self.rise:g}.")
