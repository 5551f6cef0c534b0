"""Pictures and zips for tests of packs, valid and hostile, made in memory."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from PIL import Image

from emojify.emotions import LABELS

NAMES = tuple(f"{label}.png" for label in LABELS)


def encode_image(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def disc(color: str = "orange", side_px: int = 16) -> Image.Image:
    """Return a picture of a square with a transparent border of 2 pixels."""
    picture = Image.new("RGBA", (side_px, side_px))
    picture.paste(color, (2, 2, side_px - 2, side_px - 2))
    return picture


COLORS = ("red", "green", "purple", "yellow", "gray", "blue", "cyan")
PICTURES: Mapping[str, bytes] = {name: encode_image(disc(color)) for name, color in zip(NAMES, COLORS, strict=True)}
HAPPY = PICTURES["happy.png"]


def zipped(files: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content, method)
    return buffer.getvalue()


def pack_zip(
    *more: tuple[str | zipfile.ZipInfo, bytes],
    folder: str = "",
    leave_out: Iterable[str] = (),
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Return a zip with the seven pictures except ``leave_out``, followed by the files in ``more``."""
    files = [(folder + name, picture) for name, picture in PICTURES.items() if name not in leave_out]
    return zipped([*files, *more], method)


def with_happy(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip with this content as its ``happy.png``."""
    return pack_zip(("happy.png", content), leave_out=["happy.png"], method=method)


def happy_as(name: str, mode: int = 0) -> bytes:
    """Return a zip whose happy picture has another name, or a mode other than that of a plain file."""
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    info.external_attr = mode << 16
    return pack_zip((info, HAPPY), leave_out=["happy.png"])


def with_manifest(manifest: object) -> bytes:
    """Return a zip with this ``pack.json``: bytes unchanged, anything else as JSON."""
    content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return pack_zip(("pack.json", content), method=zipfile.ZIP_STORED)


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    """Return ``content`` with every ``old`` replaced by ``new``, which has the same length."""
    assert len(old) == len(new)
    assert old in content
    return content.replace(old, new)


def film(kind: str, frames: int) -> bytes:
    """Return an animated picture: one orange frame, then blue and green in turn."""
    others = [disc(color) for color in ("blue", "green")] * (frames // 2)
    return encode_image(disc("orange"), kind, save_all=True, append_images=others, duration=20, lossless=True)


def folder_contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file below ``folder``, hidden files too; "folder" for a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


Maker = Callable[[], bytes]
