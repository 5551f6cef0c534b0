"""What a rendering is made with, how far it is, and what it produced."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from emojify.vision.annotators import Annotator
from emojify.vision.classifier import Classifier
from emojify.vision.detectors.haar import DetectorSettings


@dataclass(frozen=True)
class Progress:
    """Progress of a rendering.

    Attributes:
        done_s: seconds of the video that are rendered.
        total_s: length of the video in seconds; None if its header does not say.
        elapsed_s: seconds since the rendering began.
    """

    done_s: float
    total_s: float | None
    elapsed_s: float

    @property
    def share(self) -> float | None:
        """Share of the video that is rendered, 0 to 1; None if the length is not known."""
        return min(1.0, self.done_s / self.total_s) if self.total_s else None

    @property
    def left_s(self) -> float | None:
        """Seconds until the end at the same speed; None if the length is not known or in the first second."""
        share = self.share
        known = share and share < 1 and self.elapsed_s > 1
        return self.elapsed_s * (1 - share) / share if share and known else None


@dataclass(frozen=True)
class RenderResult:
    """What a rendering produced.

    Attributes:
        frames: number of frames written.
        duration_s: length of the result in seconds; 0 for an image.
        faces: most faces in one frame; 0 if there is no emoji anywhere.
        elapsed_s: seconds that the rendering took.
        size_bytes: size of the file.
        notes: sentences that the user should read.
        timeline: of the main face, see :meth:`Timeline.to_json`; None for an image.
    """

    frames: int
    duration_s: float
    faces: int
    elapsed_s: float
    size_bytes: int
    notes: tuple[str, ...]
    timeline: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """Return the result for a report, which calls the frames ``pictures``."""
        fields = asdict(self)
        return {"pictures": fields.pop("frames"), **fields}


@dataclass(frozen=True)
class RenderStyle:
    """The classifier that reads the faces, the annotator that draws the emoji, and how faces are detected."""

    classifier: Classifier
    annotator: Annotator
    detection: DetectorSettings = field(default_factory=DetectorSettings)


@dataclass(frozen=True)
class Estimate:
    """What a rendering is expected to take.

    Attributes:
        duration_s: length of the video in seconds.
        seconds: seconds of work.
        size_bytes: size of the result.
    """

    duration_s: float
    seconds: float
    size_bytes: int
