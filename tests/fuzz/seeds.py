"""Write the fuzzing corpus anew: small inputs, valid and hostile, all generated here.

    python -m tests.fuzz.seeds

Inputs that fuzzing found (``found-*``) stay.
"""

from __future__ import annotations

import hashlib

from PIL import Image

from tests.fuzz.run import CORPUS
from tests.fuzz.targets import TARGETS
from tests.fuzz.valid_files import (
    CARD,
    CSV,
    FOLDERS,
    LIVE,
    MANIFEST,
    PICTURES,
    RECORDING,
    REPORT,
    REQUEST,
    RUN,
    RUN_FILES,
    to_json,
)
from tests.helpers.hostile_packs import HOSTILE
from tests.helpers.pack_files import HAPPY, NAMES, encode_image, pack_zip, with_manifest, zipped

MAX_HOSTILE_BYTES = 2_500  # larger hostile zips are tested in tests/packs/test_importer.py only
ODD_JSON = [
    b"", b"{", b"null", b"[]", b"NaN", b"[" * 2000, b'{"a":' * 1000, b"9" * 1000, b"\xff\xfe", b"\xef\xbb\xbf{}", b"\0"
]  # fmt: skip
ODD_NAMES = [b"../happy.png", b"/etc/passwd", b"C:happy.png", b"a\\sad.png", b"__MACOSX/._x", b"HAPPY.PNG\nhappy.jpg"]
ODD_CSV = [b"", b'"' * 500, b"emotion,pixels,Usage\n7,1 2 3,Training\n", CSV.replace(b"7 7", b"7 256", 1)]
VOTES = b"Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def data_zip(*more: tuple[str, bytes]) -> bytes:
    gray = PICTURES[5]
    return zipped([*((f"train/{name}/1.jpg", gray) for name in FOLDERS), ("test/sad/1.jpg", gray), *more])


def large_pictures() -> list[bytes]:
    """Return pictures with as many pixels as are accepted, in few bytes: they test the memory that decoding needs."""
    long, square = Image.new("1", (800_000, 40)), Image.new("RGBA", (3400, 3400))
    return [encode_image(long, "PNG", transparency=0), encode_image(square, "WEBP", method=0)]


def seeds() -> dict[str, list[bytes]]:
    """Return the inputs of each target."""
    hostile = [content for content in (row.bad() for row in HOSTILE) if len(content) < MAX_HOSTILE_BYTES][::3]
    names = "\n".join(NAMES).encode()
    return {
        "pack": [pack_zip(), with_manifest(MANIFEST), zipped([("happy.png", HAPPY)]), *hostile],
        "manifest": [to_json(MANIFEST), b"{}", *ODD_JSON],
        "entries": [names, names.lower().replace(b"fearful", b"fear"), *ODD_NAMES],
        "picture": [*PICTURES, *large_pictures(), HAPPY, HAPPY[:-20], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"],
        "faces_zip": [
            data_zip(), data_zip(("labels.csv", b"file,ferplus_anger\ntrain/sad/1.jpg,3\n")), data_zip()[:-40],
            zipped([("fer2013.csv", CSV)]), zipped([("train/rage/1.png", HAPPY)]), b"PK\5\6" + bytes(18),
        ],
        "faces_csv": [CSV, b"\xef\xbb\xbf" + CSV, CSV.replace(b"Training", b"PublicTest", 1), *ODD_CSV],
        "labels": [b"file,ferplus_anger,ferplus_happiness,clean\na/1.png,3,7,1\n", b"row,clean\n0,1\n", *ODD_CSV[:2]],
        "votes": [VOTES + b"Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n" * 2, VOTES, *ODD_CSV[:2]],
        "run": [
            *(bytes([RUN_FILES.index(name)]) + to_json(content) for name, content in RUN.items()),
            *(bytes([number]) + odd for number, odd in enumerate(ODD_JSON)),
        ],
        "recording": [to_json(RECORDING), *ODD_JSON],
        "job": [to_json(REQUEST) + b"\n" + to_json(REPORT), *ODD_JSON],
        "card": [to_json(CARD) + b"\n" + to_json(LIVE), *ODD_JSON],
        "settings": [
            b'PUBLIC=1\nMAX_SESSIONS=4\nICE_SERVERS=[{"urls": "turn:a", "username": "b", "credential": "c"}]',
            b"PUBLIC=yes", b"MAX_SESSIONS=0", b"ICE_SERVERS={}", b"MODELS=\nDATA=/nowhere",
        ],
    }  # fmt: skip


def main() -> None:
    contents = seeds()
    assert set(contents) == set(TARGETS)
    for target, inputs in contents.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith("found-"):
                old.unlink()
        for content in inputs:
            (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


if __name__ == "__main__":
    main()
