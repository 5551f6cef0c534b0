"""The drawn scene: the detector finds its faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from emojify.bench.scene import FRAMES, draw_scene
from emojify.errors import EmojifyError
from emojify.settings import ROOT
from emojify.vision.detectors.haar import HaarDetector
from emojify.vision.tracker import FaceTracker

pytestmark = pytest.mark.slow

PACK = ROOT / "emojis" / "person"


@pytest.mark.parametrize(("size", "faces"), [((640, 480), 1), ((640, 480), 4), ((1280, 720), 1), ((320, 240), 0)])
def test_tracker_finds_the_drawn_faces(size: tuple[int, int], faces: int) -> None:
    scene, tracker = draw_scene(PACK, *size, faces), FaceTracker()
    assert len(scene) == FRAMES
    assert {frame.shape for frame in scene} == {(size[1], size[0], 3)}
    found = []
    for number in range(2 * FRAMES):
        gray = np.asarray(cv2.cvtColor(scene[number % FRAMES], cv2.COLOR_BGR2GRAY), np.uint8)
        found.append(len(tracker.update(gray, number / 30)))
    assert np.mean(found[FRAMES:]) == pytest.approx(faces, abs=0.25)


def test_faces_move() -> None:
    boxes = [
        HaarDetector().detect(np.asarray(frame[..., 0])) for frame in draw_scene(PACK, 640, 480, 1)[:: FRAMES // 4]
    ]
    xs = [box[0].center[0] for box in boxes if box]
    assert np.ptp(xs) > 30


@pytest.mark.parametrize(
    ("width", "height", "faces", "sentence"),
    [
        (640, 480, 10, "0 to 9 faces, not 10"),
        (640, 480, -1, "0 to 9 faces, not -1"),
        (10, 480, 1, "not 10x480"),
        (640, 99999, 1, "not 640x99999"),
    ],
)
def test_impossible_scene_is_rejected(width: int, height: int, faces: int, sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        draw_scene(PACK, width, height, faces)


def test_missing_pack_is_reported(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="from the pack Person"):
        draw_scene(tmp_path, 640, 480, 1)
