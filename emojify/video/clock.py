"""One continuous clock for a file whose own clock starts anew in the middle.

Joined recordings do so: transport streams written one after another, saved HLS segments, the parts of a browser's
MediaRecorder, the loops of a dashcam.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

BACKWARD_S = Fraction(1, 10)
"""Decoding times increase within a recording. A step back of this length starts a new part; muxers jitter by less."""
FORWARD_S = 10
"""A step forward of this length starts a new part in a transport stream, whose clock may start at any value. FFmpeg
takes the same length. In other containers such a step is a long pause between two frames."""


@dataclass
class _Stream:
    part: int
    latest_s: Fraction
    end_s: Fraction = Fraction(0)
    step_s: Fraction = Fraction(0)


class ContinuousClock:
    """Calculates by how much the times of each packet are moved. All streams of a part are moved by the same time. ::

        clock = ContinuousClock(forward_jumps=container.format.name == "mpegts")
        packet.pts += round(clock.offset_s(stream.index, packet_time_s, duration_s) / stream.time_base)

    Args:
        forward_jumps: True if a long step forward starts a new part, too.

    Attributes:
        restarts: how often the clock of the file has started anew so far.
    """

    def __init__(self, forward_jumps: bool) -> None:
        self._forward_jumps = forward_jumps
        self._offsets_s = [Fraction(0)]
        self._streams: dict[int, _Stream] = {}

    @property
    def restarts(self) -> int:
        return len(self._offsets_s) - 1

    def offset_s(self, index: int, time_s: Fraction, duration_s: Fraction) -> Fraction:
        """Return what to add to the times of the next packet.

        Args:
            index: the stream's number.
            time_s: decoding time of the packet in the file's own clock.
            duration_s: how long the packet lasts; 0 if it is not known, then it lasts as long as the one before.
        """
        stream = self._streams.setdefault(index, _Stream(self.restarts, time_s))
        if self._is_restart(stream.latest_s, time_s):
            if stream.part == self.restarts:  # no other stream has reached the new part yet
                self._offsets_s.append(max(other.end_s for other in self._streams.values()) - time_s)
            stream.part += 1
        offset_s = self._offsets_s[stream.part]
        if not duration_s and 0 < time_s - stream.latest_s < BACKWARD_S:
            stream.step_s = time_s - stream.latest_s
        stream.latest_s = time_s
        stream.end_s = time_s + (duration_s or stream.step_s) + offset_s
        return offset_s

    def _is_restart(self, latest_s: Fraction, time_s: Fraction) -> bool:
        return time_s < latest_s - BACKWARD_S or (self._forward_jumps and time_s > latest_s + FORWARD_S)
