"""Makes the corpus anew: ``python -m tests.fuzz.seeds``. Small inputs, good and hostile, all of them made here.

What was found by fuzzing (``found-*``) stays as it is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from PIL import Image

from emojify.runs.config import FitConfig
from tests.fuzz.inputs import picture_files
from tests.fuzz.run import CORPUS
from tests.fuzz.targets import RUN_FILES, TARGETS, TWO_ROWS
from tests.helpers.hostile_packs import HOSTILE
from tests.helpers.pack_files import HAPPY, NAMES, encode_image, pack_zip, with_manifest, zipped

MAX_BYTES = 2_500  # of a hostile zip: larger ones are in the table of hostile files, and tested there
MANIFEST = {
    "name": "Cats", "author": "me", "licence": "MIT", "description": "", "head": {"x": 0.5, "y": 0.5, "width": 0.6},
    "avatar": {"skin": "light", "hair": "short", "brow": 0.3},
}  # fmt: skip
CARD = {"id": "mine", "name": "Mine", "crop_margin": 0.1, "figures": {"private": {"n": 7, "accuracy": 0.5}},
        "tflite": {"file": "model.tflite", "sha256": "0" * 64}}  # fmt: skip
CHECKPOINT = {"epoch": 2, "best_epoch": 2, "best_public_accuracy": 0.5, "weights": "w.h5"}
BEST = {"epoch": 2, "figures": {"n": 7, "accuracy": 0.5, "macro_recall": 0.4, "recall": {}, "confusion": [[1]]}}
RUN: dict[str, object] = {
    "config.json": asdict(FitConfig("faces.zip")), "checkpoint.json": CHECKPOINT, "best.json": BEST,
    "ended.json": {"how": "stopped", "why": ""}, "result.json": {"best_epoch": 2},
    "environment.json": {"pictures": {"data": "FER"}}, "queued.json": {"since": 1.0},
    "process.json": {"pid": 1, "birth": "x", "born": 1.0, "arguments": ["export", "--id", "x"]},
    "progress.jsonl": {"epoch": 1, "epochs": 3, "loss": 1.5, "accuracy": 0.4, "val_accuracy": 0.5, "seconds": 2.0},
}  # fmt: skip
REQUEST = {"name": "me.mp4", "ending": ".mp4", "pack": "classic", "style": "sticker"}
ODD_JSON = [
    b"", b"{", b"null", b"[]", b"NaN", b"[" * 2000, b'{"a":' * 1000, b"9" * 1000, b"\xff\xfe", b"\xef\xbb\xbf{}", b"\0"
]  # fmt: skip
VOTES = b"Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def as_json(content: object) -> bytes:
    return json.dumps(content).encode()


def data_zip(*more: tuple[str, bytes]) -> bytes:
    gray = picture_files()[5]
    folders = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    return zipped([*((f"train/{name}/1.jpg", gray) for name in folders), ("test/sad/1.jpg", gray), *more])


def large_pictures() -> list[bytes]:
    """As many pixels as are taken, in few bytes: what they need of the memory is watched."""
    long, square = Image.new("1", (800_000, 40)), Image.new("RGBA", (3400, 3400))
    return [encode_image(long, "PNG", transparency=0), encode_image(square, "WEBP", method=0)]


def seeds() -> dict[str, list[bytes]]:
    """For each target."""
    hostile = [content for content in (row.bad() for row in HOSTILE) if len(content) < MAX_BYTES][::3]
    names = "\n".join(NAMES).encode()
    odd_names = [
        b"../happy.png",
        b"/etc/passwd",
        b"C:happy.png",
        b"a\\sad.png",
        b"__MACOSX/._x",
        b"HAPPY.PNG\nhappy.jpg",
    ]
    odd_csv = [b"", b'"' * 500, b"emotion,pixels,Usage\n7,1 2 3,Training\n", TWO_ROWS.replace(b"7 7", b"7 256", 1)]
    return {
        "pack": [pack_zip(), with_manifest(MANIFEST), zipped([("happy.png", HAPPY)]), *hostile],
        "manifest": [as_json(MANIFEST), b"{}", *ODD_JSON],
        "entries": [names, names.lower().replace(b"fearful", b"fear"), *odd_names],
        "picture": [*picture_files(), *large_pictures(), HAPPY, HAPPY[:-20], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"],
        "faces_zip": [
            data_zip(), data_zip(("labels.csv", b"file,ferplus_anger\ntrain/sad/1.jpg,3\n")), data_zip()[:-40],
            zipped([("fer2013.csv", TWO_ROWS)]), zipped([("train/rage/1.png", HAPPY)]), b"PK\5\6" + bytes(18),
        ],
        "faces_csv": [TWO_ROWS, b"\xef\xbb\xbf" + TWO_ROWS, TWO_ROWS.replace(b"Training", b"PublicTest", 1), *odd_csv],
        "labels": [b"file,ferplus_anger,ferplus_happiness,clean\na/1.png,3,7,1\n", b"row,clean\n0,1\n", *odd_csv[:2]],
        "votes": [VOTES + b"Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n" * 2, VOTES, *odd_csv[:2]],
        "run": [
            *(bytes([RUN_FILES.index(name)]) + as_json(content) for name, content in RUN.items()),
            *(bytes([number]) + odd for number, odd in enumerate(ODD_JSON)),
        ],
        "recording": [as_json({"emotion": "happy", "source": "photos", "boxes": {"00.png": [2, 2, 9, 9]}}), *ODD_JSON],
        "job": [as_json(REQUEST) + b"\n" + as_json({"state": "done"}), *ODD_JSON],
        "card": [as_json(CARD) + b"\n" + as_json({"history": ["seed", "mine"]}), *ODD_JSON],
        "settings": [
            b'PUBLIC=1\nMAX_SESSIONS=4\nICE_SERVERS=[{"urls": "turn:a", "username": "b", "credential": "c"}]',
            b"PUBLIC=yes", b"MAX_SESSIONS=0", b"ICE_SERVERS={}", b"MODELS=\nDATA=/nowhere",
        ],
    }  # fmt: skip


def main() -> None:
    made = seeds()
    assert set(made) == set(TARGETS)
    for target, contents in made.items():
        place = CORPUS / target
        place.mkdir(parents=True, exist_ok=True)
        for old in place.iterdir():
            if not old.name.startswith("found-"):
                old.unlink()
        for content in contents:
            (place / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


if __name__ == "__main__":
    main()
