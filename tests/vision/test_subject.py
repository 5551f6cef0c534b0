"""The face that a person would name the subject, in pictures and in a video."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emojify.vision.readings import Box, Face
from emojify.vision.subject import SubjectWeights, subject_weight
from tests.helpers.scenes import face_at, frame

Gray = NDArray[np.uint8]
LEFT, MIDDLE = (20, 20), (215, 135)


def face(place: tuple[int, int], track_id: int = 1, head_px: int = 210) -> Face:
    return Face(face_at(place, head_px), track_id)


def subject(weighed: list[Face]) -> int:
    return max(weighed, key=lambda one: one.box.area * one.weight).track_id


def test_face_in_the_middle_weighs_more(gray: Gray) -> None:
    picture = frame(gray, LEFT, MIDDLE)
    assert subject_weight(picture, face(MIDDLE)) > 1.2 * subject_weight(picture, face(LEFT))


def test_sharp_face_weighs_more(gray: Gray) -> None:
    picture = frame(gray, MIDDLE)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)
    assert subject_weight(picture, face(MIDDLE)) > 1.5 * subject_weight(blurred, face(MIDDLE))


def test_single_face_is_the_subject_wherever_it_is(gray: Gray) -> None:
    (only,) = SubjectWeights().update(frame(gray, LEFT), [face(LEFT)], 0.0)
    assert only.weight == 1


def test_larger_face_at_the_edge_is_not_the_subject(gray: Gray) -> None:
    """A blurred face at the edge of the picture does not become the main face, although it is larger."""
    picture = frame(gray, (0, 250), head_px=230)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)
    picture[135:345, 215:425] = frame(gray, MIDDLE)[135:345, 215:425]
    faces = [Face(face_at((0, 250), 230), 1), face(MIDDLE, 2)]
    assert faces[0].box.area > faces[1].box.area
    assert subject(SubjectWeights().update(picture, faces, 0.0)) == 2


def test_subject_stays_while_two_alike_faces_jitter(gray: Gray) -> None:
    places, weights, rng = ((60, 135), (370, 135)), SubjectWeights(), np.random.default_rng(0)
    seen = set()
    for number in range(60):
        sides = rng.integers(-4, 5, 2)
        faces = [
            Face(Box(box.x, box.y, box.width + int(more), box.height + int(more)), track_id)
            for track_id, (box, more) in enumerate(zip(map(face_at, places), sides, strict=True), start=1)
        ]
        seen.add(subject(weights.update(frame(gray, *places), faces, number / 30)))
    assert len(seen) == 1


@pytest.mark.parametrize("number", [1, 2])
def test_face_that_comes_clearly_nearer_becomes_the_subject(gray: Gray, number: int) -> None:
    weights, picture = SubjectWeights(), frame(gray, (60, 135), (370, 135))
    boxes = [face_at((60, 135)), face_at((370, 135))]
    weights.update(picture, [Face(boxes[0], 1), Face(boxes[1], 2)], 0.0)
    near = boxes[number - 1]
    boxes[number - 1] = Box(near.x - 40, near.y - 40, near.width + 80, near.height + 80)
    assert subject(weights.update(picture, [Face(boxes[0], 1), Face(boxes[1], 2)], 1.0)) == number
