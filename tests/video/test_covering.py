"""No face stays bare that a photo would cover: generated films, and the photo's detector looks at their frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from emojify.video.lookahead import LookAhead
from emojify.video.source import TICKS_PER_S, Frame, VideoSource
from emojify.vision.classifier import Classifier
from emojify.vision.detectors import FaceDetector
from emojify.vision.readings import Box, Image, Reading
from tests.helpers.sample_videos import SampleVideo, astronaut, head

HD, PORTRAIT, UHD = (1280, 720), (720, 1280), (3840, 2160)


@dataclass(frozen=True)
class Person:
    """A head in a frame: the center of the head and the width of its face, in pixels."""

    x: float
    y: float
    face_px: float
    mirrored: bool = False


def scene(size: tuple[int, int], people: list[Person], background: int = 0) -> Image:
    """Return a frame of width x height with the astronaut's head at each place, before a blurred background."""
    image = wallpaper(size, background).copy()
    for person in people:
        picture, mask, factor = scaled_head(person.mirrored, person.face_px)
        side = mask.shape[0] * factor
        x, y = person.x - side / 2, person.y - side / 2
        left, top = max(0, int(x) - 2), max(0, int(y) - 2)
        part = image[top : int(y + side) + 3, left : int(x + side) + 3]  # only these pixels change
        place = np.array([[factor, 0, x - left], [0, factor, y - top]])
        shape = part.shape[1], part.shape[0]
        opacity = cv2.warpAffine(mask, place, shape)[:, :, None]
        part[:] = part * (1 - opacity) + cv2.warpAffine(picture, place, shape) * opacity
    return image


@lru_cache(16)
def wallpaper(size: tuple[int, int], number: int) -> Image:
    colors = np.random.default_rng(number).integers(60, 180, (9, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(colors, size, interpolation=cv2.INTER_CUBIC), np.uint8)


@lru_cache(16)
def scaled_head(mirrored: bool, width_px: float) -> tuple[Image, NDArray[np.float32], float]:
    """Return the head blurred as far as it will be reduced, its mask, and the factor to a face of this width."""
    picture, mask, face_px = head(mirrored)
    factor = width_px / face_px
    smoothed = cv2.GaussianBlur(picture, (0, 0), max(0.01, 0.4 / factor)) if factor < 1 else picture
    return np.asarray(smoothed, np.uint8), mask, factor


def somebody(rng: np.random.Generator) -> Person:
    return Person(rng.uniform(200, 1000), rng.uniform(150, 550), rng.uniform(60, 240))


def run(classifier: Classifier, images: Iterator[Image], fps: float) -> list[tuple[Image, list[Reading]]]:
    """Return each frame with its readings."""
    ahead, frames = LookAhead(classifier), []
    for number, image in enumerate(images):
        frames += ahead.push(Frame(image, round(number * TICKS_PER_S / fps), round(TICKS_PER_S / fps)))
    frames += ahead.finish()
    return [(frame.image, readings) for frame, readings in frames]


def bare_faces(frames: list[tuple[Image, list[Reading]]], every: int = 1) -> list[tuple[int, Box]]:
    """Return the faces that the photo's detector finds in every n-th and the last frame, and that no reading covers."""
    detector = FaceDetector()
    bare, faces = [], 0
    for number, (image, readings) in enumerate(frames):
        if number % every and number != len(frames) - 1:
            continue
        for found in detector.detect(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)):
            faces += 1
            if not any(covers(reading.box, found.box) for reading in readings):
                bare.append((number, found.box))
    assert faces
    return bare


def covers(box: Box, face: Box) -> bool:
    """Return True if an emoji at ``box`` covers the middle of a face and is about as large."""
    (x, y), (face_x, face_y), reach = box.center, face.center, 0.3 * face.width
    return abs(x - face_x) < reach and abs(y - face_y) < reach and box.width > 0.75 * face.width


@pytest.mark.slow
@pytest.mark.parametrize(("size", "frames"), [(HD, 30), (PORTRAIT, 30), (UHD, 10)])
def test_small_moving_face_is_covered(classifier: Classifier, size: tuple[int, int], frames: int) -> None:
    longer = max(size)
    people = [
        [Person(size[0] * 0.3 + 0.003 * longer * number, size[1] * 0.4, 0.034 * longer)] for number in range(frames)
    ]
    assert not bare_faces(run(classifier, (scene(size, there) for there in people), 25), every=4)


