"""Takes crops of a face from the running video: 3, 2, 1, then about thirty in three seconds.

It is an annotator, so it is given each frame with what was read in it, before anything is drawn. Nothing is written to
the disk here: a frame that waits for one stops the video.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.vision.analyzer import to_gray
from emojify.vision.annotators import Annotator
from emojify.vision.cutout import Cutout, cut_out, foreground_faces
from emojify.vision.readings import Image, Reading

COUNTDOWN_S = 3.0
RECORDING_S = 3.0
CROPS = 30
COVERED_CONTRAST = 12.0  # standard deviation of the gray values under which the camera sees nothing
MIN_SEEN = 0.3  # share of the frames in which there must be a face
MAX_CROWDED = 0.3  # share of the frames in which there may be several


class Phase(Enum):
    """What the recorder is about."""

    IDLE = "idle"
    COUNTDOWN = "countdown"
    RECORDING = "recording"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    """Where a recording is: of what, how many whole seconds until it begins, and how many crops it has."""

    phase: Phase
    emotion: Emotion | None
    seconds_left: int
    crops: int


@dataclass(frozen=True)
class _Count:
    frames: int = 0
    alone: int = 0
    crowded: int = 0
    covered: int = 0


class Recorder:
    """One a session. Give it to the video processor as its annotator; what it draws is ``inner``'s and a countdown."""

    def __init__(self, inner: Annotator, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.inner = inner
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._emotion: Emotion | None = None
        self._begins_s = self._next_s = 0.0
        self._crops: list[Cutout] = []
        self._count = _Count()

    def begin(self, emotion: Emotion) -> None:
        """Start the countdown. A recording under way is dropped."""
        with self._lock:
            self._forget()
            self._emotion = emotion
            self._begins_s = self._next_s = self._clock_s() + COUNTDOWN_S

    def cancel(self) -> None:
        """Drop the recording under way, if there is one."""
        with self._lock:
            self._forget()

    def progress(self) -> Progress:
        with self._lock:
            return self._progress(self._clock_s())

    def _progress(self, now_s: float) -> Progress:
        left_s = self._begins_s - now_s
        if self._emotion is None:
            phase = Phase.IDLE
        elif left_s > 0:
            phase = Phase.COUNTDOWN
        else:
            phase = Phase.RECORDING if left_s > -RECORDING_S else Phase.DONE
        seconds_left = int(np.ceil(left_s)) if phase is Phase.COUNTDOWN else 0
        return Progress(phase, self._emotion, seconds_left, len(self._crops))

    def take(self) -> tuple[Emotion, list[Cutout]]:
        """What was recorded, once. Then the recorder is idle again.

        Raises:
            EmojifyError: if there is nothing to keep: no video, a covered camera, no face, several faces.
        """
        with self._lock:
            emotion, crops, count = self._emotion, self._crops, self._count
            self._forget()
        if emotion is None or count.frames == 0:
            raise EmojifyError("The video stood still, so nothing was recorded. Press Start, then record again.")
        if count.covered > count.frames / 2:
            raise EmojifyError("The camera saw nothing. Is it covered, or the room dark? Uncover it and record again.")
        if count.crowded > count.frames * MAX_CROWDED:
            raise EmojifyError("There were several faces in the picture. Be alone in it and record again.")
        if count.alone < count.frames * MIN_SEEN or not crops:
            raise EmojifyError(
                "No face was found in most of it. Look straight into the camera, with light on your face, and record "
                "again."
            )
        return emotion, crops

    def annotate(self, scene: Image, readings: Sequence[Reading]) -> Image:
        now_s = self._clock_s()
        with self._lock:
            progress = self._progress(now_s)
            if progress.phase is Phase.RECORDING:
                self._look(scene, readings, now_s)
        drawn = self.inner.annotate(scene, readings)
        if progress.phase is Phase.COUNTDOWN:
            _draw_large(drawn, str(progress.seconds_left))
        elif progress.phase is Phase.RECORDING:
            _draw_dot(drawn)
        return drawn

    def _look(self, scene: Image, readings: Sequence[Reading], now_s: float) -> None:
        gray = to_gray(scene)
        covered = not readings and float(gray[::4, ::4].std()) < COVERED_CONTRAST
        faces = foreground_faces([reading.face.box for reading in readings])
        self._count = replace(
            self._count,
            frames=self._count.frames + 1,
            alone=self._count.alone + (len(faces) == 1),
            crowded=self._count.crowded + (len(faces) > 1),
            covered=self._count.covered + covered,
        )
        if len(faces) == 1 and now_s >= self._next_s and len(self._crops) < CROPS:
            self._crops.append(cut_out(gray, faces[0]))
            self._next_s = max(self._next_s + RECORDING_S / CROPS, now_s)


def _draw_large(scene: Image, text: str) -> None:
    height, width = scene.shape[:2]
    size = height / 90
    (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, 8)
    place = ((width - text_width) // 2, (height + text_height) // 2)
    for color, thickness in (((0, 0, 0), 22), ((255, 255, 255), 9)):
        cv2.putText(scene, text, place, cv2.FONT_HERSHEY_DUPLEX, size, color, thickness, cv2.LINE_AA)


def _draw_dot(scene: Image) -> None:
    radius = max(4, scene.shape[0] // 24)
    center = (2 * radius, 2 * radius)
    cv2.circle(scene, center, radius + 3, (255, 255, 255), -1, cv2.LINE_AA)
    cv2.circle(scene, center, radius, (40, 40, 220), -1, cv2.LINE_AA)
