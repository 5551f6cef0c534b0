"""Simulated people: each shows the seven emotions in a way of its own, always the same way.

Two kinds, because neither is enough alone. Drawn ones: the project's avatars in gray, whose faces move by the numbers
of an ``Expression``; textbook expressions, each bent by the person's quirk. Photographed ones: faces of scikit-image
(the astronaut, and some of LFW's at 25x25 pixels), pulled about the mouth, the brows and the eyes; real skin and light,
crude expressions.

Of each person there are recordings, as the app makes them: light, distance and head differ between two recordings, and
within one everything trembles a little. What is not simulated: hair that falls into the face, glasses put on and off,
turned heads, hands, real muscles, and the face detector (drawn faces are found too seldom): crops come as if its box
had jittered.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from emojify.emotions import Emotion
from emojify.packs.avatar import Avatar
from emojify.packs.drawing.expression import EXPRESSIONS, Expression
from emojify.vision.classifier import CROP_PX

SIDE_PX = 96
FRAMES = 20
PROPS = ("tears", "sweat", "hands", "red", "green", "blue", "tongue_out", "head_tilt_degrees")  # not of a real face
QUIRK = 0.6  # how far a quirk moves a number of the face, as a share of its range to either side
PULL_PX = 7.0  # how far a photographed face is pulled, at 96 px

Gray = NDArray[np.uint8]
Draw = Callable[[Emotion, float], Gray]
"""A face with an emotion at a strength from 0 to 1: (96, 96) uint8."""


@dataclass(frozen=True)
class SimulatedPerson:
    """Somebody with a face, and a consistent way of moving it."""

    name: str
    draw: Draw

    def record(self, emotion: Emotion, seed: int, frames: int = FRAMES) -> Gray:
        """One recording: (frames, 48, 48) uint8 crops. Another ``seed`` is another day."""
        day = np.random.default_rng([seed, emotion, crc32(self.name.encode())])
        strength, angle, zoom = day.uniform(0.75, 1), day.uniform(-5, 5), day.uniform(0.92, 1.08)
        shift, gain, offset = day.uniform(-4, 4, 2), day.uniform(0.75, 1.2), day.uniform(-20, 20)
        light, tilt = day.uniform(0, 0.25), day.uniform(0, 2 * np.pi)
        x, y = np.meshgrid(np.linspace(-1, 1, SIDE_PX), np.linspace(-1, 1, SIDE_PX))
        crops = []
        for _ in range(frames):
            face = self.draw(emotion, float(np.clip(strength + day.normal(0, 0.05), 0, 1))).astype(np.float32)
            face = (face * gain + offset) * (1 + light * (np.cos(tilt) * x + np.sin(tilt) * y))
            turn = cv2.getRotationMatrix2D((SIDE_PX / 2, SIDE_PX / 2), angle + day.normal(0, 1.5), zoom)
            turn = turn + np.column_stack([np.zeros((2, 2)), shift + day.normal(0, 1.2, 2)])
            moved = cv2.warpAffine(face, turn, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE)
            crop = cv2.resize(moved, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
            crops.append(np.clip(crop + day.normal(0, 3, crop.shape), 0, 255).astype(np.uint8))
        return np.stack(crops)


def drawn_person(seed: int) -> SimulatedPerson:
    """An avatar whose every expression is bent by a quirk, the same one each time."""
    rng = random.Random(seed)
    avatar = Avatar.random(rng)
    quirks = {
        emotion: {
            part.name: rng.uniform(-QUIRK, QUIRK)
            for part in fields(Expression)
            if part.name.startswith(("brow", "lid", "mouth")) and rng.random() < 0.5
        }
        for emotion in Emotion
    }

    def draw(emotion: Emotion, strength: float) -> Gray:
        rest, full = EXPRESSIONS[Emotion.NEUTRAL], EXPRESSIONS[emotion]
        values = {}
        for part in fields(Expression):
            low, high = part.metadata["range"]
            quirk = quirks[emotion].get(part.name, 0.0) * (high - low) / 2
            at_rest = getattr(rest, part.name)
            bent = at_rest + strength * (getattr(full, part.name) - at_rest) + quirk
            values[part.name] = 0.0 if part.name in PROPS else min(max(bent, low), high)
        picture = avatar.draw(Expression(**values), 240)
        alpha = picture[:, :, 3:].astype(np.float32) / 255
        scene = (picture[:, :, :3] * alpha + 170 * (1 - alpha)).astype(np.uint8)
        face = cv2.cvtColor(scene[50:178, 56:184], cv2.COLOR_BGR2GRAY)  # where a detector's box would be
        return np.asarray(cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)

    return SimulatedPerson(f"drawn {seed}", draw)


# Where things are in a frontal face that fills its picture, as shares of its side.
_BROWS, _EYES, _MOUTH = ((0.3, 0.3), (0.7, 0.3)), ((0.3, 0.4), (0.7, 0.4)), ((0.34, 0.78), (0.66, 0.78), (0.5, 0.83))
_POINTS = (*_BROWS, *_EYES, *_MOUTH)


def photographed_person(name: str, face: Gray, seed: int) -> SimulatedPerson:
    """A photograph whose brows, eyes and mouth are pulled somewhere else for each emotion, at random but for good."""
    rng = np.random.default_rng(seed)
    face = np.asarray(cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
    pulls = {emotion: rng.uniform(-PULL_PX, PULL_PX, (len(_POINTS), 2)) for emotion in Emotion}
    pulls[Emotion.NEUTRAL] *= 0.0
    x, y = np.meshgrid(np.arange(SIDE_PX, dtype=np.float32), np.arange(SIDE_PX, dtype=np.float32))
    reach = 2 * (SIDE_PX * 0.09) ** 2
    bells = [np.exp(-((x - px * SIDE_PX) ** 2 + (y - py * SIDE_PX) ** 2) / reach) for px, py in _POINTS]

    def draw(emotion: Emotion, strength: float) -> Gray:
        moved = [sum(b * p[axis] * strength for b, p in zip(bells, pulls[emotion], strict=True)) for axis in (0, 1)]
        from_x, from_y = (x - moved[0]).astype(np.float32), (y - moved[1]).astype(np.float32)
        return np.asarray(cv2.remap(face, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return SimulatedPerson(name, draw)


def people(each: int = 5) -> list[SimulatedPerson]:
    """``each`` drawn and ``each`` photographed people."""
    astronaut = cv2.cvtColor(data.astronaut()[66:161, 177:272], cv2.COLOR_RGB2GRAY)
    lfw = [np.asarray(face * 255, np.uint8) for face in data.lfw_subset()[:100]]  # the other hundred are no faces
    photographs = [("the astronaut", astronaut), *((f"LFW {n}", lfw[n]) for n in range(0, 20 * each, 20))][:each]
    return [drawn_person(seed) for seed in range(each)] + [
        photographed_person(name, face, seed) for seed, (name, face) in enumerate(photographs)
    ]
