"""Write videos for Chromium's fake camera."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

from emojify.emotions import Emotion
from tests.helpers.simulated_people import photographed_person

FPS, SECONDS_A_FACE = 10, 8  # a recording takes six seconds with its countdown
FACE = slice(66, 161), slice(177, 272)  # of the astronaut
BITS = 10
SQUARE_PX = 32  # two macroblocks of VP8: stays black or white at any bit rate
FRAMES = 300  # ten seconds; Chromium then starts the file again


def write_numbered_camera(path: Path, frames: int = FRAMES) -> None:
    """Write the astronaut, 640x480, each frame with its number in the lower left corner of the unmirrored picture."""
    image = cv2.resize(np.ascontiguousarray(data.astronaut()[:384, :512, ::-1]), (640, 480))
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F30:1 Ip C420jpeg\n")
        for number in range(frames):
            frame = image.copy()
            for bit in range(BITS):
                left = bit * SQUARE_PX
                frame[480 - SQUARE_PX :, left : left + SQUARE_PX] = 255 * (number >> bit & 1)
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())


def number_of(picture: av.VideoFrame) -> int:
    """Return the number that :func:`write_numbered_camera` wrote into a picture that came back mirrored."""
    side = SQUARE_PX * picture.width / 640
    row = picture.to_ndarray(format="gray")[int(picture.height - side / 2)]
    return sum(int(row[int(picture.width - 1 - (bit + 0.5) * side)] > 127) << bit for bit in range(BITS))


def write_two_faces(path: Path, fps: int = FPS) -> None:
    """Write the moving astronaut: her own face under a black bar, then a changed one under a white bar.

    Each lasts SECONDS_A_FACE.
    """
    plain = np.ascontiguousarray(data.astronaut()[:384, :512, ::-1])
    gray = np.asarray(cv2.cvtColor(plain[FACE], cv2.COLOR_BGR2GRAY), np.uint8)
    pulled = plain.copy()
    other = photographed_person("her", gray, 6).draw(Emotion.ANGRY, 1.0)
    pulled[FACE] = cv2.cvtColor(np.asarray(cv2.resize(other, (95, 95)), np.uint8), cv2.COLOR_GRAY2BGR)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W640 H480 F{fps}:1 Ip C420jpeg\n".encode())
        for number in range(2 * fps * SECONDS_A_FACE):
            shows_pulled = number >= fps * SECONDS_A_FACE
            time = number / fps
            move = cv2.getRotationMatrix2D((225, 113), 3 * np.sin(1.3 * time), 1.25 + 0.06 * np.sin(1.7 * time))
            move = move + np.array([[0, 0, 12 * np.sin(2.1 * time)], [0, 0, 8 * np.cos(1.1 * time)]])
            scene = pulled if shows_pulled else plain
            frame = cv2.warpAffine(scene, move, (512, 384), borderMode=cv2.BORDER_REPLICATE)
            big = np.asarray(cv2.resize(frame, (640, 480), interpolation=cv2.INTER_LINEAR), np.uint8)
            big[:32] = 255 * shows_pulled
            file.write(b"FRAME\n" + cv2.cvtColor(big, cv2.COLOR_BGR2YUV_I420).tobytes())
