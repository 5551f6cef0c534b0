"""Faces found in scenes that are hard for Haar: python -m benchmarks.scenes FACES.zip [--limit N]

The zip has pictures with one face each, in folders named after the emotions. Each face that Haar finds is pasted into a
blurred 640x480 scene, at some width, rolled, darkened or covered. Prints for Haar alone, for a photo and for live video
the share of faces found (a box overlaps the face by more than .3), the false boxes in a picture, and the processor time
of a picture or frame in ms (one thread).

Live video shows each scene for 2 seconds, with noise, after its face has been upright for 1 second where it is rolled.
Its last frame counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.tilted import read_faces_zip
from emojify.vision.analyzer import to_gray
from emojify.vision.detectors.combined import FaceDetector
from emojify.vision.detectors.haar import HaarDetector
from emojify.vision.readings import Box
from emojify.vision.tracker import FaceTracker

Gray = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 480
FOUND_IOU = 0.3
FPS = 30
UPRIGHT_FRAMES, SCENE_FRAMES = FPS, 2 * FPS
NOISE = 3.0  # standard deviation, of 255, in each frame of live video


@dataclass(frozen=True)
class Scene:
    """One kind of scene.

    Attributes:
        face_px: width of the face's box; 0 for no face.
        roll: degrees clockwise.
        light: factor of the brightness.
        cover: ``mask`` or ``shades``.
    """

    name: str
    face_px: int = 180
    roll: float = 0.0
    light: float = 1.0
    cover: str = ""


SCENES = (
    Scene("frontal"), Scene("roll 10", roll=10), Scene("roll 20", roll=20), Scene("roll -20", roll=-20),
    Scene("roll 30", roll=30), Scene("roll 45", roll=45), Scene("light .3", light=0.3), Scene("light .12", light=0.12),
    Scene("mask", cover="mask"), Scene("shades", cover="shades"), Scene("60 px", 60), Scene("40 px", 40),
    Scene("320 px", 320), Scene("no face", 0),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, help="a zip of pictures in folders named after the emotions")
    parser.add_argument("--limit", type=int, default=160, help="use this many faces (default: %(default)s)")
    parser.add_argument("--live", type=int, default=40, help="faces in live video (default: %(default)s)")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    people = list(_boxed(options.faces, options.limit))
    background = draw_background()
    haar, photo = HaarDetector(), FaceDetector()
    for scene in SCENES:
        pictures = [draw(scene, gray, box, background) for gray, box in people]
        rows = [
            _measure("Haar", scene, pictures, haar.detect),
            _measure("photo", scene, pictures, lambda gray: [face.box for face in photo.detect(gray)]),
            _measure_live(scene, people[: options.live], background),
        ]
        print(f"{scene.name:9}", "   ".join(rows), flush=True)


def _boxed(archive: Path, limit: int) -> Iterator[tuple[Gray, Box]]:
    """Yield up to ``limit`` faces with their Haar boxes."""
    haar = HaarDetector()
    for _, picture in read_faces_zip(archive, limit * 2)[: limit * 2]:
        gray = to_gray(np.ascontiguousarray(picture))
        if boxes := haar.detect(gray):
            yield gray, boxes[0]
            limit -= 1
            if not limit:
                return


def draw_background() -> Gray:
    """Return a blurred scene, (480, 640) uint8."""
    noise = np.random.default_rng(7).uniform(0, 255, (12, 16)).astype(np.float32)
    return np.clip(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def draw(scene: Scene, gray: Gray, box: Box, background: Gray, roll: float | None = None, seed: int = 1) -> Gray:
    """Return the scene with a face in its middle, (480, 640) uint8.

    Args:
        gray: a picture with the face.
        box: of the face.
        background: of :func:`draw_background`.
        roll: in place of the scene's own.
        seed: of the noise in a dark scene.
    """
    out, half = background.copy(), scene.face_px / 2
    if scene.face_px:
        turn = -(scene.roll if roll is None else roll)
        matrix = cv2.getRotationMatrix2D(box.center, turn, scene.face_px / box.width)
        matrix[:, 2] += np.array([WIDTH / 2 - box.center[0], HEIGHT / 2 - box.center[1]])
        inside = cv2.warpAffine(np.full_like(gray, 255), matrix, (WIDTH, HEIGHT)) > 127
        out[inside] = cv2.warpAffine(gray, matrix, (WIDTH, HEIGHT))[inside]
    left, right, middle = round(WIDTH / 2 - half), round(WIDTH / 2 + half), HEIGHT // 2
    if scene.cover == "mask":
        cv2.rectangle(out, (left, round(middle + half * 0.2)), (right, round(middle + half * 1.2)), 180, -1)
    if scene.cover == "shades":
        cv2.rectangle(out, (left, round(middle - half * 0.4)), (right, middle), 20, -1)
    if scene.light == 1:
        return out
    noise = np.random.default_rng(seed).normal(0, 4, out.shape)
    return np.clip(out * scene.light + noise, 0, 255).astype(np.uint8)


def is_found(box: Box, scene: Scene) -> bool:
    """Return True if a box is on the scene's face."""
    left, top = round((WIDTH - scene.face_px) / 2), round((HEIGHT - scene.face_px) / 2)
    return bool(scene.face_px) and box.iou(Box(left, top, scene.face_px, scene.face_px)) > FOUND_IOU


def play(scene: Scene, gray: Gray, box: Box, background: Gray) -> Iterator[Gray]:
    """Yield the frames of live video in which the face turns to the scene's roll and stays so."""
    rng = np.random.default_rng(3)
    upright = UPRIGHT_FRAMES if scene.roll else 0
    for number in range(upright + SCENE_FRAMES):
        progress = min(1.0, max(0.0, (number - upright) / (SCENE_FRAMES - FPS / 2)))
        frame = draw(scene, gray, box, background, scene.roll * progress if scene.roll else 0.0, seed=number)
        yield np.clip(frame + rng.normal(0, NOISE * scene.light, frame.shape), 0, 255).astype(np.uint8)


def _measure(name: str, scene: Scene, pictures: list[Gray], find: Callable[[Gray], list[Box]]) -> str:
    start_s = time.process_time()
    found = [find(picture) for picture in pictures]
    return _row(name, scene, found, time.process_time() - start_s, len(pictures))


def _measure_live(scene: Scene, people: list[tuple[Gray, Box]], background: Gray) -> str:
    found, spent_s, frames = [], 0.0, 0
    for gray, box in people:
        tracker, boxes = FaceTracker(), []
        for number, frame in enumerate(play(scene, gray, box, background)):
            start_s = time.process_time()
            boxes = [face.box for face in tracker.update(frame, number / FPS)]
            spent_s += time.process_time() - start_s
            frames += 1
        found.append(boxes)
    return _row("live", scene, found, spent_s, frames)


def _row(name: str, scene: Scene, found: list[list[Box]], spent_s: float, pictures: int) -> str:
    hits = np.mean([any(is_found(box, scene) for box in boxes) for boxes in found])
    false = np.mean([sum(not is_found(box, scene) for box in boxes) for boxes in found])
    return f"{name} {hits:.2f} (false {false:.3f}) {spent_s * 1000 / pictures:5.1f} ms"


if __name__ == "__main__":
    main()
