"""Tracking of faces, with a photograph moved through a video."""

from typing import Any

import cv2
import numpy as np
import pytest

from emojify.vision.detectors.combined import FaceDetector
from emojify.vision.readings import Box, Face
from emojify.vision.tracker import FRAMES_BETWEEN_SCANS, SCANS, FaceTracker
from tests.helpers.scenes import FACE_PX, HEAD_PX, Gray, face_at, frame

FRAME_S = 1 / 30
FACE_CENTER = (224, 113)  # in the astronaut's picture
FOUND_AFTER = 4  # frames until each scan for faces of this size ran once; the next frame confirms the face


def play(tracker: FaceTracker, image: Gray, numbers: range) -> list[Face]:
    """Update the tracker with the same image several times; return the faces of the last frame."""
    faces: list[Face] = []
    for number in numbers:
        faces = tracker.update(image, number * FRAME_S)
    return faces


class TestTracker:
    def test_moving_face_keeps_its_track(self, gray: Gray) -> None:
        tracker, seen = FaceTracker(), []
        for number in range(40):
            place = (10 + 6 * number, 40 + 3 * number)
            faces = tracker.update(frame(gray, place), number * FRAME_S)
            seen += faces
            if number >= FOUND_AFTER:
                assert [face.box.iou(face_at(place)) > 0.6 for face in faces] == [True]
        assert {face.track_id for face in seen} == {1}

    def test_two_faces_keep_their_own_tracks(self, gray: Gray) -> None:
        tracker, both_found = FaceTracker(), (FOUND_AFTER + 1) * FRAMES_BETWEEN_SCANS
        left_ids, right_ids = set(), set()
        for number in range(both_found + 20):
            left, right = (10 + 2 * number, 30), (410 - 2 * number, 200)
            faces = tracker.update(frame(gray, left, right), number * FRAME_S)
            left_ids |= {face.track_id for face in faces if face.box.iou(face_at(left)) > 0.6}
            right_ids |= {face.track_id for face in faces if face.box.iou(face_at(right)) > 0.6}
            assert len(faces) <= 2
            assert len(faces) == 2 or number < both_found
        assert sorted(left_ids | right_ids) == [1, 2]
        assert len(left_ids) == len(right_ids) == 1

    def test_many_faces_are_searched_every_second_frame(self, gray: Gray, monkeypatch: pytest.MonkeyPatch) -> None:
        tracker, searched = FaceTracker(), 0
        search_around = tracker.detector.haar.search_around

        def counted(*arguments: Any) -> Box | None:
            nonlocal searched
            searched += 1
            return search_around(*arguments)

        monkeypatch.setattr(tracker.detector.haar, "search_around", counted)
        for number in range(90):
            searched = 0
            places = [(x + number % 30, y) for x in (0, 300) for y in (0, 250)]
            faces = tracker.update(frame(gray, *places), number * FRAME_S)
            if number > 60:
                assert searched == 2
                assert all(face.age_s < 1.5 * FRAME_S for face in faces)
                assert all(any(face.box.iou(face_at(place)) > 0.6 for face in faces) for place in places)

    def test_another_face_gets_a_new_track(self, gray: Gray) -> None:
        tracker = FaceTracker()
        (first,) = play(tracker, frame(gray, (20, 20)), range(10))
        (second,) = play(tracker, frame(gray, (400, 250)), range(10, 40))
        assert second.track_id != first.track_id
        assert second.box.iou(face_at((400, 250))) > 0.6

    def test_hidden_face_is_dropped_after_lost_after_s(self, gray: Gray) -> None:
        tracker = FaceTracker()
        play(tracker, frame(gray, (200, 100)), range(10))
        last_seen_s = 9 * FRAME_S
        assert [len(tracker.update(frame(gray), last_seen_s + gone_s)) for gone_s in (0.1, 0.2, 0.25)] == [1, 1, 1]
        assert [len(tracker.update(frame(gray), last_seen_s + gone_s)) for gone_s in (0.27, 0.5)] == [0, 0]

    def test_briefly_hidden_face_keeps_its_track(self, gray: Gray) -> None:
        tracker, shown = FaceTracker(), []
        for number in range(30):
            hidden = number in (10, 11, 12, 20)
            faces = tracker.update(frame(gray) if hidden else frame(gray, (200, 100)), number * FRAME_S)
            assert len(faces) == 1 or number < FOUND_AFTER
            shown += faces
        assert {face.track_id for face in shown} == {1}

    @pytest.mark.parametrize("late", range(FOUND_AFTER))
    def test_face_detected_once_is_not_reported(self, late: int, gray: Gray) -> None:
        tracker, shown = FaceTracker(), []
        for number in range(30):
            image = frame(gray, (200, 100)) if number == late else frame(gray)
            shown += tracker.update(image, number * FRAME_S)
        assert shown == []

    @pytest.mark.slow
    @pytest.mark.parametrize("face_px", [90, 95, 125, 180, 230])
    def test_face_is_found_within_six_frames(self, face_px: int, gray: Gray) -> None:
        head_px = round(face_px * HEAD_PX / FACE_PX)
        image = frame(gray, (100, 0), head_px=head_px)
        for starts_at in range(len(SCANS)):  # for each scan that may be next when the face appears
            tracker = FaceTracker()
            play(tracker, frame(gray), range(starts_at))
            (face,) = play(tracker, image, range(starts_at, starts_at + 6))
            assert face.box.iou(face_at((100, 0), head_px)) > 0.6

    @pytest.mark.parametrize("place", [(40, 30), (280, 170), (480, 330)])
    def test_small_face_is_found_within_thirty_frames(self, place: tuple[int, int], gray: Gray) -> None:
        head_px = round(55 * HEAD_PX / FACE_PX)
        (face,) = play(FaceTracker(), frame(gray, place, head_px=head_px), range(30))
        assert face.box.iou(face_at(place, head_px)) > 0.6

    def test_box_of_still_face_does_not_jitter(self, gray: Gray) -> None:
        tracker, boxes = FaceTracker(), []
        for number in range(30):
            jittered = (200 + number % 2, 100 + number // 2 % 2)  # a pixel of noise
            boxes += [face.box for face in tracker.update(frame(gray, jittered), number * FRAME_S)]
        assert np.ptp(np.array(boxes[10:]), axis=0).max() <= 4

    def test_change_of_frame_size_starts_new_tracks(self, gray: Gray) -> None:
        tracker = FaceTracker()
        image = frame(gray, (400, 250))
        (before,) = play(tracker, image, range(10))
        small = np.asarray(cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
        (after,) = play(tracker, small, range(10, 11 + FOUND_AFTER))
        assert after.track_id != before.track_id
        assert after.box.iou(face_at((200, 125), HEAD_PX // 2)) > 0.6

    def test_tracker_accepts_frames_of_any_size(self, gray: Gray) -> None:
        tracker = FaceTracker()
        for number, size in enumerate([(640, 480), (1, 1), (500, 1), (333, 517), (24, 24), (25, 31)] * 3):
            tracker.update(np.asarray(cv2.resize(frame(gray, (200, 100)), size), np.uint8), number * FRAME_S)
        assert len(play(tracker, frame(gray, (200, 100)), range(20, 21 + FOUND_AFTER))) == 1

    @pytest.mark.parametrize("to_the_left", [False, True])
    def test_head_that_tilts_slowly_stays_tracked(self, to_the_left: bool, gray: Gray) -> None:
        tracker, ids, found, errors = FaceTracker(), set(), 0, []
        (upright,) = FaceDetector().detect(gray)  # the astronaut holds her head at about 10 degrees
        for number in range(60):
            roll = 0.75 * number * (-1 if to_the_left else 1)
            matrix = cv2.getRotationMatrix2D(FACE_CENTER, -roll, 1.4)
            matrix[:, 2] += 320 - FACE_CENTER[0], 220 - FACE_CENTER[1]
            image = np.asarray(cv2.warpAffine(gray, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE), np.uint8)
            faces = tracker.update(image, number * FRAME_S)
            if number >= FOUND_AFTER:
                found += [face.box.iou(Box(254, 154, 132, 132)) > 0.5 and face.age_s == 0 for face in faces] == [True]
                ids |= {face.track_id for face in faces}
                errors += [abs(face.roll - roll - upright.roll) for face in faces]
        assert found >= 0.95 * (60 - FOUND_AFTER)
        assert len(ids) == 1
        assert np.mean(errors) < 10  # the head turns by 45 degrees

    def test_phantom_of_haar_is_never_shown(self, gray: Gray, monkeypatch: pytest.MonkeyPatch) -> None:
        tracker, phantom = FaceTracker(), Box(450, 350, 100, 100)  # blank wall
        haar = tracker.detector.haar
        monkeypatch.setattr(haar, "scan", lambda *_: [phantom])
        monkeypatch.setattr(haar, "search_around", lambda *_: phantom)
        assert play(tracker, frame(gray), range(20)) == []
