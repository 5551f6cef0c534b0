"""Finding faces in a picture and following them through a video, on a real face."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.vision.detector import FRAMES_BETWEEN_SCANS, SCAN_BANDS_PX, DetectorSettings, FaceDetector, FaceTracker
from emojify.vision.readings import Box, Face

Grey = NDArray[np.uint8]

FRAME_S = 1 / 30
FOUND_AFTER = len(SCAN_BANDS_PX)  # frames, each for faces of other sizes; in the one after that it is confirmed
FACE_AT = (57, 46)  # of the face's box in the part of the astronaut that is pasted into frames


@pytest.fixture
def grey(astronaut: NDArray[np.uint8]) -> Grey:
    return np.asarray(cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY), np.uint8)


def frame(grey: Grey, *places: tuple[int, int], size: tuple[int, int] = (640, 480)) -> Grey:
    """A grey frame with the astronaut's head at each place, (x, y) of its top left corner."""
    blank = np.full((size[1], size[0]), 128, np.uint8)
    for x, y in places:
        blank[y : y + 210, x : x + 210] = grey[20:230, 120:330]
    return blank


def play(tracker: FaceTracker, image: Grey, numbers: range) -> list[Face]:
    """The faces in the last of some frames that all show the same."""
    return [tracker.update(image, number * FRAME_S) for number in numbers][-1]


def face_at(place: tuple[int, int]) -> Box:
    return Box(place[0] + FACE_AT[0], place[1] + FACE_AT[1], 95, 95)


class TestDetector:
    def test_the_astronauts_face_is_found_once_and_where_it_is(self, grey: Grey) -> None:
        (box,) = FaceDetector().detect(grey)
        assert box.overlap(Box(177, 66, 95, 95)) > 0.8

    def test_a_quick_scan_answers_in_pixels_of_the_whole_image(self, grey: Grey) -> None:
        (box,) = FaceDetector().detect_in_band(grey, 40, 100)  # 59 pixels wide in the shrunken image
        assert box.overlap(Box(177, 66, 95, 95)) > 0.7

    @pytest.mark.parametrize(("smallest_px", "largest_px"), [(24, 40), (90, 320)])
    def test_a_quick_scan_finds_no_faces_of_other_sizes(self, smallest_px: int, largest_px: int, grey: Grey) -> None:
        assert FaceDetector().detect_in_band(grey, smallest_px, largest_px) == []

    def test_every_face_is_found_largest_first(self, grey: Grey) -> None:
        picture = frame(grey, (20, 20), (20, 250), size=(800, 500))
        picture[100:415, 400:715] = cv2.resize(grey[20:230, 120:330], (315, 315))
        boxes = FaceDetector().detect(picture)
        assert len(boxes) == 3
        assert boxes[0].overlap(Box(485, 169, 143, 143)) > 0.7
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
            pytest.param(np.zeros((23, 640), np.uint8), id="lower than the cascade's window"),
            pytest.param(np.zeros((25, 31), np.uint8), id="hardly larger than the cascade's window"),
        ],
    )
    def test_without_a_face_none_is_found(self, image: Grey) -> None:
        assert FaceDetector().detect(image) == []
        assert [FaceDetector().detect_in_band(image, *band) for band in SCAN_BANDS_PX] == [[]] * len(SCAN_BANDS_PX)

    @pytest.mark.parametrize("size", [(333, 517), (641, 479)])
    def test_odd_sizes_are_no_matter(self, size: tuple[int, int], grey: Grey) -> None:
        (box,) = FaceDetector().detect(np.asarray(cv2.resize(grey, size), np.uint8))
        x, y = box.centre
        assert x / size[0] == pytest.approx(224 / 512, abs=0.03)
        assert y / size[1] == pytest.approx(113 / 512, abs=0.03)

    def test_a_face_is_found_again_near_where_it_was(self, grey: Grey) -> None:
        found = FaceDetector().search_around(grey, Box(165, 80, 95, 95))
        assert found is not None
        assert found.overlap(Box(177, 66, 95, 95)) > 0.7

    @pytest.mark.parametrize(
        "box",
        [Box(380, 350, 95, 95), Box(505, 505, 6, 6), Box(600, 600, 95, 95), Box(-200, -200, 95, 95)],
        ids=["elsewhere", "tiny, in the corner", "beyond the image", "before the image"],
    )
    def test_a_face_is_not_found_where_it_never_was(self, box: Box, grey: Grey) -> None:
        assert FaceDetector().search_around(grey, box) is None


