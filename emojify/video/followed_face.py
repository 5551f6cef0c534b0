"""A face that is followed through a video from frame to frame, forward or backward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emojify.vision.detectors.combined import FaceDetector
from emojify.vision.readings import Box

FRAMES_BETWEEN_LANDMARKS = 5
"""YuNet looks at a face that Haar follows in every fifth frame: for its roll, and because Haar also follows ears."""


@dataclass
class FollowedFace:
    """The last known place of a face.

    Attributes:
        box: in pixels of the frame.
        roll: degrees by which the head is turned clockwise.
    """

    box: Box
    roll: float = 0.0
    _is_confirmed: bool = True
    _unchecked_frames: int = 0

    def follow(self, gray: NDArray[np.uint8], detector: FaceDetector) -> bool:
        """Search the face in the next frame, (H, W) uint8. Return True if it was found, at :attr:`box`.

        Haar searches first. YuNet looks where Haar finds nothing, and confirms now and then what Haar finds.
        """
        box = detector.haar.search_around(gray, self.box, self.roll)
        self._unchecked_frames += 1
        is_check_due = self._unchecked_frames >= FRAMES_BETWEEN_LANDMARKS or not self._is_confirmed
        if detector.has_landmarks and (box is None or is_check_due):
            face = detector.look_around(gray, box or self.box, self.roll)
            self._unchecked_frames, self._is_confirmed = 0, face is not None
            if face is None:
                return False
            box = box or face.box
            measured = detector.measure(gray, box, self.roll)
            self.roll = self.roll if measured is None else measured.roll
        if box is None:
            return False
        self.box = box
        return True

    def move(self, box: Box, roll: float) -> None:
        """Go on from where a look at the whole frame has found the face."""
        self.box, self.roll = box, roll
        self._is_confirmed, self._unchecked_frames = True, 0

    def is_near(self, box: Box) -> bool:
        """Return True if a face found at ``box`` can be this one after it was lost for a moment."""
        (x, y), (other_x, other_y) = self.box.center, box.center
        reach = max(self.box.width, box.width)
        similar_size = 0.6 < box.width / self.box.width < 1.6
        return similar_size and abs(x - other_x) < reach and abs(y - other_y) < reach
