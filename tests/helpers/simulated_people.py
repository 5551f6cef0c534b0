"""Simulated people, each of whom shows the seven emotions in a way of their own that does not change.

There are two kinds, because each has a weakness. Drawn people are the project's avatars in gray, whose faces are set by
the numbers of an ``Expression``. They show textbook expressions, changed by the person's quirks. Photographed people
are faces from scikit-image (the astronaut, and some of LFW's at 25x25 pixels), warped at the mouth, the brows and the
eyes. They have real skin and light, but crude expressions.

A person is recorded as the app does it: light, distance and position differ between two recordings, and vary a little
within one. Not simulated are hair that falls into the face, glasses put on and off, turned heads, hands, real muscles,
and the face detector, which finds drawn faces too seldom: the crops vary as if a detected box had jittered.
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
# A real face has none of these.
PROPS = ("tears", "sweat", "hands", "red", "green", "blue", "tongue_out", "head_tilt_degrees")
QUIRK = 0.6  # largest change of a number by a quirk, as a share of half its range
SHIFT_PX = 7.0  # largest displacement of a point of a photographed face, at 96 px

Gray = NDArray[np.uint8]
Draw = Callable[[Emotion, float], Gray]
"""Returns a face with an emotion at a strength from 0 to 1: (96, 96) uint8."""


@dataclass(frozen=True)
class SimulatedPerson:
    """A person with a face and a consistent way of moving it."""

    name: str
    draw: Draw

    def record(self, emotion: Emotion, seed: int, frames: int = FRAMES) -> Gray:
        """Return a recording, (frames, 48, 48) uint8 crops. Another ``seed`` is another day."""
        day = np.random.default_rng([seed, emotion, crc32(self.name.encode())])
        strength, angle, zoom = day.uniform(0.75, 1), day.uniform(-5, 5), day.uniform(0.92, 1.08)
        shift, gain, offset = day.uniform(-4, 4, 2), day.uniform(0.75, 1.2), day.uniform(-20, 20)
        light, tilt = day.uniform(0, 0.25), day.uniform(0, 2 * np.pi)
        x, y = np.meshgrid(np.linspace(-1, 1, SIDE_PX), np.linspace(-1, 1, SIDE_PX))
        crops = []
        for _ in range(frames):
            face = self.draw(emotion, float(np.clip(strength + day.normal(0, 0.05), 0, 1))).astype(np.float32)
            face = (face * gain + offset) * (1 + light * (np.cos(tilt) * x + np.sin(tilt) * y))
            matrix = cv2.getRotationMatrix2D((SIDE_PX / 2, SIDE_PX / 2), angle + day.normal(0, 1.5), zoom)
            matrix = matrix + np.column_stack([np.zeros((2, 2)), shift + day.normal(0, 1.2, 2)])
            moved = cv2.warpAffine(face, matrix, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE)
            crop = cv2.resize(moved, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
            crops.append(np.clip(crop + day.normal(0, 3, crop.shape), 0, 255).astype(np.uint8))
        return np.stack(crops)


def drawn_person(seed: int) -> SimulatedPerson:
    """Return a drawn person: an avatar with a random quirk for each emotion, which never changes."""
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
        neutral, full = EXPRESSIONS[Emotion.NEUTRAL], EXPRESSIONS[emotion]
        values = {}
        for part in fields(Expression):
            low, high = part.metadata["range"]
            quirk = quirks[emotion].get(part.name, 0.0) * (high - low) / 2
            start = getattr(neutral, part.name)
            value = start + strength * (getattr(full, part.name) - start) + quirk
            values[part.name] = 0.0 if part.name in PROPS else min(max(value, low), high)
        picture = avatar.draw(Expression(**values), 240)
        alpha = picture[:, :, 3:].astype(np.float32) / 255
        scene = (picture[:, :, :3] * alpha + 170 * (1 - alpha)).astype(np.uint8)
        face = cv2.cvtColor(scene[50:178, 56:184], cv2.COLOR_BGR2GRAY)  # about the box of a face detector
        return np.asarray(cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)

    return SimulatedPerson(f"drawn {seed}", draw)


# Positions in a frontal face that fills its picture, as shares of its side.
_BROWS, _EYES, _MOUTH = ((0.3, 0.3), (0.7, 0.3)), ((0.3, 0.4), (0.7, 0.4)), ((0.34, 0.78), (0.66, 0.78), (0.5, 0.83))
_POINTS = (*_BROWS, *_EYES, *_MOUTH)


def photographed_person(name: str, face: Gray, seed: int) -> SimulatedPerson:
    """Return a photographed person, whose brows, eyes and mouth are displaced at random for each emotion.

    Args:
        name: of the person.
        face: (height, width) uint8.
        seed: of the displacements; the same seed always gives the same ones.
    """
    rng = np.random.default_rng(seed)
    face = np.asarray(cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
    displacements = {emotion: rng.uniform(-SHIFT_PX, SHIFT_PX, (len(_POINTS), 2)) for emotion in Emotion}
    displacements[Emotion.NEUTRAL] *= 0.0
    x, y = np.meshgrid(np.arange(SIDE_PX, dtype=np.float32), np.arange(SIDE_PX, dtype=np.float32))
    twice_variance = 2 * (SIDE_PX * 0.09) ** 2
    gaussians = [np.exp(-((x - px * SIDE_PX) ** 2 + (y - py * SIDE_PX) ** 2) / twice_variance) for px, py in _POINTS]

    def draw(emotion: Emotion, strength: float) -> Gray:
        pairs = list(zip(gaussians, displacements[emotion], strict=True))
        moved = [sum(gaussian * shift[axis] * strength for gaussian, shift in pairs) for axis in (0, 1)]
        from_x, from_y = (x - moved[0]).astype(np.float32), (y - moved[1]).astype(np.float32)
        return np.asarray(cv2.remap(face, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return SimulatedPerson(name, draw)


def people(each: int = 5) -> list[SimulatedPerson]:
    """Return ``each`` drawn and ``each`` photographed people."""
    astronaut = cv2.cvtColor(data.astronaut()[66:161, 177:272], cv2.COLOR_RGB2GRAY)
    lfw = [
        np.asarray(face * 255, np.uint8) for face in data.lfw_subset()[:100]
    ]  # the other hundred pictures show no face
    photographs = [("the astronaut", astronaut), *((f"LFW {n}", lfw[n]) for n in range(0, 20 * each, 20))][:each]
    return [drawn_person(seed) for seed in range(each)] + [
        photographed_person(name, face, seed) for seed, (name, face) in enumerate(photographs)
    ]
