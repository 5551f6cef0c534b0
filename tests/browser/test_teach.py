"""Teach it your face, as a person does it: record two faces, teach, see the reading change, undo."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from skimage import data

from emojify.emotions import Emotion
from tests.teaching.simulated import photographed_person

FPS, SECONDS_A_FACE = 10, 16
FACE = slice(66, 161), slice(177, 272)  # of the astronaut


def write_two_faces(path: Path) -> None:
    """The astronaut, moving her head, for 16 seconds as she is, then for 16 with her face pulled; and again."""
    plain = np.ascontiguousarray(data.astronaut()[:384, :512, ::-1])
    grey = np.asarray(cv2.cvtColor(plain[FACE], cv2.COLOR_BGR2GRAY), np.uint8)
    pulled = plain.copy()
    other = cv2.resize(photographed_person("her", grey, 3).draw(Emotion.ANGRY, 1.0), (95, 95))
    pulled[FACE] = cv2.cvtColor(np.asarray(other, np.uint8), cv2.COLOR_GRAY2BGR)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W640 H480 F{FPS}:1 Ip C420jpeg\n".encode())
        for number in range(2 * FPS * SECONDS_A_FACE):
            scene = plain if number < FPS * SECONDS_A_FACE else pulled
            time = number / FPS
            move = cv2.getRotationMatrix2D((225, 113), 3 * np.sin(1.3 * time), 1.25 + 0.06 * np.sin(1.7 * time))
            move = move + np.array([[0, 0, 12 * np.sin(2.1 * time)], [0, 0, 8 * np.cos(1.1 * time)]])
            frame = cv2.warpAffine(scene, move * 1.0, (512, 384), borderMode=cv2.BORDER_REPLICATE)
            big = cv2.resize(frame, (640, 480), interpolation=cv2.INTER_LINEAR)
            file.write(b"FRAME\n" + cv2.cvtColor(big, cv2.COLOR_BGR2YUV_I420).tobytes())
