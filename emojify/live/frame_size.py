"""Limits of the size of video frames: none larger is decoded or sent."""

from __future__ import annotations

import av

MAX_FRAME_PIXELS = 1920 * 1088  # full HD, in whole macroblocks. The page asks cameras for 640x480
MAX_UNPROCESSED_PIXELS = 640 * 480  # of a frame that is sent back as it came

_VP8_START_CODE = b"\x9d\x01\x2a"


def vp8_key_frame_size(frame: bytes) -> tuple[int, int] | None:
    """Return the width and height that a VP8 key frame announces (RFC 6386, section 9.1), in pixels.

    Returns:
        None for another frame, which has the size of the last key frame, and for one that no decoder accepts.
    """
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != _VP8_START_CODE:
        return None
    width, height = (int.from_bytes(frame[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return width, height


def limit_size(frame: av.VideoFrame, max_pixels: int) -> av.VideoFrame:
    """Return ``frame``, scaled down to at most ``max_pixels`` if it has more."""
    pixels = frame.width * frame.height
    if pixels <= max_pixels:
        return frame
    scale = (max_pixels / pixels) ** 0.5
    # VP8 halves the resolution of colors, so both sides are even.
    width, height = (max(2, int(side * scale) // 2 * 2) for side in (frame.width, frame.height))
    return frame.reformat(width=width, height=height)
