"""Decoding uploaded pictures safely: known formats, a limited size, always upright, colors in sRGB."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin, UnidentifiedImageError

from emojify.errors import EmojifyError
from emojify.os_errors import readable_os_errors, require_no_pipe

pillow_heif.register_heif_opener(thumbnails=False)

FORMATS = ("PNG", "JPEG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "TIFF")
"""The formats that are opened. The content decides, not the name. MPO, a JPEG with further pictures, is a JPEG here."""
SUFFIXES = ("png", "jpg", "jpeg", "jfif", "webp", "heic", "heif", "avif", "gif", "bmp", "tif", "tiff")
"""The endings that uploaders offer."""
FORMATS_SENTENCE = "Use a PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP or TIFF file."
MAX_PHOTO_FILE_MB = 200  # a picture of 64 megapixels without compression
MAX_MEGAPIXELS = 64
"""More than the cameras of most phones produce."""
# Limits for decoding at full size, by format. A pixel takes 4 bytes and the upright copy as much again: at most 300 MB
# for any file. WebP's decoder holds three pictures and the canvas of an animation.
_MAX_FULL_SIZE_MEGAPIXELS = {
    "JPEG": 32,
    "MPO": 32,
    "PNG": 32,
    "WEBP": 12,
    "HEIF": 32,
    "AVIF": 16,
    "GIF": 32,
    "BMP": 32,
    "TIFF": 24,
}
# For a progressive or CMYK JPEG the decoder holds all coefficients, 2 bytes each.
_MAX_COSTLY_JPEG_MEGAPIXELS = 24
_ANIMATED_FORMATS = ("PNG", "WEBP", "GIF", "AVIF")
# What people try besides pictures that can be opened: how such a file begins, and what it is.
_OTHER_FORMATS = {
    b"<svg": "an SVG drawing",
    b"<?xml": "an SVG drawing or another XML file",
    b"%PDF": "a PDF",
    b"8BPS": "a Photoshop file",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"\0\0\1\0": "an icon",
    b"\x1f\x8b": "a compressed file",
    b"PK": "a zip",
    b"{": "a JSON file",
    b"\x1aE\xdf\xa3": "a video",
}
MAX_SIDE_PX = 4096
"""Larger photos are shrunk to this."""

# Pillow prints a warning from 89 megapixels on. Pictures of that size are rejected below with an error.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# The same for a JPEG whose list of further pictures is broken. Its main picture is opened.
warnings.filterwarnings("ignore", message="Image appears to be a malformed MPO file")

# How to turn a picture upright, by the value of EXIF's orientation. ImageOps.exif_transpose does the same, but fails if
# another EXIF value of the picture can't be written back.
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
    """Decode a picture, turn it upright as its EXIF orientation says, and convert its colors to sRGB.

    Args:
        content: the file.
        name: of the file, for error messages.
        max_megapixels: limit of the decoded size.

    Returns:
        The picture in mode RGB or RGBA. A JPEG of over 32 megapixels is decoded at half its width and height. Of
        several pictures in a file the main one is returned, of an animation the first frame.

    Raises:
        EmojifyError: if the file has another format, is damaged, or has too many pixels (checked before decoding).
    """
    try:
        opened = Image.open(io.BytesIO(content), formats=FORMATS)
        width, height = opened.size
        megapixels, limit = width * height / 1_000_000, min(max_megapixels, _max_megapixels(opened))
        if max(megapixels, _tile_megapixels(opened)) > limit:
            raise _too_large(name, limit, f": {width} x {height} pixels")
        if opened.format in ("JPEG", "MPO") and megapixels > _MAX_FULL_SIZE_MEGAPIXELS["JPEG"]:
            opened.draft(None, (width // 2, height // 2))
        opened.load()
        transpose = _UPRIGHT.get(opened.getexif().get(ExifTags.Base.Orientation, 1))
        picture = opened if transpose is None else opened.transpose(transpose)
    except Image.DecompressionBombError as error:
        raise _too_large(name, max_megapixels) from error
    except UnidentifiedImageError as error:
        raise EmojifyError(f"{name} is {_describe(content)}. {FORMATS_SENTENCE}") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, TypeError, KeyError, IndexError) as error:
        raise EmojifyError(f"{name} is damaged or cut short. Use another copy of it.") from error
    return _to_srgb(picture, opened)


def is_animated(opened: Image.Image) -> bool:
    """Return True for a picture that moves. Several pictures in a photo, such as a depth map, are no animation."""
    return opened.format in _ANIMATED_FORMATS and bool(getattr(opened, "is_animated", False))


def _describe(content: bytes) -> str:
    """Return what a file is that can't be opened as a picture: ``"an SVG drawing, which can't be opened"``."""
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    for beginning, what in _OTHER_FORMATS.items():
        if start.startswith(beginning):
            return f"{what}, not a picture that can be opened"
    if start[4:8] == b"ftyp":
        return "a video or a picture in an unknown format, not a picture that can be opened"
    return "not a picture that can be opened"


