"""What FFmpeg can't do with animated WebP: read it, and write the duration of its last picture."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO

import av
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageSequence

from emojify.errors import EmojifyError
from emojify.os_errors import os_error_reason
from emojify.video.frames import MAX_PIXELS

MAX_MEGAPIXELS = 500
"""Of all pictures together. A sticker of 3 seconds has about 25, a minute at 480x360 and 15 pictures a second 155."""
TICKS_PER_S = 1000  # WebP's unit of time
MIN_DURATION, DEFAULT_DURATION = 11, 100  # browsers show a picture for 100 ms if the file says 10 or less
_HAS_ANIMATION = 0x02  # in the flags of the header
# Google's "WebP Container Specification": the header "RIFF", size, "WEBP", then chunks of name, size and content.
_FIRST_CHUNK = 12
_DURATION_OFFSET = 12  # in the content of a chunk ANMF, after x, y, width and height
_MAX_DURATION = (1 << 24) - 1
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, PillowImage.DecompressionBombError)


def is_animated_webp(path: Path) -> bool:
    """Return True if a file says that it is an animated WebP. Never raises: others report what can't be read."""
    try:
        with path.open("rb") as file:
            header = file.read(21)
    except OSError:
        return False
    is_extended = len(header) == 21 and header[:4] == b"RIFF" and header[8:16] == b"WEBPVP8X"
    return is_extended and bool(header[20] & _HAS_ANIMATION)


def convert_to_mov(path: Path) -> IO[bytes]:
    """Return an unnamed temporary file with the same pictures, times and transparency.

    Raises:
        EmojifyError: if the file is damaged, its pictures have more than :data:`MAX_MEGAPIXELS`, or the disk is full.
    """
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the caller reads it and closes it
    try:
        with PillowImage.open(path, formats=("WEBP",)) as animation:
            count: int = getattr(animation, "n_frames", 1)
            pixels = animation.width * animation.height
            if pixels > MAX_PIXELS or pixels * count > MAX_MEGAPIXELS * 1_000_000:
                raise EmojifyError(
                    f"{path.name} is too large: {count} pictures of {animation.width} x {animation.height} pixels. "
                    "Convert it to MP4 first."
                )
            _write(animation, target)
    except _UNREADABLE as error:
        target.close()
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise EmojifyError(
                f"{path.name} can't be read: {os_error_reason(error)}. Make room on the disk, then try again."
            ) from error
        raise EmojifyError(f"{path.name} is damaged or cut short. Use another copy of it.") from error
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def _write(animation: PillowImage.Image, target: IO[bytes]) -> None:
    with av.open(target, "w", format="mov") as container:
        stream = None
        time = 0
        for pixels, duration in _pictures(animation):
            if stream is None:
                stream = container.add_stream("png", rate=Fraction(TICKS_PER_S, duration))
                stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], "rgba"
                stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
                stream.options = {"compression_level": "1"}  # it is read once
            frame = av.VideoFrame.from_ndarray(pixels, "rgba")
            frame.pts, frame.time_base = time, Fraction(1, TICKS_PER_S)
            for packet in stream.encode(frame):
                packet.duration = duration
                container.mux(packet)
            time += duration
        if stream is not None:
            container.mux(stream.encode(None))


def _pictures(animation: PillowImage.Image) -> Iterator[tuple[np.ndarray, int]]:
    """Yield each picture, (H, W, 4) uint8 RGBA, and its duration in ms."""
    for picture in ImageSequence.Iterator(animation):
        picture.load()  # which also sets the duration
        duration = picture.info.get("duration", 0)
        yield np.asarray(picture.convert("RGBA")), duration if duration >= MIN_DURATION else DEFAULT_DURATION


def set_end_of_webp(file: IO[bytes], end_ms: int) -> None:
    """Set the duration of the last picture, for which the encoder takes the mean of the others.

    Args:
        file: open for reading and writing. A WebP of one picture stays as it is.
        end_ms: the whole length.
    """
    places, durations = [], []
    for place in _chunks(file, b"ANMF"):
        file.seek(place + _DURATION_OFFSET)
        places.append(place + _DURATION_OFFSET)
        durations.append(int.from_bytes(file.read(3), "little"))
    if places:
        file.seek(places[-1])
        file.write(max(1, min(end_ms - sum(durations[:-1]), _MAX_DURATION)).to_bytes(3, "little"))


def _chunks(file: IO[bytes], name: bytes) -> Iterator[int]:
    """Yield where the content of each chunk of this name begins."""
    place = _FIRST_CHUNK
    while True:
        file.seek(place)
        header = file.read(8)
        if len(header) < 8:
            return
        if header[:4] == name:
            yield place + 8
        size = int.from_bytes(header[4:], "little")
        place += 8 + size + size % 2