@pytest.mark.slow
@pytest.mark.parametrize("backgrounds", [6, 1])
def test_each_slide_of_gif_is_covered(classifier: Classifier, tmp_path: Path, backgrounds: int) -> None:
    rng = np.random.default_rng(3)
    slides = [scene(HD, [somebody(rng)], number % backgrounds) for number in range(6)]
    pictures = [PillowImage.fromarray(slide[:, :, ::-1]) for slide in slides]
    pictures[0].save(tmp_path / "in.gif", save_all=True, append_images=pictures[1:], duration=1000)
    with VideoSource(tmp_path / "in.gif") as video:
        frames = run(classifier, (item.image for item in video if isinstance(item, Frame)), 1)
    assert len(frames) == 6
    assert not bare_faces(frames)


@pytest.mark.slow
def test_each_slide_of_mp4_is_covered(classifier: Classifier, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    slides = [scene(HD, [somebody(rng)]) for _ in range(6)]
    source = SampleVideo(image=lambda time_s: slides[int(time_s / 0.4)], times_ms=tuple(range(0, 2400, 40)))
    with VideoSource(source.write(tmp_path / "in.mp4")) as video:
        frames = run(classifier, (item.image for item in video if isinstance(item, Frame)), 25)
    assert not bare_faces(frames, every=5)


@pytest.mark.slow
def test_last_picture_before_cut_is_covered(classifier: Classifier) -> None:
    def film() -> Iterator[Image]:
        for cut in range(4):
            for number in range(8):
                people = [Person(300 + 260 * j + 4 * number, 250 + 60 * j, 60 + 30 * j, j == 1) for j in range(3)]
                yield scene(HD, people if number >= 4 else people[:2], background=cut)

    frames = run(classifier, film(), 25)
    ends = [frame for number, frame in enumerate(frames) if number % 8 in (0, 7)]
    assert not bare_faces(ends)


@pytest.mark.slow
def test_group_of_seven_is_covered(classifier: Classifier) -> None:
    def film() -> Iterator[Image]:
        for number in range(30):
            yield scene(
                HD,
                [
                    Person(120 + 170 * j + 3 * number * (-1) ** j, 200 + j % 3 * 150, 60 + 8 * j, j % 2 == 1)
                    for j in range(7)
                ],
            )

    frames = run(classifier, film(), 25)
    assert not bare_faces(frames, every=6)
    assert max(len(readings) for _, readings in frames) == 7


@pytest.mark.slow
def test_near_and_far_face_are_covered(classifier: Classifier) -> None:
    def film() -> Iterator[Image]:
        for number in range(30):
            yield scene(HD, [Person(350 + 3 * number, 380, 260), Person(1000 - 4 * number, 150, 45, True)])

    assert not bare_faces(run(classifier, film(), 25), every=6)


@pytest.mark.slow
def test_face_that_comes_and_goes_is_covered(classifier: Classifier) -> None:
    def film() -> Iterator[Image]:
        for number in range(36):
            late = [Person(640, 300, 100)] if number >= 13 else []
            early = [Person(200 + 3 * number, 500, 50, True)] if number < 22 else []
            yield scene(HD, late + early)

    assert not bare_faces(run(classifier, film(), 25), every=3)


@pytest.mark.slow
def test_face_lost_for_long_is_noted(classifier: Classifier) -> None:
    ahead = LookAhead(classifier)
    there = astronaut().astype(np.float32)
    gone = there.copy()
    gone[30:200, 50:210] = cv2.GaussianBlur(gone[30:200, 50:210], (0, 0), 30)
    for number in range(75):
        share = float(np.interp(number, [14, 22, 55, 63], [0, 1, 1, 0]))  # gradual, or it would be a cut
        image = (there * (1 - share) + gone * share).astype(np.uint8)
        image[240:] = 40 + number % 2 * 30  # something always moves
        ahead.push(Frame(image, number * TICKS_PER_S // 25, TICKS_PER_S // 25))
    ahead.finish()
    assert ahead.gaps == [pytest.approx((0.7, 2.35), abs=0.25)]
