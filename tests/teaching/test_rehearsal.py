"""The rehearsal bank: which faces go into it, how it is written, and how a model without one is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.models import CARD, Model
from emojify.teaching.head import TeachableModel
from emojify.teaching.rehearsal import (
    BANK_FILE,
    EVALUATION_FACES,
    TEST,
    TRAIN,
    TRAIN_PER_EMOTION,
    VALIDATION,
    BankFaces,
    choose_faces,
    make_bank,
    make_bank_in_subprocess,
    read_bank,
)
from tests.helpers.recordings import noise
from tests.helpers.rehearsal_bank import lfw_faces

pytestmark = pytest.mark.slow


def test_choose_faces_balances_train_split() -> None:
    rng = np.random.default_rng(0)
    train_labels = rng.choice(7, 4000, p=[0.3, 0.02, 0.2, 0.2, 0.1, 0.1, 0.08])
    train, public = noise(1, 1)[np.zeros(4000, int)], np.arange(3000)[:, None, None] % 256 * np.ones((1, 48, 48))
    faces = choose_faces((train, train_labels), (public.astype(np.uint8), np.arange(3000) % 7))
    train_counts = np.bincount(faces.labels[faces.splits == TRAIN], minlength=7)
    assert (np.delete(train_counts, 1) == TRAIN_PER_EMOTION).all()
    assert train_counts[1] == (train_labels == 1).sum() < TRAIN_PER_EMOTION  # the split has no more
    assert [(faces.splits == split).sum() for split in (VALIDATION, TEST)] == [EVALUATION_FACES, EVALUATION_FACES]


def test_choose_faces_halves_small_public_split() -> None:
    faces = choose_faces((noise(1, 14), np.arange(14) % 7), (noise(2, 9), np.arange(9) % 7))
    assert np.bincount(faces.splits).tolist() == [14, 4, 4]
    chosen = [picture.tobytes() for picture in faces.pictures]
    assert len(set(chosen)) == len(chosen)


def test_bank_stores_features_within_half_step(base: Model) -> None:
    bank = read_bank(base)
    content = (base.folder / "model.tflite").read_bytes()
    pictures = lfw_faces()
    faces = BankFaces(pictures, np.zeros(len(pictures), np.int64), np.zeros(len(pictures), np.uint8))
    (base.folder / BANK_FILE).write_bytes(make_bank(content, faces))
    with np.load(base.folder / BANK_FILE) as archive:
        stored = (archive["features"].astype(np.float32) - archive["zero"]) * archive["scale"]
        half_step = float(archive["scale"]) * 0.51
    assert np.abs(stored - TeachableModel(content).features(pictures)).max() <= half_step
    assert set(np.unique(bank.splits)) == {TRAIN, VALIDATION, TEST}


def test_subprocess_makes_same_bank(base: Model) -> None:
    pictures = lfw_faces()[:6]
    faces = BankFaces(pictures, np.arange(6), np.array([0, 0, 1, 1, 2, 2], np.uint8))
    path = base.folder / "model.tflite"
    assert make_bank_in_subprocess(path, faces) == make_bank(path.read_bytes(), faces)


@pytest.mark.parametrize("harm", ["missing", "changed", "truncated"])
def test_read_bank_refuses_damaged_file(base: Model, harm: str) -> None:
    path = base.folder / BANK_FILE
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(content + b"x" if harm == "changed" else content[:50])
    with pytest.raises(EmojifyError, match="missing or damaged"):
        read_bank(base)


def test_read_bank_explains_missing_bank(base: Model) -> None:
    card = json.loads((base.folder / CARD).read_text())
    del card["rehearsal"]
    (base.folder / CARD).write_text(json.dumps(card))
    with pytest.raises(EmojifyError, match="would forget how to read everyone else"):
        read_bank(Model(base.folder))
