"""Record crops of a face from the running video: a countdown, then about thirty crops in three seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.live.frame_tap import FrameTap, ProcessedFrame
from emojify.vision.cutout import Cutout, cut_out, foreground_faces
from emojify.vision.readings import Image

COUNTDOWN_S = 3.0
RECORDING_S = 3.0
MAX_CROPS = 30
COVERED_CONTRAST = 12.0  # a frame with a standard deviation of gray values below this shows nothing
MIN_FACE_SHARE = 0.3  # smallest share of frames with exactly one face
MAX_CROWDED_SHARE = 0.3  # largest share of frames with several faces


class Phase(Enum):
    """The state of a recorder."""

    IDLE = "idle"
    COUNTDOWN = "countdown"
    RECORDING = "recording"
    DONE = "done"


@dataclass(frozen=True)
class Progress:
    """The progress of a recording.

    Attributes:
        emotion: the emotion being recorded; None while idle.
        seconds_left: whole seconds until the recording begins; 0 after the countdown.
        crops: the number of crops taken so far.
    """

    phase: Phase
    emotion: Emotion | None
    seconds_left: int
    crops: int


@dataclass(frozen=True)
class _FrameCounts:
    frames: int = 0
    one_face: int = 0
    several_faces: int = 0
    covered: int = 0


class FaceRecorder(FrameTap):
    """Records crops of one face for teaching. Thread-safe; one instance per session.

    Args:
        clock_s: returns a monotonic time in seconds. Progress follows this clock, so a recording also ends when no
            frames arrive.

    Example:
        >>> recorder = FaceRecorder()
        >>> recorder.start(Emotion.HAPPY)
        >>> shown = recorder.add_frame(frame)      # for every frame
        >>> emotion, crops = recorder.collect()    # once progress().phase is DONE
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._emotion: Emotion | None = None
        self._begins_s = self._next_crop_s = 0.0
        self._crops: list[Cutout] = []
        self._counts = _FrameCounts()

    def start(self, emotion: Emotion) -> None:
        """Start the countdown. A running recording is dropped."""
        with self._lock:
            self._reset()
            self._emotion = emotion
            self._begins_s = self._next_crop_s = self._clock_s() + COUNTDOWN_S

    def cancel(self) -> None:
        """Drop the running recording, if any."""
        with self._lock:
            self._reset()

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

    def collect(self) -> tuple[Emotion, list[Cutout]]:
        """Return the emotion and its crops, and become idle again.

        Raises:
            EmojifyError: if the recording is unusable: no video, a covered camera, no face, or several faces.
        """
        with self._lock:
            emotion, crops, counts = self._emotion, self._crops, self._counts
            self._reset()
        if emotion is None or counts.frames == 0:
            raise EmojifyError("The video stood still, so nothing was recorded. Press Start, then record again.")
        if counts.covered > counts.frames / 2:
            raise EmojifyError("The camera saw nothing. Is it covered, or the room dark? Uncover it and record again.")
        if counts.several_faces > counts.frames * MAX_CROWDED_SHARE:
            raise EmojifyError("There were several faces in the picture. Be alone in it and record again.")
        if counts.one_face < counts.frames * MIN_FACE_SHARE or not crops:
            raise EmojifyError(
                "No face was found in most of the recording. Look straight into the camera, with light on your face, "
                "and record again."
            )
        return emotion, crops

    def add_frame(self, frame: ProcessedFrame) -> Image:
        """Crop the face if a recording runs; return the picture with the countdown or a red dot."""
        now_s = self._clock_s()
        with self._lock:
            progress = self._progress(now_s)
            if progress.phase is Phase.RECORDING:
                self._record(frame, now_s)
        if progress.phase is Phase.COUNTDOWN:
            return _draw_number(frame.image.copy(), str(progress.seconds_left))
        if progress.phase is Phase.RECORDING:
            return _draw_dot(frame.image.copy())
        return frame.image

    def _record(self, frame: ProcessedFrame, now_s: float) -> None:
        covered = not frame.readings and float(frame.gray[::4, ::4].std()) < COVERED_CONTRAST
        faces = foreground_faces([reading.box for reading in frame.readings])
        self._counts = replace(
            self._counts,
            frames=self._counts.frames + 1,
            one_face=self._counts.one_face + (len(faces) == 1),
            several_faces=self._counts.several_faces + (len(faces) > 1),
            covered=self._counts.covered + covered,
        )
        if len(faces) == 1 and now_s >= self._next_crop_s and len(self._crops) < MAX_CROPS:
            (roll,) = {reading.face.roll for reading in frame.readings if reading.box == faces[0]}
            self._crops.append(cut_out(frame.gray, faces[0], roll))
            self._next_crop_s = max(self._next_crop_s + RECORDING_S / MAX_CROPS, now_s)


def _draw_number(image: Image, text: str) -> Image:
    height, width = image.shape[:2]
    size = height / 90
    (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, 8)
    origin = ((width - text_width) // 2, (height + text_height) // 2)
    for color, thickness in (((0, 0, 0), 22), ((255, 255, 255), 9)):
        cv2.putText(image, text, origin, cv2.FONT_HERSHEY_DUPLEX, size, color, thickness, cv2.LINE_AA)
    return image


def _draw_dot(image: Image) -> Image:
    radius = max(4, image.shape[0] // 24)
    center = (2 * radius, 2 * radius)
    cv2.circle(image, center, radius + 3, (255, 255, 255), -1, cv2.LINE_AA)
    cv2.circle(image, center, radius, (40, 40, 220), -1, cv2.LINE_AA)
    return image
