"""A different emoji for each face: stable, and as different as possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.per_face import MAX_REMEMBERED, AnnotatorPerFace
from emojify.vision.placement import Placement
from emojify.vision.readings import Box, Face, Image, Reading


class Mark:
    """Writes its number into the upper left pixel of each box."""

    def __init__(self, number: int) -> None:
        self.number = number

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        for reading in readings:
            scene[reading.box.y, reading.box.x] = self.number
        return scene


def numbers(annotator: AnnotatorPerFace, *tracks: int) -> list[int]:
    """Return the number of the annotator that draws each track."""
    scene = np.zeros((1, len(tracks), 3), np.uint8)
    readings = [
        Reading(Face(Box(x, 0, 1, 1), track), np.full(7, 1 / 7, np.float32), Emotion.HAPPY, True)
        for x, track in enumerate(tracks)
    ]
    return [int(number) for number in annotator.annotate(scene, readings)[0, :, 0]]


@pytest.fixture
def annotator() -> AnnotatorPerFace:
    return AnnotatorPerFace([Mark(1), Mark(2), Mark(3)])


def test_faces_in_view_get_different_annotators(annotator: AnnotatorPerFace) -> None:
    assert numbers(annotator, 5, 2, 9) == [2, 1, 3]  # the oldest face gets the first
    assert sorted(numbers(annotator, 20, 23, 26)) == [1, 2, 3]


def test_face_keeps_annotator(annotator: AnnotatorPerFace) -> None:
    first = dict(zip((1, 2), numbers(annotator, 1, 2), strict=True))
    numbers(annotator, 7)  # the others are out of view
    assert dict(zip((2, 7, 1), numbers(annotator, 2, 7, 1), strict=True)).items() >= first.items()


def test_more_faces_than_annotators_share(annotator: AnnotatorPerFace) -> None:
    assert sorted(numbers(annotator, *range(6))) == [1, 1, 2, 2, 3, 3]


def test_remembered_faces_are_limited(annotator: AnnotatorPerFace) -> None:
    for track in range(3 * MAX_REMEMBERED):
        numbers(annotator, track)
    assert len(annotator._assigned) == MAX_REMEMBERED
    crowd = range(1000, 1000 + 2 * MAX_REMEMBERED)
    assert numbers(annotator, *crowd) == numbers(annotator, *crowd)


@pytest.mark.parametrize("placement", [{"size": 0.4}, {"size": 2.1}, {"rise": -0.6}, {"rise": float("nan")}])
def test_placement_out_of_range_is_refused(placement: dict[str, float]) -> None:
    with pytest.raises(EmojifyError, match=next(iter(placement))):
        Placement(**placement)
