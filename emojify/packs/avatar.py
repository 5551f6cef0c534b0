"""An avatar: a person drawn by code, kept as a few words, whose face follows the seven probabilities."""

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

LIVE_PX = 256  # a sticker is 150 to 300 px wide in most videos; it is drawn at this and scaled
ALIKE = 0.02  # probabilities this near to ones that were drawn already move no line by half a pixel
MAX_DRAWINGS_KEPT = 16  # 4 MB
# A network never gives all to one emotion, and a face that is a little of everything looks like nothing. Squared,
# 0.7 happy beside 0.2 neutral and 0.1 sad becomes 0.91, 0.07 and 0.02.
CONTRAST = 2.0
_FORMER_PARTS = {"hair_colour": "hair_color", "hat_colour": "hat_color"}  # as version 0.1.0 wrote them
_OFTEN_WITHOUT = ("hat", "glasses", "beard", "earrings")


@dataclass(frozen=True)
class Avatar:
    """Somebody from the avatar maker."""

    person: Person

    @classmethod
    def from_json(cls, words: Mapping[str, object]) -> Avatar:
        """What stands under ``"avatar"`` in a ``pack.json``; a part that it does not name is the default one.

        Raises:
            EmojifyError: if a part or its value is not known.
        """
        words = {_FORMER_PARTS.get(part, part): word for part, word in words.items()}
        if unknown := sorted(set(words) - set(PARTS)):
            raise EmojifyError(f"An avatar has no {unknown[0]!r}. Its parts are: {', '.join(PARTS)}.")
        chosen: dict[str, Any] = {}
        for part, word in words.items():
            if word not in set(PARTS[part]):
                raise EmojifyError(f"An avatar's {part} can't be {word!r}. There are: {', '.join(PARTS[part])}.")
            chosen[part] = PARTS[part](str(word))
        return cls(Person(**chosen))

    def to_json(self) -> dict[str, str | float | bool | None]:
        """What :meth:`from_json` reads as an equal one."""
        return {part: str(word) for part, word in asdict(self.person).items()}

    @classmethod
    def random(cls, chance: random.Random) -> Avatar:
        """Somebody. Half of them go without a hat, half without glasses and so on: all at once hide the face."""
        chosen: dict[str, Any] = {}
        for part, choices in PARTS.items():
            plain = part in _OFTEN_WITHOUT and chance.random() < 0.5
            chosen[part] = choices("none") if plain else chance.choice(list(choices))
        if chosen["hat"] is Hat.HIJAB:
            chosen["beard"] = Beard.NONE
        return cls(Person(**chosen))

    def draw(self, face: Expression | ArrayLike, size_px: int) -> NDArray[np.uint8]:
        """The picture of a face.

        Args:
            face: an expression, or (7,) probabilities to blend one from.
            size_px: the side of the picture.

        Returns:
            (size_px, size_px, 4) uint8 BGRA.

        Raises:
            ValueError: if they are not seven probabilities.
        """
        expression = face if isinstance(face, Expression) else blend(face)
        return render(person_svg(self.person, expression), size_px)

    def to_draft(self, name: str, author: str) -> Draft:
        """A pack of its seven faces, ready for :func:`~emojify.packs.store.add_pack`."""
        manifest = PackManifest(
            name=name,
            author=author,
            license="MIT",
            description="Made with the avatar maker.",
            head=HEAD,
            avatar=self.to_json(),
        )
        pictures = {emotion: encode_png(self.draw(face, SIDE_PX)) for emotion, face in EXPRESSIONS.items()}
        return Draft(manifest, {emotion: CheckedPicture(png) for emotion, png in pictures.items()})


class AnimatedAvatar:
    """An emoji whose face moves with the blend of the seven probabilities. May be used from any thread."""

    head = HEAD

    def __init__(self, avatar: Avatar) -> None:
        self._painter = PersonRenderer(avatar.person, LIVE_PX)
        self._lock = threading.Lock()
        self._blends = np.full((MAX_DRAWINGS_KEPT, len(Emotion)), np.inf)
        self._drawings: list[NDArray[np.uint8] | None] = [None] * MAX_DRAWINGS_KEPT
        self._next = 0

    def picture(self, reading: Reading, size_px: int) -> NDArray[np.uint8]:
        """The face for a reading; a calm one for an unsure reading. See :class:`~emojify.vision.annotators.Emoji`."""
        wanted = _sharpen(reading.probabilities) if reading.sure else np.eye(len(Emotion))[Emotion.NEUTRAL]
        drawing = self._drawing(wanted)
        return drawing if size_px == LIVE_PX else scale(drawing, size_px)

    def _drawing(self, wanted: NDArray[np.float64]) -> NDArray[np.uint8]:
        """One that was drawn already for nearly the same blend, or a new one."""
        with self._lock:
            distances = np.abs(self._blends - wanted).max(axis=1)
            kept = self._drawings[int(distances.argmin())]
            if kept is not None and distances.min() <= ALIKE:
                return kept
        drawing = self._painter.paint(blend(wanted))
        np.subtract(255, drawing[:, :, 3], out=drawing[:, :, 3])  # as overlay() takes it
        with self._lock:
            self._blends[self._next], self._drawings[self._next] = wanted, drawing
            self._next = (self._next + 1) % MAX_DRAWINGS_KEPT
        return drawing


def _sharpen(probabilities: Probabilities) -> NDArray[np.float64]:
    weights = np.asarray(probabilities, np.float64) ** CONTRAST
    return weights / weights.sum()
