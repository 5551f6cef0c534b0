"""Hypothesis strategies for damaged files: valid ones with changed values or bytes, and JSON of other shapes.

``EMOJIFY_FUZZ_EXAMPLES=20000 pytest tests/fuzz`` tries more examples, different ones in each run.
"""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = os.environ.get("EMOJIFY_FUZZ_EXAMPLES")
fuzz_settings = settings(
    max_examples=int(EXAMPLES or 80),
    derandomize=EXAMPLES is None,  # the suite tries the same examples in each run: a failure comes from the change
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
    | st.floats()  # Python's JSON reader accepts NaN and Infinity
    | st.text(max_size=20)
    | st.sampled_from(WORDS)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner),
    max_leaves=12,
)
texts = st.sampled_from(["", "{", "[" * 100_000, '{"a":' * 50_000, "\0", "\ufeff{}", "9" * 5000, "{}" * 2])


def json_files(valid: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Return a strategy for any bytes, and for ``valid`` with some values of its first two levels replaced."""

    def replace(changes: dict[str, Any]) -> dict[str, Any]:
        changed = json.loads(json.dumps(valid))
        for path, value in changes.items():
            parent, _, key = path.rpartition("/")
            (changed[parent] if parent else changed)[key] = value
        return changed

    paths = [*valid, *(f"{key}/{name}" for key, inner in valid.items() if isinstance(inner, dict) for name in inner)]
    changed = st.dictionaries(st.sampled_from(sorted(paths, key=len, reverse=True)), values, max_size=3).map(
        lambda changes: replace(dict(sorted(changes.items(), key=lambda change: -change[0].count("/"))))
    )
    return (
        (changed | values).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
        | texts.map(lambda text: text.encode())
        | st.binary(max_size=40)
    )


def corrupted(*valid: bytes) -> st.SearchStrategy[bytes]:
    """Return a strategy for one of ``valid`` with up to eight bytes changed, a part removed or repeated, or cut."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        content = bytearray(draw(st.sampled_from(valid)))
        for _ in range(draw(st.integers(0, 8))):
            index = draw(st.integers(0, len(content) - 1))
            content[index] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        match draw(st.sampled_from(["whole", "whole", "removed", "repeated", "cut"])):
            case "removed":
                del content[start:end]
            case "repeated":
                content[start:start] = content[start:end]
            case "cut":
                del content[end:]
        return bytes(content)

    return build()
