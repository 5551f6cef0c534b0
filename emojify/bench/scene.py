"""Frames to measure on, drawn from what the project brings: people of the pack Person before a busy background."""

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

FRAMES = 60  # two seconds; the last one leads over to the first
MAX_FACES = 9
FACE_SHARE = 0.3  # width of the detector's box, of a cell's shorter side
BOX_OF_PICTURE = 0.73  # the detector's box in the pack's pictures, as a share of their side
SWAY = 0.08  # of a cell: how far a face moves to each side of its place
SHOWN = Emotion.HAPPY  # of the drawings, the detector finds this one as it does a photograph


def draw_scene(pack: Path, width: int, height: int, faces: int) -> list[Image]:
    """``FRAMES`` frames, each (height, width, 3) uint8 BGR, with so many faces that sway.

    Args:
        pack: the folder of the pack Person.

    Raises:
        EmojifyError: if the pack is not there, or the size or the number of faces can't be drawn.
    """
    if not 0 <= faces <= MAX_FACES:
        raise EmojifyError(f"The scene has 0 to {MAX_FACES} faces, not {faces}.")
    if not (160 <= width <= 3840 and 120 <= height <= 2160):
        raise EmojifyError(f"The scene is 160x120 to 3840x2160 pixels large, not {width}x{height}.")
    columns = math.ceil(math.sqrt(faces)) or 1
    rows = math.ceil(faces / columns) or 1
    cell_width, cell_height = width / columns, height / rows
    # A lone face as large as at a desk; several fill their cells more, or they would be too small for anyone.
    share = FACE_SHARE * (1 if faces < 2 else 1.35)
    side = round(share / BOX_OF_PICTURE * min(cell_width, cell_height))
    picture = _picture(pack, SHOWN, side)
    background = _background(width, height)
    frames = []
    for number in range(FRAMES):
        frame = background.copy()
        for face in range(faces):
            turn = 2 * math.pi * (number / FRAMES + face / MAX_FACES)
            x = (face % columns + 0.5 + SWAY * math.sin(turn)) * cell_width - side / 2
            y = (face // columns + 0.5 + SWAY * math.sin(2 * turn) / 2) * cell_height - side / 2
            overlay(frame, picture, round(x), round(y))
        frames.append(frame)
    return frames


def _picture(pack: Path, emotion: Emotion, side: int) -> NDArray[np.uint8]:
    picture = cv2.imread(str(pack / f"{emotion.label}.png"), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        raise EmojifyError(f"The measurement draws its scene from the pack Person, and {pack} is not there or broken.")
    return premultiply(np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8))


def _background(width: int, height: int) -> Image:
    """Noise of every grain from furniture to fabric: even walls would make the detector look quicker than it is.

    The finer the grain, the weaker it is, as in photographs (Field 1987: amplitude falls with frequency).
    """
    random = np.random.default_rng(4)  # one in which the detector sees no phantoms
    gray = np.zeros((height, width), np.float32)
    for cells in (4, 9, 20, 45, 100):
        grain = random.normal(0, 1, (max(1, cells * height // width), cells)).astype(np.float32)
        gray += np.float32(1 / math.sqrt(cells)) * np.asarray(cv2.resize(grain, (width, height)), np.float32)
    gray = 128 + 60 * gray
    return np.asarray(cv2.cvtColor(np.clip(gray, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)
