"""Uploaded pictures: bad files are refused with a reason, and unusual ones look as they should."""

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from emojify.errors import EmojifyError
from emojify.pictures import MAX_PHOTO_FILE_MB, MAX_SIDE_PX, encode_png, open_picture, read_photo, read_photo_file

ORIENTATION = 0x0112
HEIC = (Path(__file__).parent / "data" / "pictures" / "two_colors.heic").read_bytes()
"""64 x 48 pixels: (200, 100, 40) on the left and (20, 60, 220) on the right, in RGB."""
RED, BLUE, WHITE = (0, 0, 255), (255, 0, 0), (255, 255, 255)  # BGR


def saved(picture: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def noise(width: int = 64, height: int = 48) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def two_colors() -> Image.Image:
    """Return a palette picture of two colors, filled with the second one."""
    picture = Image.new("P", (9, 9), 1)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    return picture


def png_header(width: int, height: int) -> bytes:
    """Return a PNG with a header of this size and almost no data."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0"))]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def tiled_tiff(side_px: int) -> bytes:
    """Return a TIFF of 16 x 16 pixels that announces one deflated tile of this side."""
    values = {256: 16, 257: 16, 258: 8, 259: 8, 262: 1, 277: 1, 322: side_px, 323: side_px, 324: 8, 325: 100}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items())
    return struct.pack("<2sHI", b"II", 42, 108) + bytes(100) + struct.pack("<H", len(values)) + entries + bytes(4)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "not a picture that can be opened. Use a PNG, JPEG, WebP, HEIC", id="empty"),
        pytest.param(b"PK\x03\x04 a zip", "a zip, not a picture", id="a zip named .png"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing, not a picture", id="SVG"),
        pytest.param(b"%PDF-1.7 and more", "a PDF, not a picture that can be opened. Use a PNG", id="PDF"),
        pytest.param(b"\0\0\0\x18ftypmp42" + bytes(99), "a video or a picture in an unknown format", id="MP4"),
        pytest.param(HEIC[:300], "damaged or cut short|a video or a picture in an unknown", id="HEIC cut short"),
        pytest.param(saved(noise(), "AVIF")[:-900], "damaged or cut short|a video or", id="AVIF cut short"),
        pytest.param(tiled_tiff(20_000), "too large: 16 x 16 pixels. The limit is 24", id="TIFF of one giant tile"),
        pytest.param(saved(noise())[:20], "damaged or cut short", id="cut within the PNG header"),
        pytest.param(saved(noise())[:-4000], "damaged or cut short", id="PNG cut short"),
        pytest.param(saved(noise(), "JPEG")[:-900], "damaged or cut short", id="JPEG cut short"),
        pytest.param(saved(noise(), "WEBP")[:-900], "damaged or cut short|not a picture", id="WebP cut short"),
        pytest.param(png_header(8001, 4000), "too large: 8001 x 4000 pixels. The limit is 32", id="32.004 megapixels"),
        pytest.param(png_header(20_000, 20_000), "too large.* The limit is (32|64) megapixels", id="400 megapixels"),
        pytest.param(png_header(0, 5), "not a picture|damaged", id="no pixels"),
    ],
)
def test_read_photo_refuses_bad_files(content: bytes, sentence: str) -> None:
    with pytest.raises(EmojifyError, match=f"^holiday.png is {sentence}"):
        read_photo(content, "holiday.png")


def test_open_picture_halves_large_jpeg() -> None:
    large = Image.new("L", (9200, 6900), 90)
    assert open_picture(saved(large, "JPEG"), "me.jpg").size == (4600, 3450)
    with pytest.raises(EmojifyError, match=r"9200 x 6900 pixels\. The limit is 24 megapixels"):
        open_picture(saved(large, "JPEG", progressive=True), "me.jpg")


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "TIFF"])
def test_read_photo_returns_bgr(file_format: str) -> None:
    photo = read_photo(saved(Image.new("RGB", (31, 17), (200, 100, 40)), file_format, quality=95), "photo")
    assert photo.shape == (17, 31, 3)
    assert photo.dtype == np.uint8
    assert photo.flags.c_contiguous
    assert np.abs(photo.astype(int) - (40, 100, 200)).max() <= 4


def test_read_photo_opens_heic_by_content() -> None:
    photo = read_photo(HEIC, "IMG_0001.jpg")
    assert photo.shape == (48, 64, 3)
    assert np.abs(photo[10, 8].astype(int) - (40, 100, 200)).max() <= 8
    assert np.abs(photo[10, -8].astype(int) - (220, 60, 20)).max() <= 8


def test_read_photo_opens_first_picture_of_gif() -> None:
    moving = saved(Image.new("RGB", (9, 9), "blue"), "GIF", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert (read_photo(moving, "moving.gif") == BLUE).all()


def test_read_photo_opens_main_picture_of_mpo() -> None:
    """Cameras and phones add a preview, a depth map or a gain map to a JPEG."""
    content = saved(Image.new("RGB", (64, 48), "red"), "MPO", save_all=True, append_images=[Image.new("RGB", (16, 12))])
    assert Image.open(io.BytesIO(content)).format == "MPO"
    photo = read_photo(content, "DSC0001.JPG")
    assert photo.shape == (48, 64, 3)
    assert np.abs(photo.astype(int) - RED).max() <= 4


def test_open_picture_halves_large_mpo() -> None:
    content = saved(Image.new("L", (9200, 6900), 90), "MPO", save_all=True, append_images=[Image.new("L", (16, 12))])
    assert open_picture(content, "me.jpg").size == (4600, 3450)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF"])
def test_read_photo_converts_embedded_profile(mode: str, file_format: str) -> None:
    """The profile's red and green are swapped, so that a picture stored as red is green in sRGB."""
    if (mode, file_format) == ("RGBA", "JPEG"):
        pytest.skip("JPEG has no transparency")
    content = saved(Image.new(mode, (16, 16), (255, 0, 0)), file_format, icc_profile=swapped_profile())
    blue, green, red = read_photo(content, "wide").reshape(-1, 3).mean(0)
    assert green > 240
    assert red < 20
    assert blue < 20


def swapped_profile() -> bytes:
    """Return sRGB's profile under another name, with the primaries red and green swapped."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile = profile.replace(b"rXYZ", b"tmp_").replace(b"gXYZ", b"rXYZ").replace(b"tmp_", b"gXYZ")
    for name in (b"sRGB", "sRGB".encode("utf-16-be")):
        profile = profile.replace(name, name.replace(b"s", b"x"))
    return bytes(profile)


@pytest.mark.parametrize("profile", [b"no profile", swapped_profile()[:200]])
def test_read_photo_ignores_broken_profile(profile: bytes) -> None:
    content = saved(Image.new("RGB", (9, 9), "red"), icc_profile=profile)
    assert (read_photo(content, "odd") == RED).all()


@pytest.mark.parametrize(("width", "height"), [(20_000, 300), (300, 20_000), (20_000, 1)])
def test_read_photo_shrinks_in_proportion(width: int, height: int) -> None:
    photo = read_photo(saved(Image.new("L", (width, height))), "panorama")
    assert max(photo.shape) == MAX_SIDE_PX
    assert min(photo.shape[:2]) == max(1, round(min(width, height) * MAX_SIDE_PX / 20_000))


def test_read_photo_accepts_single_pixel() -> None:
    assert read_photo(saved(Image.new("RGB", (1, 1), "blue")), "dot").tolist() == [[list(BLUE)]]


FIRST, LAST = slice(0, 16), slice(-16, None)
# Rows and columns of the stored picture that hold the top left corner of the upright one, by EXIF orientation.
TOP_LEFT = {
    1: (FIRST, FIRST),
    2: (FIRST, LAST),
    3: (LAST, LAST),
    4: (LAST, FIRST),
    5: (FIRST, FIRST),  # from here on, width and height are swapped in the file
    6: (LAST, FIRST),
    7: (LAST, LAST),
    8: (FIRST, LAST),
}


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", TOP_LEFT)
def test_read_photo_applies_exif_orientation(orientation: int, file_format: str) -> None:
    stored = np.zeros((96, 64, 3) if orientation >= 5 else (64, 96, 3), np.uint8)
    stored[TOP_LEFT[orientation]] = 255
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    photo = read_photo(saved(Image.fromarray(stored), file_format, exif=exif), "turned")
    assert photo.shape == (64, 96, 3)
    assert photo[8, 8].min() > 200
    assert photo[-8, 8].max() < 60
    assert photo[8, -8].max() < 60


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_read_photo_ignores_invalid_orientation(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert read_photo(saved(noise(), exif=exif), "odd").shape == (48, 64, 3)


def test_read_photo_rotates_despite_broken_exif() -> None:
    entries = struct.pack("<HHII", ORIENTATION, 3, 1, 6) + struct.pack("<HHI4s", 0x011A, 2, 3, b"no\0\0")
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0)  # the resolution is text
    assert read_photo(saved(noise(), "JPEG", exif=exif), "broken").shape == (64, 48, 3)


def test_read_photo_expands_gray() -> None:
    photo = read_photo(saved(Image.linear_gradient("L")), "gray")
    assert photo.shape == (256, 256, 3)
    assert np.array_equal(photo[:, 0], np.repeat(np.arange(256)[:, None], 3, axis=1))


def test_read_photo_keeps_16_bit_shades() -> None:
    deep = Image.fromarray(np.arange(0, 65_536, 256, dtype=np.uint16).reshape(16, 16))
    assert np.array_equal(read_photo(saved(deep), "deep")[:, :, 0].ravel(), np.arange(256))


def test_read_photo_accepts_bilevel() -> None:
    assert np.unique(read_photo(saved(noise().convert("1")), "fax")).tolist() == [0, 255]


@pytest.mark.parametrize(
    ("picture", "options"),
    [
        pytest.param(Image.new("RGBA", (9, 9), (0, 0, 255, 0)), {}, id="RGBA"),
        pytest.param(Image.new("LA", (9, 9), (0, 0)), {}, id="gray and alpha"),
        pytest.param(Image.new("P", (9, 9), 0), {"transparency": 0}, id="palette"),
        pytest.param(two_colors(), {"transparency": b"\xff\x00"}, id="palette with alpha"),
        pytest.param(Image.new("RGB", (9, 9), (1, 2, 3)), {"transparency": (1, 2, 3)}, id="one transparent color"),
        pytest.param(Image.new("L", (9, 9), 7), {"transparency": 7}, id="one transparent gray"),
    ],
)
def test_read_photo_puts_transparency_on_white(picture: Image.Image, options: dict[str, Any]) -> None:
    content = saved(picture, **options)
    assert open_picture(content, "glass").mode == "RGBA"
    assert (read_photo(content, "glass") == WHITE).all()


def test_read_photo_blends_half_transparency() -> None:
    photo = read_photo(saved(Image.new("RGBA", (9, 9), (0, 0, 0, 128))), "half")
    assert (photo == 127).all()


def test_read_photo_converts_cmyk() -> None:
    photo = read_photo(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95), "print")
    assert np.abs(photo.astype(int) - RED).max() <= 4


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_read_photo_takes_first_frame(file_format: str) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    content = saved(frames[0], file_format, save_all=True, append_images=frames[1:], lossless=True)
    assert Image.open(io.BytesIO(content)).n_frames == 2  # type: ignore[attr-defined]
    assert (read_photo(content, "moving") == RED).all()


def test_read_photo_file_names_missing_file(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match=r"gone\.png cannot be read: no such file"):
        read_photo_file(tmp_path / "gone.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_read_photo_file_refuses_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "me.jpg")
    with pytest.raises(EmojifyError, match="is a pipe or a device"):
        read_photo_file(tmp_path / "me.jpg")


def test_read_photo_file_refuses_folder(tmp_path: Path) -> None:
    with pytest.raises(EmojifyError, match="cannot be read: it is a folder"):
        read_photo_file(tmp_path)


@pytest.mark.parametrize("channels", [3, 4])
def test_encode_png_round_trip(channels: int, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 5, channels), np.uint8)
    back = np.asarray(open_picture(encode_png(image), "mine"))
    assert np.array_equal(back[:, :, [2, 1, 0, 3][:channels]], image)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the system has no /dev/zero")
def test_read_photo_file_refuses_device() -> None:
    with pytest.raises(EmojifyError, match="/dev/zero is a pipe or a device"):
        read_photo_file(Path("/dev/zero"))


def test_read_photo_file_refuses_huge_file(tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(MAX_PHOTO_FILE_MB * 1_000_000 + 1)
    with pytest.raises(EmojifyError, match=r"huge\.png is larger than 200 MB"):
        read_photo_file(tmp_path / "huge.png")
