"""The Haar detector on a photograph."""

import cv2
import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.vision.detectors.haar import DetectorSettings, HaarDetector, Scan
from emojify.vision.readings import Box
from emojify.vision.tracker import SCANS
from tests.helpers.scenes import Gray, face_at, frame

pytestmark = pytest.mark.slow


class TestDetector:
    def test_detect_finds_the_face_once(self, gray: Gray) -> None:
        (box,) = HaarDetector().detect(gray)
        assert box.iou(Box(177, 66, 95, 95)) > 0.8

    def test_scan_returns_pixels_of_the_whole_image(self, gray: Gray) -> None:
        (box,) = HaarDetector().scan(gray, Scan(200))  # 37 pixels wide in the shrunken image
        assert box.iou(Box(177, 66, 95, 95)) > 0.7

    @pytest.mark.parametrize(("frame_px", "largest"), [(80, True), (512, False)])
    def test_scan_ignores_faces_of_other_sizes(self, frame_px: int, largest: bool, gray: Gray) -> None:
        assert HaarDetector().scan(gray, Scan(frame_px, largest)) == []

    @pytest.mark.parametrize("x", [215, 265])  # the face is left of, and across, the middle of the frame
    def test_scan_finds_faces_between_two_parts(self, x: int, gray: Gray) -> None:
        picture = frame(gray, (x, 20))
        parts = [HaarDetector().scan(picture, Scan(200, parts=(2, 1), part=(column, 0))) for column in range(2)]
        assert any(box.iou(face_at((x, 20))) > 0.7 for found in parts for box in found)

    def test_detect_returns_the_largest_face_first(self, gray: Gray) -> None:
        picture = frame(gray, (20, 20), (20, 250), size=(800, 500))
        picture[100:415, 400:715] = cv2.resize(gray[20:230, 120:330], (315, 315))
        boxes = HaarDetector().detect(picture)
        assert len(boxes) == 3
        assert boxes[0].iou(Box(485, 169, 143, 143)) > 0.7
        assert sorted(box.y > 250 for box in boxes[1:]) == [False, True]

    @pytest.mark.parametrize(
        "image",
        [
            pytest.param(np.zeros((480, 640), np.uint8), id="black"),
            pytest.param(np.full((480, 640), 255, np.uint8), id="white"),
            pytest.param(np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8), id="noise"),
            pytest.param(np.zeros((1, 1), np.uint8), id="1x1"),
            pytest.param(np.zeros((1, 500), np.uint8), id="one row"),
            pytest.param(np.zeros((500, 1), np.uint8), id="one column"),
            pytest.param(np.zeros((2, 5000), np.uint8), id="shrinks to half a row"),
            pytest.param(np.zeros((23, 640), np.uint8), id="smaller than the cascade's window"),
            pytest.param(np.zeros((25, 31), np.uint8), id="slightly larger than the cascade's window"),
        ],
    )
    def test_detect_finds_nothing_without_a_face(self, image: Gray) -> None:
        assert HaarDetector().detect(image) == []
        assert [HaarDetector().scan(image, scan) for scan in SCANS] == [[]] * len(SCANS)

    @pytest.mark.parametrize("size", [(333, 517), (641, 479)])
    def test_detect_accepts_odd_image_sizes(self, size: tuple[int, int], gray: Gray) -> None:
        (box,) = HaarDetector().detect(np.asarray(cv2.resize(gray, size), np.uint8))
        x, y = box.center
        assert x / size[0] == pytest.approx(224 / 512, abs=0.03)
        assert y / size[1] == pytest.approx(113 / 512, abs=0.03)

    def test_search_around_finds_a_moved_face(self, gray: Gray) -> None:
        found = HaarDetector().search_around(gray, Box(165, 80, 95, 95))
        assert found is not None
        assert found.iou(Box(177, 66, 95, 95)) > 0.7

    @pytest.mark.parametrize(
        "box",
        [Box(380, 350, 95, 95), Box(505, 505, 6, 6), Box(600, 600, 95, 95), Box(-200, -200, 95, 95)],
        ids=["elsewhere", "tiny, in the corner", "beyond the image", "before the image"],
    )
    def test_search_around_returns_none_without_a_face(self, box: Box, gray: Gray) -> None:
        assert HaarDetector().search_around(gray, box) is None


@pytest.mark.parametrize(
    ("scale_factor", "min_neighbors", "sentence"),
    [
        (1.0, 5, "scaleFactor must be between 1.01 and 2, not 1.0"),  # OpenCV would not terminate
        (2.5, 5, "scaleFactor"),
        (float("nan"), 5, "scaleFactor"),
        (1.1, 0, "minNeighbors must be between 1 and 20, not 0"),
        (1.1, 21, "minNeighbors"),
    ],
)
def test_settings_out_of_range_are_rejected(scale_factor: float, min_neighbors: int, sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        DetectorSettings(scale_factor, min_neighbors)


@pytest.mark.parametrize(("scale_factor", "min_neighbors"), [(1.01, 1), (1.1, 5), (2, 20)])
def test_settings_in_range_are_accepted(scale_factor: float, min_neighbors: int) -> None:
    assert DetectorSettings(scale_factor, min_neighbors).scale_factor == scale_factor
