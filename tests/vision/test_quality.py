"""The quality of live analysis compared with full scans of single frames, and in scenes that are hard for Haar."""

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.scenes import SCENES, Scene, draw_background, is_found, play
from emojify.models import ModelStore
from emojify.settings import ROOT
from emojify.vision.analyzer import VideoAnalyzer, analyze_photo, to_gray
from emojify.vision.readings import Box, Image, Reading
from emojify.vision.smoothing import SmoothingSettings

pytestmark = pytest.mark.slow

FRAMES = 180
COMPARED = range(30, FRAMES, 6)  # after the face is found; a full scan of every frame would take too long
MAX_LOSS = 0.01  # share of frames without the face, or with another emotion
FACE = np.array([[177, 66], [272, 161]])  # the face's corners in the astronaut's picture


def clip(astronaut: Image) -> list[tuple[Image, Box]]:
    """Draw six seconds in which the astronaut moves back and forth and sideways and the light changes, with noise.

    Returns:
        The frames, each with the box of the face.
    """
    noise = np.random.default_rng(0).normal(0, 3, (8, 480, 640, 3)).astype(np.float32)
    frames = []
    for number in range(FRAMES):
        angle = 2 * math.pi * number / FRAMES
        zoom = 1.3 - 0.5 * math.cos(angle)
        shift = (320 - 224 * zoom + 60 * math.sin(2 * angle), 220 - 113 * zoom + 20 * math.sin(3 * angle))
        move = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        image = cv2.warpAffine(astronaut, move, (640, 480), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        image = image * (0.85 + 0.15 * math.sin(angle)) + noise[number % len(noise)]
        (left, top), (right, bottom) = np.rint(FACE * zoom + shift).astype(int).tolist()
        frames.append((np.clip(image, 0, 255).astype(np.uint8), Box(left, top, right - left, bottom - top)))
    return frames


def read_at(face: Box, readings: list[Reading]) -> Reading | None:
    near = [reading for reading in readings if reading.box.iou(face) > 0.5]
    return near[0] if near else None


def test_live_analysis_matches_full_scans(astronaut: NDArray[np.uint8]) -> None:
    classifier = ModelStore(ROOT / "models").open().classifier
    live = VideoAnalyzer(classifier, smoothing=SmoothingSettings(time_constant_s=0, threshold=0))
    pairs = []
    for number, (image, face) in enumerate(clip(astronaut)):
        read = read_at(face, live.analyze(image, number / 30))
        if number in COMPARED:
            pairs.append((read_at(face, analyze_photo(image, classifier)), read))
    found_by_full_scan = [pair for pair in pairs if pair[0] is not None]
    assert len(found_by_full_scan) > 0.9 * len(COMPARED)  # otherwise the comparison says little
    both = [(full.probabilities, live.probabilities) for full, live in found_by_full_scan if full and live]
    assert len(both) >= (1 - MAX_LOSS) * len(found_by_full_scan)
    same = [full.argmax() == live.argmax() for full, live in both]
    assert np.mean(same) >= 1 - MAX_LOSS
    assert np.mean([np.abs(full - live).max() for full, live in both]) < 0.05


LAST_FRAMES = 15


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_live_video_finds_and_reads_the_face_of_a_hard_scene(scene: Scene, astronaut: NDArray[np.uint8]) -> None:
    """In the last half second the face is found in every frame, nothing else is, and it reads as upright."""
    classifier = ModelStore(ROOT / "models").open().classifier
    live = VideoAnalyzer(classifier, smoothing=SmoothingSettings(threshold=0))
    (left, top), (right, bottom) = FACE.tolist()
    face = Box(left, top, right - left, bottom - top)
    frames = []
    for number, gray in enumerate(play(scene, to_gray(astronaut), face, draw_background())):
        frames.append(live.analyze(np.repeat(gray[:, :, np.newaxis], 3, axis=2), number / 30))
    for readings in frames[-LAST_FRAMES:]:
        assert len(readings) == bool(scene.face_px)
        assert all(is_found(reading.box, scene) for reading in readings)
        if scene.roll:
            assert {reading.emotion for reading in readings} == {frames[20][0].emotion}
