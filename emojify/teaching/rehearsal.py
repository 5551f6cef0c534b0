"""The rehearsal bank: features of other people's faces, which keep a model from forgetting them while it is taught.

    models/<id>/rehearsal.npz    features int8 (n, d), scale, zero; labels uint8 (n,); parts uint8 (n,)

The bank holds no pictures. A row is the input of the last layer for one face. It is exact for an int8 model; for a
float model it is rounded to 255 steps. No face is in two of the three splits:

* ``TRAIN``: ``TRAIN_PER_EMOTION`` faces of each emotion from the train split. They are rehearsed together with the
  person's pictures. The emotions are balanced, because otherwise the model could forget disgust unnoticed: it is 436
  faces of 28,709. The targets are the model's former answers and not the labels, so the balance causes no bias.
* ``VALIDATION``: faces from the public split with its own mixture of emotions. They show during teaching whether the
  model forgets too much.
* ``TEST``: as many other faces from the public split. They are used once, for the figure on the page.

The 3,800 rows take 1.7 MB with ``seed``, which has 1,024 features; less with fewer features.
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
TRAIN_PER_EMOTION = 200  # faces of each emotion in TRAIN
EVALUATION_FACES = 1200  # faces in VALIDATION, and in TEST


@dataclass(frozen=True, eq=False)
class Bank:
    """Features of other people's faces.

    Attributes:
        features: (n, d) float32.
        labels: (n,) int64.
        splits: (n,) uint8: ``TRAIN``, ``VALIDATION`` or ``TEST``.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    splits: NDArray[np.uint8]

    def split(self, split: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the features and labels of ``TRAIN``, ``VALIDATION`` or ``TEST``."""
        rows = self.splits == split
        return self.features[rows], self.labels[rows]


@dataclass(frozen=True, eq=False)
class BankFaces:
    """The faces from which a bank is made.

    Attributes:
        pictures: (n, 48, 48) uint8.
        labels: (n,) int64.
        splits: (n,) uint8.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    splits: NDArray[np.uint8]


def choose_faces(
    train: tuple[NDArray[np.uint8], NDArray[np.int64]],
    public: tuple[NDArray[np.uint8], NDArray[np.int64]],
    seed: int = 0,
) -> BankFaces:
    """Choose the faces of a bank at random.

    Args:
        train: pictures (n, 48, 48) and labels (n,) of the train split.
        public: pictures and labels of the public split, without those that are also in the train split.
        seed: of the random choice.
    """
    rng = np.random.default_rng(seed)
    train_rows = np.concatenate(
        [rng.permutation(np.flatnonzero(train[1] == emotion))[:TRAIN_PER_EMOTION] for emotion in range(len(LABELS))]
    )
    half = min(EVALUATION_FACES, len(public[1]) // 2)
    public_rows = rng.permutation(len(public[1]))[: 2 * half]
    return BankFaces(
        np.concatenate([train[0][train_rows], public[0][public_rows]]),
        np.concatenate([train[1][train_rows], public[1][public_rows]]),
        np.repeat([TRAIN, VALIDATION, TEST], [len(train_rows), half, half]).astype(np.uint8),
    )


def make_bank(model: bytes, faces: BankFaces) -> bytes:
    """Return the content of the ``rehearsal.npz`` that goes with a ``model.tflite``.

    Raises:
        EmojifyError: if the model does not end in a dense layer and a softmax.
    """
    from emojify.teaching.head import TeachableModel  # loads LiteRT, see make_bank_in_subprocess

    teachable = TeachableModel(model)
    features = teachable.features(faces.pictures)
    scale, zero_point = teachable.quantization or _quantization(features)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        features=np.clip(np.rint(features / scale) + zero_point, -128, 127).astype(np.int8),
        scale=np.float32(scale),
        zero=np.int32(zero_point),
        labels=faces.labels.astype(np.uint8),
        parts=faces.splits,
    )
    return buffer.getvalue()


def make_bank_in_subprocess(model: Path, faces: BankFaces) -> bytes:
    """Call :func:`make_bank` in a new process: LiteRT has been seen to crash in a process that loaded TensorFlow.

    Raises:
        subprocess.CalledProcessError: if that process fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "faces.npz", Path(scratch) / BANK_FILE
        np.savez(source, allow_pickle=False, pictures=faces.pictures, labels=faces.labels, splits=faces.splits)
        command = [sys.executable, "-m", "emojify.teaching.rehearsal", str(model.absolute()), str(source), str(target)]
        subprocess.run(command, check=True, cwd=ROOT, stderr=subprocess.PIPE)
        return target.read_bytes()


def require_bank(model: Model) -> dict[str, Any]:
    """Return the entry about the bank in a model's card.

    Raises:
        EmojifyError: if the model has no bank. Such a model can't be taught, because nothing shows what it forgets.
    """
    entry = model.card.get("rehearsal")
    if not isinstance(entry, dict) or "sha256" not in entry:
        raise EmojifyError(
            f"The model {model.id} has no rehearsal bank: taught without one, it would forget how to read everyone "
            "else. Put another model live, or export this one again: python -m emojify export"
        )
    return entry


def read_bank(model: Model) -> Bank:
    """Read a model's rehearsal bank.

    Raises:
        EmojifyError: if there is none, or it is not the file that the card describes.
    """
    entry = require_bank(model)
    try:
        content = (model.folder / BANK_FILE).read_bytes()
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ValueError("the file's SHA-256 is not the one in the card")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            features = (archive["features"].astype(np.float32) - archive["zero"]) * archive["scale"]
            return Bank(np.asarray(features, np.float32), archive["labels"].astype(np.int64), archive["parts"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise EmojifyError(
            f"The model {model.id} can't be taught: its rehearsal bank is missing or damaged. "
            f"Restore {BANK_FILE} in its folder, or put another model live."
        ) from error


def _quantization(features: NDArray[np.float32]) -> tuple[float, int]:
    """Return scale and zero point of an int8 range that holds all features and 0."""
    low, high = min(0.0, float(features.min())), max(0.0, float(features.max()))
    scale = max(high - low, 1e-6) / 255
    return scale, round(-128 - low / scale)


if __name__ == "__main__":  # see make_bank_in_subprocess
    with np.load(sys.argv[2], allow_pickle=False) as archive:
        given_faces = BankFaces(archive["pictures"], archive["labels"], archive["splits"])
    Path(sys.argv[3]).write_bytes(make_bank(Path(sys.argv[1]).read_bytes(), given_faces))
