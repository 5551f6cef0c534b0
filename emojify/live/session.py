"""Everything that belongs to one visitor's video on the live page."""

from __future__ import annotations

from dataclasses import dataclass

from emojify.live.booth import PhotoBooth
from emojify.live.clip import ClipRecorder
from emojify.live.flash import Flash
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.timeline import Timeline


@dataclass(frozen=True)
class LiveSession:
    """A video processor and the taps whose results the live page offers.

    Example:
        >>> session = LiveSession.create(settings)  # doctest: +SKIP
        >>> session.clip.start(seconds=4)           # doctest: +SKIP
        >>> session.processor.process(frame)        # doctest: +SKIP
    """

    processor: EmojiVideoProcessor
    clip: ClipRecorder
    booth: PhotoBooth
    flash: Flash
    timeline: Timeline

    @classmethod
    def create(cls, settings: LiveSettings) -> LiveSession:
        timeline, clip, booth, flash = Timeline(), ClipRecorder(), PhotoBooth(), Flash()
        # The clip comes before the booth, so that it does not record the booth's countdown, and both before the flash.
        processor = EmojiVideoProcessor(settings, taps=[timeline, clip, booth, flash])
        return cls(processor, clip, booth, flash, timeline)

    @property
    def is_recording(self) -> bool:
        """True while a clip or a photo strip is being taken."""
        return self.clip.left_s is not None or self.booth.is_active
