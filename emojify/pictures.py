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
MAX_MEGAPIXELS = 64  # more than most phones' cameras give
# Of what is read in full, at 4 bytes a pixel and turned into another picture as large: 300 MB at most, whatever comes.
_MAX_AT_ONCE = {"JPEG": 32, "PNG": 32, "WEBP": 12}  # WebP's decoder keeps three pictures, a moving one's canvas
_MAX_OF_ODD_JPEG = 24  # progressive, or in four colors: all its coefficients are kept, 2 bytes each
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
        The picture in mode RGB or RGBA, at half its width if it is a JPEG of over 32 megapixels; of one that moves,
        the first frame.

    Raises:
        EmojifyError: if it is none of these, is damaged, or has too many pixels (checked before decoding).
    """
    try:
        opened = Image.open(io.BytesIO(content), formats=FORMATS)
        width, height = opened.size
        megapixels, limit = width * height / 1_000_000, min(max_megapixels, _limit(opened))
        if megapixels > limit:
            raise _too_large(name, limit, f": {width} x {height} pixels")
        if opened.format == "JPEG" and megapixels > _MAX_AT_ONCE["JPEG"]:
            opened.draft(None, (width // 2, height // 2))  # JPEG can be read at half its width
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
    if picture.mode.startswith("I"):  # 16-bit gray: convert("RGB") would clip it to white
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    mode = "RGBA" if has_alpha else "RGB"
    return picture if picture.mode == mode and picture is not opened else picture.convert(mode)


def _limit(opened: Image.Image) -> int:
    """How many megapixels of such a picture are read."""
    if opened.format != "JPEG":
        return _MAX_AT_ONCE[opened.format or "PNG"]
    odd = opened.info.get("progressive") or opened.mode == "CMYK"
    return _MAX_OF_ODD_JPEG if odd else MAX_MEGAPIXELS


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
