"""Everything that belongs to one visitor's video on the live page."""

from __future__ import annotations

from dataclasses import dataclass

from emojify.live.booth import PhotoBooth
from emojify.live.clip import ClipRecorder
from emojify.live.processor import EmojiVideoProcessor, LiveSettings


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

    @classmethod
    def create(cls, settings: LiveSettings) -> LiveSession:
        clip, booth = ClipRecorder(), PhotoBooth()
        # The clip comes first, so that it does not record the booth's countdown.
        return cls(EmojiVideoProcessor(settings, taps=[clip, booth]), clip, booth)