@pytest.mark.parametrize(
    ("scale_factor", "min_neighbors", "sentence"),
    [
        (1.0, 5, "scaleFactor must be between 1.01 and 2, not 1.0"),  # OpenCV would never end
        (2.5, 5, "scaleFactor"),
        (float("nan"), 5, "scaleFactor"),
        (1.1, 0, "minNeighbors must be between 1 and 20, not 0"),
        (1.1, 21, "minNeighbors"),
    ],
)
def test_settings_out_of_range_are_refused(scale_factor: float, min_neighbors: int, sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        DetectorSettings(scale_factor, min_neighbors)


@pytest.mark.parametrize(("scale_factor", "min_neighbors"), [(1.01, 1), (1.1, 5), (2, 20)])
def test_settings_in_range_are_taken(scale_factor: float, min_neighbors: int) -> None:
    assert DetectorSettings(scale_factor, min_neighbors).scale_factor == scale_factor


class TestTracker:
    def test_a_moving_face_keeps_its_identity_and_its_box_follows(self, grey: Grey) -> None:
        tracker, seen = FaceTracker(), []
        for number in range(40):
            place = (10 + 6 * number, 40 + 3 * number)
            faces = tracker.update(frame(grey, place), number * FRAME_S)
            seen += faces
            if number >= FOUND_AFTER:
                assert [face.box.overlap(face_at(place)) > 0.6 for face in faces] == [True]
        assert {face.track_id for face in seen} == {1}

    def test_two_faces_keep_their_own_identities(self, grey: Grey) -> None:
        tracker, both_found = FaceTracker(), FOUND_AFTER * FRAMES_BETWEEN_SCANS + 1
        left_ids, right_ids = set(), set()
        for number in range(both_found + 20):
            left, right = (10 + 2 * number, 30), (410 - 2 * number, 200)
            faces = tracker.update(frame(grey, left, right), number * FRAME_S)
            left_ids |= {face.track_id for face in faces if face.box.overlap(face_at(left)) > 0.6}
            right_ids |= {face.track_id for face in faces if face.box.overlap(face_at(right)) > 0.6}
            assert len(faces) <= 2
            assert len(faces) == 2 or number < both_found
        assert sorted(left_ids | right_ids) == [1, 2]
        assert len(left_ids) == len(right_ids) == 1

    def test_another_face_gets_a_new_identity(self, grey: Grey) -> None:
        tracker = FaceTracker()
        (first,) = play(tracker, frame(grey, (20, 20)), range(10))
        (second,) = play(tracker, frame(grey, (400, 250)), range(10, 40))
        assert second.track_id != first.track_id
        assert second.box.overlap(face_at((400, 250))) > 0.6

    def test_a_face_out_of_sight_is_lost_after_three_tenths_of_a_second_and_not_before(self, grey: Grey) -> None:
        tracker = FaceTracker()
        play(tracker, frame(grey, (200, 100)), range(10))
        last_seen_s = 9 * FRAME_S
        assert [len(tracker.update(frame(grey), last_seen_s + gone_s)) for gone_s in (0.1, 0.2, 0.29)] == [1, 1, 1]
        assert [len(tracker.update(frame(grey), last_seen_s + gone_s)) for gone_s in (0.31, 0.5)] == [0, 0]

    def test_a_face_that_was_hidden_for_a_moment_is_the_same(self, grey: Grey) -> None:
        tracker, shown = FaceTracker(), []
        for number in range(30):
            hidden = number in (10, 11, 12, 20)
            faces = tracker.update(frame(grey) if hidden else frame(grey, (200, 100)), number * FRAME_S)
            assert len(faces) == 1 or number < FOUND_AFTER
            shown += faces
        assert {face.track_id for face in shown} == {1}

    @pytest.mark.parametrize("late", range(FOUND_AFTER))
    def test_a_face_seen_once_is_never_shown(self, late: int, grey: Grey) -> None:
        tracker, shown = FaceTracker(), []
        for number in range(30):
            image = frame(grey, (200, 100)) if number == late else frame(grey)
            shown += tracker.update(image, number * FRAME_S)
        assert shown == []

    @pytest.mark.parametrize("size", [150, 210, 270, 330, 400, 480])
    def test_a_face_of_any_size_is_soon_found(self, size: int, grey: Grey) -> None:
        image = np.full((480, 640), 128, np.uint8)
        image[:size, 100 : 100 + size] = cv2.resize(grey[20:230, 120:330], (size, size))
        (face,) = play(FaceTracker(), image, range(FOUND_AFTER + 1))
        assert face.box.width == pytest.approx(95 / 210 * size, rel=0.25)

    def test_the_box_of_a_face_that_keeps_still_does_not_tremble(self, grey: Grey) -> None:
        tracker, boxes = FaceTracker(), []
        for number in range(30):
            jittered = (200 + number % 2, 100 + number // 2 % 2)  # a pixel of noise
            boxes += [face.box for face in tracker.update(frame(grey, jittered), number * FRAME_S)]
        assert np.ptp(np.array(boxes[10:]), axis=0).max() <= 4

    def test_a_change_of_size_starts_afresh_and_finds_the_face_in_the_new_frame(self, grey: Grey) -> None:
        tracker = FaceTracker()
        image = frame(grey, (400, 250))
        (before,) = play(tracker, image, range(10))
        small = np.asarray(cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
        (after,) = play(tracker, small, range(10, 11 + FOUND_AFTER))
        assert after.track_id != before.track_id
        assert after.box.overlap(Box(228, 148, 48, 48)) > 0.6

    def test_frames_of_any_size_in_a_row_do_no_harm(self, grey: Grey) -> None:
        tracker = FaceTracker()
        for number, size in enumerate([(640, 480), (1, 1), (500, 1), (333, 517), (24, 24), (25, 31)] * 3):
            tracker.update(np.asarray(cv2.resize(frame(grey, (200, 100)), size), np.uint8), number * FRAME_S)
        assert len(play(tracker, frame(grey, (200, 100)), range(20, 21 + FOUND_AFTER))) == 1
