"""The interface of everything that reads the finished frames of live video."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emojify.vision.readings import Image, Reading


@dataclass(frozen=True, eq=False)
class ProcessedFrame:
    """One frame of live video after annotation.

    Attributes:
        image: (H', W', 3) uint8 BGR, the annotated picture. Others use it too, so copy it before drawing.
        readings: what was read from the frame and drawn on ``image``.
        gray: (H, W) uint8, the frame before annotation, mirrored like ``image``.
        time_s: when work on the frame began, in seconds of the processor's clock.
    """

    image: Image
    readings: tuple[Reading, ...]
    gray: NDArray[np.uint8]
    time_s: float


class FrameTap(ABC):
    """Receives every finished frame of a video processor, for example to record it.

    The processor calls its taps from the video thread, in the order of its list. A tap that waits stops the video, so
    it never writes to the disk and never encodes.
    """

    @abstractmethod
    def add_frame(self, frame: ProcessedFrame) -> Image:
        """Take the next frame.

        Returns:
            The picture to show, (H', W', 3) uint8 BGR: ``frame.image`` itself, or a copy with something drawn on it.
            The next tap receives this picture.
        """

    def end_stream(self) -> None:  # noqa: B027 - a hook that some taps do not need
        """Handle the end of the stream. The default does nothing."""