def _to_srgb(picture: Image.Image, opened: Image.Image) -> Image.Image:
    """Return a decoded picture in mode RGB or RGBA, with its colors converted to sRGB.

    Args:
        picture: decoded and upright.
        opened: the same picture as it was opened; it has the embedded profile.
    """
    if picture.mode.startswith("I"):  # 16-bit gray, which convert("RGB") would clip to white
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    mode = "RGBA" if has_alpha else "RGB"
    profile = opened.info.get("icc_profile")
    if profile and picture.mode == "CMYK":
        return _apply_profile(picture, profile) or picture.convert(mode)
    if picture.mode != mode or picture is opened:
        picture = picture.convert(mode)
    if profile:
        _apply_profile(picture, profile)
    return picture


def _apply_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert colors from a profile to sRGB: RGB and RGBA in place, so that no second copy takes memory.

    Returns:
        A CMYK picture as a new one in mode RGB; None for the others, and if the profile is broken or does not fit.
    """
    in_place = picture.mode != "CMYK"
    try:
        embedded = ImageCms.getOpenProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(embedded).lower():
            return None
        return ImageCms.profileToProfile(
            picture, embedded, ImageCms.createProfile("sRGB"), outputMode=None if in_place else "RGB", inPlace=in_place
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _max_megapixels(opened: Image.Image) -> int:
    """Return how many megapixels of a picture can be decoded without taking too much memory."""
    if opened.format not in ("JPEG", "MPO"):
        return _MAX_FULL_SIZE_MEGAPIXELS[opened.format or "PNG"]
    costly = opened.info.get("progressive") or opened.mode == "CMYK"
    return _MAX_COSTLY_JPEG_MEGAPIXELS if costly else MAX_MEGAPIXELS


def _tile_megapixels(opened: Image.Image) -> float:
    """Return the size of a TIFF's tiles, which its decoder holds as a whole, however small the picture is."""
    tags = getattr(opened, "tag_v2", {})
    width, length = tags.get(TiffImagePlugin.TILEWIDTH, 0), tags.get(TiffImagePlugin.TILELENGTH, 0)
    return float(width) * float(length) / 1_000_000


def _too_large(name: str, max_megapixels: int, size: str = "") -> EmojifyError:
    return EmojifyError(f"{name} is too large{size}. The limit is {max_megapixels} megapixels; shrink it first.")


def read_photo(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a photo for face detection. ::

        readings = analyze_photo(read_photo(path.read_bytes(), path.name), classifier)

    Args:
        content: the file.
        name: of the file, for error messages.

    Returns:
        (H, W, 3) uint8 BGR, neither side over :data:`MAX_SIDE_PX`. Transparent pixels are white.

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
    """Read a file and decode it. See :func:`read_photo`.

    Raises:
        EmojifyError: if the file is missing, can't be read or is larger than :data:`MAX_PHOTO_FILE_MB`; also see
            :func:`open_picture`.
    """
    require_no_pipe(path)
    with readable_os_errors(f"{path} cannot be read"), path.open("rb") as file:
        content = file.read(MAX_PHOTO_FILE_MB * 1_000_000 + 1)
    if len(content) > MAX_PHOTO_FILE_MB * 1_000_000:
        raise EmojifyError(f"{path} is larger than {MAX_PHOTO_FILE_MB} MB. Shrink the picture, then try again.")
    return read_photo(content, str(path))


def square_png(picture: Image.Image, max_side_px: int) -> bytes:
    """Encode a picture as a square PNG: shrunk if necessary, padded with transparent pixels, without metadata.

    Args:
        picture: in any mode.
        max_side_px: longest side of the result.
    """
    # Shrink before padding: the square of a picture of 20,000 x 1 pixels would take gigabytes.
    picture = picture.convert("RGBA")
    picture.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    side = max(picture.size)
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    buffer = io.BytesIO()
    square.save(buffer, "PNG")
    return buffer.getvalue()


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Encode an array as a PNG file.

    Args:
        image: (H, W, 3) BGR or (H, W, 4) BGRA, uint8.

    Raises:
        ValueError: if OpenCV can't encode an array of this shape.
    """
    encoded, buffer = cv2.imencode(".png", image)
    if not encoded:
        raise ValueError(f"OpenCV could not encode an image of shape {image.shape} as PNG")
    return buffer.tobytes()


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """Encode an array as a JPEG file of high quality.

    Args:
        image: (H, W, 3) BGR, uint8.

    Raises:
        ValueError: if OpenCV can't encode an array of this shape.
    """
    encoded, buffer = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 92))
    if not encoded:
        raise ValueError(f"OpenCV could not encode an image of shape {image.shape} as JPEG")
    return buffer.tobytes()
