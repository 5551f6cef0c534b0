"""What files may hold that nobody meant: sound ones spoilt in places, and JSON that is none of ours.

``EMOJIFY_FUZZ_EXAMPLES=20000 pytest tests/fuzz`` looks longer, each time elsewhere.
"""

from __future__ import annotations

import io
import json
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import Image

EXAMPLES = os.environ.get("EMOJIFY_FUZZ_EXAMPLES")
fuzzed = settings(
    max_examples=int(EXAMPLES or 80),
    derandomize=EXAMPLES is None,  # the same in every run of the suite: a change is to blame for what it finds
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

WORDS = (
    "name", "head", "avatar", "x", "y", "width", "emotion", "boxes", "epoch", "best_epoch", "best_public_accuracy",
    "weights", "tflite", "file", "sha256", "crop_margin", "data", "network", "epochs", "how", "figures", "history",
    "happy", "00.png", "seed", "model.tflite", "w.h5", "stopped", "time", "batch", "phase",
)  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -1, 0, 2**63, 5])
    | st.floats()  # JSON as Python reads it knows NaN and Infinity
    | st.text(max_size=20)
    | st.sampled_from(WORDS)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner),
    max_leaves=12,
)
texts = st.sampled_from(["", "{", "[" * 100_000, '{"a":' * 50_000, "\0", "\ufeff{}", "9" * 5000, "{}" * 2])


def json_files(sound: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Anything, or ``sound`` with some of its values replaced, one level down too."""

    def spoil(changes: dict[str, Any]) -> dict[str, Any]:
        spoilt = json.loads(json.dumps(sound))
        for path, value in changes.items():
            place, _, key = path.rpartition("/")
            (spoilt[place] if place else spoilt)[key] = value
        return spoilt

    paths = [*sound, *(f"{key}/{name}" for key, inner in sound.items() if isinstance(inner, dict) for name in inner)]
    spoilt = st.dictionaries(st.sampled_from(sorted(paths, key=len, reverse=True)), values, max_size=3).map(
        lambda changes: spoil(dict(sorted(changes.items(), key=lambda change: -change[0].count("/"))))
    )
    return (
        (spoilt | values).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
        | texts.map(lambda text: text.encode())
        | st.binary(max_size=40)
    )


def spoilt(*sound: bytes) -> st.SearchStrategy[bytes]:
    """One of ``sound`` with up to eight bytes changed, a piece missing or doubled, or cut short."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        content = bytearray(draw(st.sampled_from(sound)))
        for _ in range(draw(st.integers(0, 8))):
            where = draw(st.integers(0, len(content) - 1))
            content[where] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        match draw(st.sampled_from(["whole", "whole", "missing", "doubled", "short"])):
            case "missing":
                del content[start:end]
            case "doubled":
                content[start:start] = content[start:end]
            case "short":
                del content[end:]
        return bytes(content)

    return build()


def picture_files() -> tuple[bytes, ...]:
    """A picture in every format and mode that is taken, one that moves and one with EXIF among them."""
    colors = Image.linear_gradient("L").resize((24, 20))
    files = []
    for mode, kind in (("RGBA", "PNG"), ("P", "PNG"), ("I;16", "PNG"), ("1", "PNG"), ("RGB", "JPEG"), ("L", "JPEG"),
                       ("CMYK", "JPEG"), ("RGBA", "WEBP"), ("RGB", "WEBP")):  # fmt: skip
        buffer = io.BytesIO()
        picture = colors.convert("I").convert(mode) if mode == "I;16" else colors.convert("RGB").convert(mode)
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.save(buffer, kind, **({"exif": exif} if kind != "PNG" else {}))
        files.append(buffer.getvalue())
    moving = io.BytesIO()
    colors.convert("RGB").save(moving, "WEBP", save_all=True, append_images=[Image.new("RGB", (24, 20))])
    return (*files, moving.getvalue())
