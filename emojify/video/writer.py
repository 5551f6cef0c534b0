"""The end of a rendering: look-ahead, drawing, and writing the frames with their audio."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from emojify.video.lookahead import LookAhead
from emojify.video.outcome import RenderStyle
from emojify.video.sink import VideoSink
from emojify.video.source import TICKS_PER_S, AudioPacket, Frame
from emojify.video.timeline import Timeline
from emojify.vision.readings import Reading, main_reading
from emojify.vision.transparency import unpremultiply, with_alpha

MAX_AUDIO_LAG_S = 1.0
"""How far behind the frames of the same time audio packets can be in a file."""


class FrameWriter:
    """Passes the frames of a video through the look-ahead, draws on them, and writes them with their audio.

    Attributes:
        timeline: of the main face.
        faces: most faces in one frame so far.
        written_s: where the last written frame ends, in seconds.
    """

    def __init__(self, sink: VideoSink, style: RenderStyle, end_s: float) -> None:
        self.timeline = Timeline()
        self.faces = 0
        self.written_s = 0.0
        self._sink = sink
        self._annotator = style.annotator
        self._ahead = LookAhead(style.classifier, detection=style.detection)
        self._end_s = end_s
        self._early_audio: list[AudioPacket] = []  # the sink takes audio only after its first frame

    def add(self, item: Frame | AudioPacket) -> bool:
        """Add the next item of the source. Return False if nothing after it is needed."""
        if isinstance(item, AudioPacket):
            if item.time_s < self._end_s:
                self._early_audio.append(item)
        elif item.time_s < self._end_s:
            self._write(self._ahead.push(item))
        elif item.time_s > self._end_s + MAX_AUDIO_LAG_S:
            return False
        if self._sink.frames:
            self._write_audio()
        return True

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """See :attr:`LookAhead.gaps`."""
        return self._ahead.gaps

    def finish(self) -> None:
        """Write what is held back, and finish the file."""
        self._write(self._ahead.finish())
        self._write_audio()
        self._sink.close()

    def _write(self, ready: list[tuple[Frame, list[Reading]]]) -> None:
        for frame, readings in ready:
            self._sink.write(self._draw(frame, readings), frame.ticks, frame.duration_ticks)
            duration_s = frame.duration_ticks / TICKS_PER_S
            self.timeline.add(main_reading(readings), frame.time_s, duration_s)
            self.faces = max(self.faces, len(readings))
            self.written_s = frame.time_s + duration_s

    def _draw(self, frame: Frame, readings: list[Reading]) -> NDArray[np.uint8]:
        """Return the drawn frame: (H, W, 3) BGR, or (H, W, 4) BGRA if it is transparent and may stay so."""
        if frame.alpha is None or not self._sink.transparent:
            return np.asarray(self._annotator.annotate(frame.image, readings))
        on_black = cv2.subtract(frame.image, cv2.cvtColor(255 - frame.alpha, cv2.COLOR_GRAY2BGR))
        on_black = self._annotator.annotate(np.asarray(on_black, np.uint8), readings)
        return unpremultiply(with_alpha(on_black, self._annotator.annotate(frame.image, readings)))

    def _write_audio(self) -> None:
        for packet in self._early_audio:
            self._sink.write_audio(packet)
        self._early_audio.clear()
