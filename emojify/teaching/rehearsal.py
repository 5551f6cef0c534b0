"""The rehearsal bank: what a model's last layer is given for faces of everyone else, so that it isn't taught to forget.

    models/<id>/rehearsal.npz    features int8 (n, d), scale, zero; labels uint8 (n,); parts uint8 (n,)

No pictures: a row is the d numbers that the layer before the last makes of one, exact for an int8 model, in steps of
1/255 of their range for one of floats. Three parts, none of which shares a picture with another:

* ``TRAIN``, ``TRAIN_PER_EMOTION`` of every emotion from train: taught beside the person's pictures. Balanced, or the
  436 faces of disgust among 28,709 would be forgotten unseen. What is rehearsed is not their label but what the model
  read in them, so the balance does not pull at it.
* ``VALIDATION``, from public, in its own mixture: says while teaching whether it is forgetting too much.
* ``TEST``, as many others from public: seen once, at the end, for the figure on the page.

The 3,800 rows are 1.7 MB with ``seed``, which has 1,024 numbers in a row; fewer numbers, less.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.settings import ROOT

if TYPE_CHECKING:
    from emojify.models import Model

BANK_FILE = "rehearsal.npz"
TRAIN, VALIDATION, TEST = range(3)
TRAIN_PER_EMOTION = 200  # pictures of each emotion in TRAIN
EVALUATION_PICTURES = 1200  # pictures in VALIDATION, and as many in TEST


@dataclass(frozen=True, eq=False)
class Bank:
    """Features of everyone else: (n, d) float32, with (n,) labels and parts."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    parts: NDArray[np.uint8]

    def split(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Features and labels of ``TRAIN``, ``VALIDATION`` or ``TEST``."""
        keep = self.parts == number
        return self.features[keep], self.labels[keep]


@dataclass(frozen=True, eq=False)
class BankFaces:
    """Pictures for a bank: (n, 48, 48) uint8, with (n,) labels and parts."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    parts: NDArray[np.uint8]


def choose_faces(
    train: tuple[NDArray[np.uint8], NDArray[np.int64]],
    public: tuple[NDArray[np.uint8], NDArray[np.int64]],
    seed: int = 0,
) -> BankFaces:
    """Which pictures go into a bank.

    Args:
        train, public: pictures and labels; of public only those that have no copy in train.
    """
    rng = np.random.default_rng(seed)
    learn = np.concatenate(
        [rng.permutation(np.flatnonzero(train[1] == emotion))[:TRAIN_PER_EMOTION] for emotion in range(len(LABELS))]
    )
    half = min(EVALUATION_PICTURES, len(public[1]) // 2)
    others = rng.permutation(len(public[1]))[: 2 * half]
    return BankFaces(
        np.concatenate([train[0][learn], public[0][others]]),
        np.concatenate([train[1][learn], public[1][others]]),
        np.repeat([TRAIN, VALIDATION, TEST], [len(learn), half, half]).astype(np.uint8),
    )


def make_bank(model: bytes, faces: BankFaces) -> bytes:
    """The content of a ``rehearsal.npz`` for a ``model.tflite``.

    Raises:
        EmojifyError: if the model does not end as ours do.
    """
    from emojify.teaching.head import TeachableModel  # loads LiteRT, which export's own process is to be spared

    headed = TeachableModel(model)
    features = headed.features(faces.pictures)
    scale, zero = headed.quantization or _step(features)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        features=np.clip(np.rint(features / scale) + zero, -128, 127).astype(np.int8),
        scale=np.float32(scale),
        zero=np.int32(zero),
        labels=faces.labels.astype(np.uint8),
        parts=faces.parts,
    )
    return buffer.getvalue()


def make_bank_in_subprocess(model: Path, faces: BankFaces) -> bytes:
    """:func:`make_bank` in a fresh process: where TensorFlow is loaded, LiteRT has been seen to crash.

    Raises:
        subprocess.CalledProcessError: if that process fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        given, answer = Path(scratch) / "faces.npz", Path(scratch) / BANK_FILE
        np.savez(given, allow_pickle=False, pictures=faces.pictures, labels=faces.labels, parts=faces.parts)
        command = [sys.executable, "-m", "emojify.teaching.rehearsal", str(model.absolute()), str(given), str(answer)]
        subprocess.run(command, check=True, cwd=ROOT, stderr=subprocess.PIPE)
        return answer.read_bytes()


def require_bank(model: Model) -> dict[str, Any]:
    """What a model's card says of its bank.

    Raises:
        EmojifyError: if it came without one. Such a model is not taught at all: nothing would say what it forgets.
    """
    about = model.card.get("rehearsal")
    if not isinstance(about, dict) or "sha256" not in about:
        raise EmojifyError(
            f"The model {model.id} has no rehearsal bank: taught without one, it would forget how to read everyone "
            "else. Put another model live, or make this one anew with: python -m emojify export"
        )
    return about


def read_bank(model: Model) -> Bank:
    """The bank that ships with a model.

    Raises:
        EmojifyError: if there is none, or it is not the one that the card describes.
    """
    about = require_bank(model)
    damaged = f"The model {model.id} can't be taught: its rehearsal bank is missing or damaged."
    try:
        content = (model.folder / BANK_FILE).read_bytes()
        if hashlib.sha256(content).hexdigest() != about["sha256"]:
            raise ValueError("another file than the card describes")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            features = (archive["features"].astype(np.float32) - archive["zero"]) * archive["scale"]
            return Bank(np.asarray(features, np.float32), archive["labels"].astype(np.int64), archive["parts"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise EmojifyError(damaged) from error


def _step(features: NDArray[np.float32]) -> tuple[float, int]:
    """Scale and zero of int8 numbers that span the features and nothing."""
    low, high = min(0.0, float(features.min())), max(0.0, float(features.max()))
    scale = max(high - low, 1e-6) / 255
    return scale, round(-128 - low / scale)


if __name__ == "__main__":
    with np.load(sys.argv[2], allow_pickle=False) as archive:
        given_faces = BankFaces(archive["pictures"], archive["labels"], archive["parts"])
    Path(sys.argv[3]).write_bytes(make_bank(Path(sys.argv[1]).read_bytes(), given_faces))
