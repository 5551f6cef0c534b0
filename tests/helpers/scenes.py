"""Gray frames with the astronaut's head at known positions."""

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.vision.readings import Box

Gray = NDArray[np.uint8]

HEAD_PX = 210  # width of the part of the astronaut that is pasted
FACE_AT, FACE_PX = (57, 46), 95  # the face's box in that part


def frame(gray: Gray, *places: tuple[int, int], size: tuple[int, int] = (640, 480), head_px: int = HEAD_PX) -> Gray:
    """Return a gray frame with the head, ``head_px`` wide, at each place: x and y of its top left corner."""
    blank = np.full((size[1], size[0]), 128, np.uint8)
    head = cv2.resize(gray[20 : 20 + HEAD_PX, 120 : 120 + HEAD_PX], (head_px, head_px), interpolation=cv2.INTER_AREA)
    for x, y in places:
        blank[y : y + head_px, x : x + head_px] = head[: size[1] - y, : size[0] - x]
    return blank


def face_at(place: tuple[int, int], head_px: int = HEAD_PX) -> Box:
    """Return the box of the face in a head at ``place``."""
    x, y, side = (round(value * head_px / HEAD_PX) for value in (*FACE_AT, FACE_PX))
    return Box(place[0] + x, place[1] + y, side, side)
