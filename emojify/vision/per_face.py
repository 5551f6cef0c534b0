"""A different emoji for each person in the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from emojify.vision.annotators import Annotator
from emojify.vision.readings import Image, Reading

MAX_REMEMBERED = 64
"""Faces whose emoji is kept while they are out of view."""


class AnnotatorPerFace:
    """Draws each face with one of several annotators. A face keeps its annotator for as long as it is tracked.

    Not thread-safe: one instance per video.

    Args:
        annotators: at least one; the first face gets the first. They must not change the size of the scene.

    Example:
        >>> annotator = AnnotatorPerFace([Sticker(cat), Sticker(robot)])
        >>> shown = annotator.annotate(image, readings)
    """

    def __init__(self, annotators: Sequence[Annotator]) -> None:
        self._annotators = tuple(annotators)
        self._assigned: dict[int, int] = {}

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        self._assign(sorted(reading.face.track_id for reading in readings))
        for reading in sorted(readings, key=lambda reading: reading.box.area):
            scene = self._annotators[self._assigned[reading.face.track_id]].annotate(scene, [reading])
        return scene

    def _assign(self, tracks: list[int]) -> None:
        """Give each new face the annotator that the fewest faces in view have."""
        used = Counter(self._assigned[track] for track in tracks if track in self._assigned)
        for track in tracks:
            # The faces in view are moved to the end, so that the ones forgotten are those out of view for longest.
            number = self._assigned.pop(track, None)
            if number is None:
                number = min(range(len(self._annotators)), key=lambda index: (used[index], index))
                used[number] += 1
            self._assigned[track] = number
        for track in list(self._assigned)[: -max(MAX_REMEMBERED, len(tracks))]:
            del self._assigned[track]
