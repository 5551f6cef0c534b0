"""Avatars: persons drawn by code, whose faces follow the seven probabilities."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.packs.drawing.appearance import PARTS, Beard, Hat, Person
from emojify.packs.drawing.expression import EXPRESSIONS, Expression, blend
from emojify.packs.drawing.person import person_svg
from emojify.packs.drawing.person_renderer import PersonRenderer
from emojify.packs.drawing.render import render
from emojify.packs.importer import SIDE_PX, CheckedPicture, Draft
from emojify.packs.manifest import PackManifest
from emojify.pictures import encode_png
from emojify.vision.annotators import Head, scale
from emojify.vision.readings import Probabilities, Reading

HEAD = Head(x=0.5, y=0.47, width=0.64)
"""Where the head of every avatar is in its picture."""

LIVE_PX = 256  # stickers are 150 to 300 px wide in most videos; avatars are drawn at this size and then scaled
BLEND_TOLERANCE = 0.02  # a change of the probabilities by less moves no line by half a pixel
MAX_DRAWINGS_KEPT = 16  # 4 MB
# A network never gives all probability to one emotion, and a face that blends all seven a little shows none of them.
# Squaring turns 0.7 happy, 0.2 neutral and 0.1 sad into 0.91, 0.07 and 0.02.
SHARPENING_EXPONENT = 2.0
_FORMER_PARTS = {"hair_colour": "hair_color", "hat_colour": "hat_color"}  # as version 0.1.0 wrote them
_OPTIONAL_PARTS = ("hat", "glasses", "beard", "earrings")


@dataclass(frozen=True)
class Avatar:
    """A person made with the avatar maker. ::

    avatar = Avatar(Person(hair=Hair.BOB))
    avatar.draw(EXPRESSIONS[Emotion.HAPPY], 256).shape   # (256, 256, 4)
    """

    person: Person

    @classmethod
    def from_json(cls, choices: Mapping[str, object]) -> Avatar:
        """Make an avatar from the ``"avatar"`` object of a ``pack.json``. Parts that are not in it get their default.

        Raises:
            EmojifyError: if a part or a choice is unknown.
        """
        choices = {_FORMER_PARTS.get(part, part): choice for part, choice in choices.items()}
        if unknown := sorted(set(choices) - set(PARTS)):
            raise EmojifyError(f"An avatar has no {unknown[0]!r}. Its parts are: {', '.join(PARTS)}.")
        chosen: dict[str, Any] = {}
        for part, choice in choices.items():
            if choice not in set(PARTS[part]):
                raise EmojifyError(f"An avatar's {part} can't be {choice!r}. There are: {', '.join(PARTS[part])}.")
            chosen[part] = PARTS[part](str(choice))
        return cls(Person(**chosen))

    def to_json(self) -> dict[str, str | float | bool | None]:
        """Return the choice for each part, from which :meth:`from_json` makes an equal avatar."""
        return {part: str(choice) for part, choice in asdict(self.person).items()}

    @classmethod
    def random(cls, rng: random.Random) -> Avatar:
        """Return a random avatar.

        Half of the avatars have no hat, half have no glasses, and so on: all of them together would hide the face.
        """
        chosen: dict[str, Any] = {}
        for part, choices in PARTS.items():
            omitted = part in _OPTIONAL_PARTS and rng.random() < 0.5
            chosen[part] = choices("none") if omitted else rng.choice(list(choices))
        if chosen["hat"] is Hat.HIJAB:
            chosen["beard"] = Beard.NONE
        return cls(Person(**chosen))

    def draw(self, face: Expression | ArrayLike, size_px: int) -> NDArray[np.uint8]:
        """Draw the avatar with a facial expression.

        Args:
            face: an expression, or (7,) probabilities to blend one from.
            size_px: the side of the picture.

        Returns:
            (size_px, size_px, 4) uint8 BGRA.

        Raises:
            ValueError: if ``face`` is neither an expression nor seven probabilities.
        """
        expression = face if isinstance(face, Expression) else blend(face)
        return render(person_svg(self.person, expression), size_px)

    def draw_png(self, emotion: Emotion) -> bytes:
        """Return a picture of a pack: the avatar with an emotion's expression, as a PNG."""
        return encode_png(self.draw(EXPRESSIONS[emotion], SIDE_PX))

    def to_draft(self, name: str, author: str) -> Draft:
        """Draw the seven pictures of a pack, ready for :func:`~emojify.packs.store.add_pack`."""
        manifest = PackManifest(
            name=name,
            author=author,
            license="MIT",
            description="Made with the avatar maker.",
            head=HEAD,
            avatar=self.to_json(),
        )
        return Draft(manifest, {emotion: CheckedPicture(self.draw_png(emotion)) for emotion in Emotion})


class AnimatedAvatar:
    """An emoji whose face is a blend of the seven expressions by their probabilities. Thread-safe."""

    head = HEAD

    def __init__(self, avatar: Avatar) -> None:
        self._renderer = PersonRenderer(avatar.person, LIVE_PX)
        self._lock = threading.Lock()
        self._blends = np.full((MAX_DRAWINGS_KEPT, len(Emotion)), np.inf)
        self._drawings: list[NDArray[np.uint8] | None] = [None] * MAX_DRAWINGS_KEPT
        self._next = 0

    def picture(self, reading: Reading, size_px: int) -> NDArray[np.uint8]:
        """Return the face for a reading; the neutral face for an unsure one.

        See :class:`~emojify.vision.annotators.Emoji` for the format.
        """
        weights = _sharpen(reading.probabilities) if reading.sure else np.eye(len(Emotion))[Emotion.NEUTRAL]
        drawing = self._drawing(weights)
        return drawing if size_px == LIVE_PX else scale(drawing, size_px)

    def _drawing(self, weights: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return the kept drawing of nearly the same blend, or a new drawing."""
        with self._lock:
            distances = np.abs(self._blends - weights).max(axis=1)
            kept = self._drawings[int(distances.argmin())]
            if kept is not None and distances.min() <= BLEND_TOLERANCE:
                return kept
        drawing = self._renderer.render(blend(weights))
        np.subtract(255, drawing[:, :, 3], out=drawing[:, :, 3])  # the format of annotators.overlay()
        with self._lock:
            self._blends[self._next], self._drawings[self._next] = weights, drawing
            self._next = (self._next + 1) % MAX_DRAWINGS_KEPT
        return drawing


def _sharpen(probabilities: Probabilities) -> NDArray[np.float64]:
    weights = np.asarray(probabilities, np.float64) ** SHARPENING_EXPONENT
    return weights / weights.sum()
