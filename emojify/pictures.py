"""Opening pictures that people bring: only known formats, never too large, always upright."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from emojify.errors import EmojifyError

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_MEGAPIXELS = 64  # decoded, about 250 MB: what a small machine still takes, and more than a phone's camera gives
MAX_SIDE_PX = 4096  # larger photos are shrunk to this

# Pillow warns at 89 megapixels, in two lines on stderr; what is that large is refused here in a sentence.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# How a camera was held, by EXIF's number. ImageOps.exif_transpose knows too, but fails on a photo with any other
# EXIF value that it cannot write back.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def open_picture(content: bytes, name: str, max_megapixels: int = MAX_MEGAPIXELS) -> Image.Image:
    """Decode a PNG, JPEG or WebP picture, turned upright as its EXIF data says.

    Returns:
        The picture in mode RGB or RGBA; of one that moves, the first frame.

    Raises:
        EmojifyError: if it is none of these, is damaged, or has too many pixels (checked before decoding).
    """
    try:
        opened = Image.open(io.BytesIO(content), formats=FORMATS)
        width, height = opened.size
        if width * height > max_megapixels * 1_000_000:
            raise _too_large(name, max_megapixels, f": {width} x {height} pixels")
        opened.load()
        turn = _UPRIGHT.get(opened.getexif().get(ExifTags.Base.Orientation, 1))
        picture = opened if turn is None else opened.transpose(turn)
    except Image.DecompressionBombError as error:
        raise _too_large(name, max_megapixels) from error
    except UnidentifiedImageError as error:
        raise EmojifyError(
            f"{name} is not a picture that can be opened here. Bring a PNG, JPEG or WebP file."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise EmojifyError(f"{name} is damaged or cut short: it cannot be opened to its end.") from error
    if picture.mode.startswith("I"):  # 16-bit grey: convert("RGB") would clip it to white
        picture = Image.fromarray((np.asarray(picture, np.uint32) >> 8).astype(np.uint8))
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "RGB")


def _too_large(name: str, max_megapixels: int, size: str = "") -> EmojifyError:
    return EmojifyError(f"{name} is too large{size}. The limit is {max_megapixels} megapixels; shrink it first.")


def read_photo(content: bytes, name: str) -> NDArray[np.uint8]:
    """A photo as the vision chain wants it.

    Returns:
        (H, W, 3) uint8 BGR, neither side over ``MAX_SIDE_PX``; what was transparent is white.

    Raises:
        EmojifyError: see :func:`open_picture`.
    """
    picture = open_picture(content, name)
    picture.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, ::-1])


def read_photo_file(path: Path) -> NDArray[np.uint8]:
    """:func:`read_photo` of a file.

    Raises:
        EmojifyError: if the file is not there or cannot be read; see :func:`open_picture` for the rest.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EmojifyError(f"{path} cannot be read: {error.strerror}.") from error
    return read_photo(content, str(path))


def square_png(picture: Image.Image, max_side_px: int) -> bytes:
    """The picture as a PNG: RGBA, shrunk if it is larger, padded with nothing to a square, free of all else."""
    # First shrunk, then padded: a line of a pixel's height would become a square of gigabytes.
    picture = picture.convert("RGBA")
    picture.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    side = max(picture.size)
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    buffer = io.BytesIO()
    square.save(buffer, "PNG")
    return buffer.getvalue()


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) or (H, W, 4) uint8, BGR(A), to the bytes of a PNG file."""
    done, buffer = cv2.imencode(".png", image)
    if not done:
        raise ValueError(f"OpenCV could not encode an image of shape {image.shape} as PNG")
    return buffer.tobytes()
