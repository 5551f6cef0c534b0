"""The frames that ``bench`` measures: pictures of the pack Person in front of a structured background."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.annotators import overlay, premultiply
from emojify.vision.readings import Image

FRAMES = 60  # two seconds; the movement continues from the last frame to the first
MAX_FACES = 9
FACE_SHARE = 0.3  # width of the detector's box relative to the shorter side of a cell
CROWD_FACTOR = 1.35  # several faces fill their cells more than a single one, or they would be too small to be found
BOX_SHARE = 0.73  # width of the detector's box relative to the side of the pack's pictures
SWAY = 0.08  # share of a cell by which a face moves to each side
EMOTION = Emotion.DISGUSTED  # both detectors find this picture as reliably as a photograph


def draw_scene(pack: Path, width: int, height: int, faces: int) -> list[Image]:
    """Return :data:`FRAMES` frames with moving faces, each (height, width, 3) uint8 BGR.

    Args:
        pack: the folder of the pack Person.
        faces: 0 to :data:`MAX_FACES`.

    Raises:
        EmojifyError: if the pack is missing, or the size or the number of faces is out of range.
    """
    if not 0 <= faces <= MAX_FACES:
        raise EmojifyError(f"The scene has 0 to {MAX_FACES} faces, not {faces}.")
    if not (160 <= width <= 3840 and 120 <= height <= 2160):
        raise EmojifyError(f"The scene is 160x120 to 3840x2160 pixels large, not {width}x{height}.")
    columns = math.ceil(math.sqrt(faces)) or 1
    rows = math.ceil(faces / columns) or 1
    cell_width, cell_height = width / columns, height / rows
    share = FACE_SHARE * (1 if faces < 2 else CROWD_FACTOR)
    side = round(share / BOX_SHARE * min(cell_width, cell_height))
    picture = _read_picture(pack, EMOTION, side)
    background = _draw_background(width, height)
    frames = []
    for number in range(FRAMES):
        frame = background.copy()
        for face in range(faces):
            angle = 2 * math.pi * (number / FRAMES + face / MAX_FACES)
            x = (face % columns + 0.5 + SWAY * math.sin(angle)) * cell_width - side / 2
            y = (face // columns + 0.5 + SWAY * math.sin(2 * angle) / 2) * cell_height - side / 2
            overlay(frame, picture, round(x), round(y))
        frames.append(frame)
    return frames


def _read_picture(pack: Path, emotion: Emotion, side: int) -> NDArray[np.uint8]:
    picture = cv2.imread(str(pack / f"{emotion.label}.png"), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        raise EmojifyError(
            f"The measurement draws its scene from the pack Person, but {pack} is missing or damaged. "
            "Restore the folder emojis/ from the project."
        )
    return premultiply(np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8))


def _draw_background(width: int, height: int) -> Image:
    """Return noise of all scales, from furniture to fabric. On plain walls the detector would be faster than usual.

    The amplitude falls with the frequency, as in photographs (Field 1987).
    """
    rng = np.random.default_rng(4)  # a seed with which the detector finds no false faces
    gray = np.zeros((height, width), np.float32)
    for cells in (4, 9, 20, 45, 100):
        noise = rng.normal(0, 1, (max(1, cells * height // width), cells)).astype(np.float32)
        gray += np.float32(1 / math.sqrt(cells)) * np.asarray(cv2.resize(noise, (width, height)), np.float32)
    gray = 128 + 60 * gray
    return np.asarray(cv2.cvtColor(np.clip(gray, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)
