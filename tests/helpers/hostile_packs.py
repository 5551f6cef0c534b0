"""A table of zips that must be refused, each with a part of the message and a similar zip that is valid."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial

from PIL import Image, PngImagePlugin

from tests.helpers.pack_files import (
    HAPPY,
    NAMES,
    PICTURES,
    Maker,
    disc,
    encode_image,
    film,
    happy_as,
    noise,
    pack_zip,
    patched,
    with_happy,
    with_manifest,
    zipped,
)


@dataclass(frozen=True)
class HostileZip:
    """A zip that must be refused.

    Attributes:
        name: for the test's id.
        bad: makes the zip.
        reason: a part of the message that refuses it.
        valid: makes a similar zip that must be accepted.
    """

    name: str
    bad: Maker
    reason: str
    valid: Maker = pack_zip


def _names(reason: str, *names: str, valid: Maker = pack_zip) -> list[HostileZip]:
    return [HostileZip(f"name {name!r}"[:60], partial(happy_as, name), reason, valid) for name in names]


def _kinds(**kinds: int) -> list[HostileZip]:
    plain_file = partial(happy_as, "happy.png", stat.S_IFREG | 0o644)
    return [
        HostileZip(f"a {kind}", partial(happy_as, "happy.png", mode | 0o777), "link or a device", plain_file)
        for kind, mode in kinds.items()
    ]


def _extras(reason: str, *names: str) -> list[HostileZip]:
    with_system_files = partial(pack_zip, ("Thumbs.db", b"x"), ("__MACOSX/._happy.png", b"x"), (".DS_Store", b"x"))
    return [HostileZip(f"with {name}", partial(pack_zip, (name, HAPPY)), reason, with_system_files) for name in names]


def _pictures(**rows: tuple[Maker, str]) -> list[HostileZip]:
    return [
        HostileZip(f"picture: {name.replace('_', ' ')}", partial(_with_happy_from, make), reason)
        for name, (make, reason) in rows.items()
    ]


def _with_happy_from(make: Maker) -> bytes:
    return with_happy(make(), zipfile.ZIP_STORED)


def _manifests(**rows: tuple[object, str]) -> list[HostileZip]:
    valid = partial(with_manifest, {"name": "Cats", "head": {"y": 0.4}, "avatar": {"skin": 3, "hair": "bob"}})
    return [
        HostileZip(f"pack.json: {name.replace('_', ' ')}", partial(with_manifest, manifest), reason, valid)
        for name, (manifest, reason) in rows.items()
    ]


ENDINGS = (".png", ".PNG", ".Png", ".pNg", ".webp", ".WEBP", ".jpg", ".JPG", ".jpeg")


def _compressible(size: int) -> bytes:
    """Return bytes that compress to a quarter, within the limit of the compression ratio."""
    return noise(size // 4) + bytes(size - size // 4)


def _with_false_size() -> bytes:
    """Return a zip that declares 100 bytes for a ``happy.png`` of 1.9 MB."""
    content = with_happy(_compressible(1_900_000))
    return patched(content, struct.pack("<I", 1_900_000), struct.pack("<I", 100))


def _with_wrong_checksum() -> bytes:
    return patched(pack_zip(), struct.pack("<I", zlib.crc32(HAPPY)), b"\1\2\3\4")


def _with_password() -> bytes:
    content = bytearray(pack_zip())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def _with_undecodable_name() -> bytes:
    return patched(happy_as("h\u00e4ppy.png"), "h\u00e4ppy.png".encode(), b"h\xff\xffppy.png")


def _png_with_text_bomb() -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "x" * 5_000_000, zip=True)
    return encode_image(disc(), pnginfo=texts)


def _large_white_png(side_px: int) -> Maker:
    """Return a function that makes a white PNG. It does without Pillow, which takes seconds."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    def make() -> bytes:
        lines = zlib.compress(bytes((1 + side_px // 8) * side_px), 1)
        header = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")

    return make


HOSTILE: list[HostileZip] = [
    *_names("is not allowed in a pack", "../happy.png", "cats/../../happy.png", "..", "/happy.png", "/etc/passwd"),
    *_names("is not allowed in a pack", "//host/share/happy.png", "./happy.png", "cats//happy.png"),
    *_names("is not allowed in a pack", "..\\happy.png", "cats\\happy.png", "\\\\host\\happy.png"),
    *_names("is not allowed in a pack", "C:/happy.png", "C:happy.png", "happy.png:hidden"),
    *_names("is not allowed in a pack", "happy.png\0.exe", "hap\npy.png", "\x1b[2Jhappy.png"),
    *_names("is not allowed in a pack", "__MACOSX/../../happy.png"),
    *_names("is nested too deep", "my/cats/happy.png", valid=lambda: pack_zip(folder="cats/")),
    *_names("several folders", "cats/happy.png", valid=lambda: pack_zip(("cats/", b""), folder="cats/")),
    *_names("in a format that can't be opened", "happy.png.exe", "happy.svg"),
    *_names("not named after one of the seven", "happy", "smile.png", "happy_or_sad.png"),
    *_kinds(link=stat.S_IFLNK, device=stat.S_IFCHR, disk=stat.S_IFBLK, pipe=stat.S_IFIFO, socket=stat.S_IFSOCK),
    *_extras("more than one picture for happy", "HAPPY.png", "happy.jpg"),
    *_extras("more than one picture for fearful", "fear.webp"),
    *_extras("contains happy.png twice", "happy.png"),
    HostileZip("two manifests", lambda: pack_zip(("pack.json", b"{}"), ("PACK.JSON", b"{}")), "twice"),
    HostileZip("ratio", lambda: with_happy(bytes(1_500_000)), "compressed too much"),
    HostileZip("a picture of 2 MB and a byte", lambda: with_happy(_compressible(2_000_001)), "too large"),
    HostileZip("50 MB of zeros", lambda: with_happy(bytes(50_000_000)), "too large"),
    HostileZip(
        "16 MB in all",
        lambda: zipped((f"happy{end}", _compressible(1_990_000)) for end in ENDINGS),
        "too large",
    ),
    HostileZip("a zip of over 8 MB", lambda: pack_zip() + bytes(8_000_000), "larger than 8 MB"),
    HostileZip("a manifest of 17 kB", lambda: with_manifest({"name": noise(9_000).hex()}), "too large"),
    HostileZip(
        "100 files",
        lambda: pack_zip(*((f"__MACOSX/._{number}", b"") for number in range(100))),
        "more than 64 files",
        lambda: pack_zip(*((f"__MACOSX/._{name}", b"") for name in NAMES)),
    ),
    HostileZip("false size", _with_false_size, "damaged"),
    HostileZip("a wrong checksum", _with_wrong_checksum, "damaged"),
    HostileZip("undecodable name", _with_undecodable_name, "damaged"),
    HostileZip("cut short", lambda: pack_zip()[:-30], "damaged"),
    HostileZip("only its beginning", lambda: b"PK\3\4", "damaged"),
    HostileZip("password", _with_password, "password"),
    HostileZip("packed with LZMA", lambda: zipped(PICTURES.items(), zipfile.ZIP_LZMA), "unusual way"),
    HostileZip("a picture with a zip behind it", lambda: HAPPY + pack_zip(), "not a zip"),
    HostileZip("text", lambda: b"hello", "not a zip"),
    HostileZip("empty", lambda: b"", "not a zip"),
    HostileZip("empty zip", lambda: zipped([]), "no pictures"),
    HostileZip("system files only", lambda: zipped([(".DS_Store", b"")]), "no pictures"),
    HostileZip("two missing", lambda: pack_zip(leave_out=["sad.png", "angry.png"]), "no picture: angry, sad"),
    *_pictures(
        of_144_megapixels=(_large_white_png(12_000), "12000 x 12000 pixels"),
        of_400_megapixels=(_large_white_png(20_000), "too large"),
        cut_short=(lambda: encode_image(Image.effect_noise((64, 64), 90))[:-900], "damaged"),
        an_SVG=(lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing, not a picture"),
        a_PDF=(lambda: b"%PDF-1.7", "a PDF, not a picture"),
        a_zip=(pack_zip, "not a picture"),
        empty=(lambda: b"", "not a picture"),
        a_magic_number_alone=(lambda: b"\x89PNG\r\n\x1a\n", "not a picture"),
        with_a_text_bomb=(_png_with_text_bomb, "damaged"),
    ),
    *_manifests(
        a_list=([], "cannot be read"),
        cut_short=(b'{"name": "Ca', "cannot be read"),
        no_text=(b"\xff\xfe", "cannot be read"),
        nested_deep=(b'{"a":' + b"[" * 15_000, "cannot be read"),
        a_word_as_head=({"head": "large"}, "cannot be read"),
        a_tilted_head=({"head": {"tilt": 1}}, "cannot be read"),
        a_head_outside=({"head": {"x": 7}}, "must lie inside"),
        a_head_nowhere=(b'{"head": {"x": NaN}}', "must lie inside"),
        a_nested_avatar=({"avatar": {"hair": {"style": "bob"}}}, "few numbers and words"),
        a_list_as_avatar=({"avatar": [1, 2]}, "few numbers and words"),
        a_large_avatar=({"avatar": {"hair": "x" * 5000}}, "few numbers and words"),
        an_avatar_of_100=({"avatar": {str(number): 1 for number in range(100)}}, "few numbers and words"),
        an_endless_avatar=(b'{"avatar": {"brow": Infinity}}', "few numbers and words"),
    ),
]  # fmt: skip

HARMLESS: dict[str, Maker] = {
    "GIF": lambda: encode_image(disc(), "GIF"),
    "GIF of 30 frames": lambda: film("GIF", 30),
    "TIFF": lambda: encode_image(disc(), "TIFF"),
    "AVIF": lambda: encode_image(disc(), "AVIF", quality=95),
    "WebP of 3000 frames": lambda: film("WEBP", 3000),
    "PNG of 3000 frames": lambda: film("PNG", 3000),
    "WebP": lambda: encode_image(disc(), "WEBP", lossless=True),
    "JPEG": lambda: encode_image(Image.new("RGB", (16, 16), "orange"), "JPEG", quality=95),
    "CMYK": lambda: encode_image(Image.new("RGB", (16, 16), "orange").convert("CMYK"), "JPEG", quality=95),
    "palette with transparency": lambda: encode_image(disc().quantize(8)),
    "a zip behind it": lambda: encode_image(disc()) + pack_zip(),
}
"""Unusual pictures that are accepted, by description. Each is orange in the middle."""
