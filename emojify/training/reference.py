"""Time the loop of the tutorial that this project grew from, to compare with. ``python -m emojify bench`` starts it.

For each frame the tutorial builds the cascade anew, scans the whole frame and calls ``model.predict``. The loop runs in
a process of its own and answers line by line, so that both programs can take turns on the same frames:

    python -m emojify.training.reference tutorial|fer FRAMES.npy    frame numbers on stdin, milliseconds on stdout
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
from emojify.vision.detectors.haar import CASCADE_FILE
from emojify.vision.readings import Image


def tutorial() -> Callable[[Image], int]:
    """Return the tutorial's loop: a function of a (H, W, 3) uint8 BGR frame that returns the number of faces.

    The weights of its network are random, which takes the same time.
    """
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
    """Return the loop of the package ``fer``, started as its documentation says. The package must be installed."""
    from fer.fer import FER

    detector = FER()
    return lambda frame: len(detector.detect_emotions(frame))


def main(name: str, path: str) -> None:
    """Answer frame numbers on stdin with the milliseconds that each frame takes."""
    read = {"tutorial": tutorial, "fer": fer}[name]()
    frames = np.load(path, mmap_mode="r")
    read(np.array(frames[0]))
    print("ready", flush=True)
    for line in sys.stdin:
        frame = np.array(frames[int(line)])
        started_s = time.perf_counter()
        read(frame)
        print((time.perf_counter() - started_s) * 1000, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
