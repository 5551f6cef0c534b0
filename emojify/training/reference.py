"""The loop of the tutorial that this project grew from, to measure against: ``python -m emojify bench`` starts it.

Per frame it builds the cascade anew, scans the whole frame and asks ``model.predict``. It runs in a process of its
own and answers line by line, so that both can take turns on the very same frames:

    python -m emojify.training.reference tutorial|fer FRAMES.npy    a frame's number on stdin, its ms on stdout
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from emojify.training.weights import build_network
from emojify.vision.detector import CASCADE_FILE
from emojify.vision.readings import Image


def tutorial() -> Callable[[Image], int]:
    """A function of (H, W, 3) uint8 BGR that gives the number of faces; its network's weights are random."""
    model = build_network("seed")

    def read(frame: Image) -> int:
        cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / CASCADE_FILE))
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        faces = cascade.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=7)
        for x, y, width, height in faces:
            crop = cv2.resize(gray[y : y + height, x : x + width], (48, 48))
            model.predict(crop[None, :, :, None], verbose=0)
        return len(faces)

    return read


def fer() -> Callable[[Image], int]:
    """The package ``fer`` as its documentation starts it, if it is installed."""
    from fer.fer import FER

    detector = FER()
    return lambda frame: len(detector.detect_emotions(frame))


def main(kind: str, path: str) -> None:
    read = {"tutorial": tutorial, "fer": fer}[kind]()
    frames = np.load(path, mmap_mode="r")
    read(np.array(frames[0]))
    print("ready", flush=True)
    for line in sys.stdin:
        frame = np.array(frames[int(line)])
        began = time.perf_counter()
        read(frame)
        print((time.perf_counter() - began) * 1000, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
