"""A rehearsal bank of faces that scikit-image ships, so that no test needs FER-2013."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from emojify.models import CARD, Model
from emojify.teaching.fit import augment
from emojify.teaching.rehearsal import BANK_FILE, BankFaces, make_bank
from emojify.training.evaluate import predict

CLEAR = 0.6


def lfw_faces() -> NDArray[np.uint8]:
    """(100, 48, 48) uint8: faces of LFW."""
    faces = data.lfw_subset()[:100]  # the other hundred are no faces
    return np.stack([np.asarray(cv2.resize(np.asarray(face * 255, np.uint8), (48, 48)), np.uint8) for face in faces])


def add_bank(folder: Path) -> None:
    """Put a bank into a model's folder: LFW's faces in six versions each, those that it reads clearly.

    What they show is, by definition, what the model reads in them now.
    """
    tflite = (folder / Model(folder).card["tflite"]["file"]).read_bytes()
    pictures, _ = augment(lfw_faces())
    read = predict(tflite, pictures)
    clear = read.max(axis=1) >= CLEAR
    pictures, labels = pictures[clear], read[clear].argmax(axis=1).astype(np.int64)
    parts = np.resize(np.array([0, 0, 1, 2], np.uint8), len(pictures))
    content = make_bank(tflite, BankFaces(pictures, labels, parts))
    (folder / BANK_FILE).write_bytes(content)
    card = json.loads((folder / CARD).read_text())
    card["rehearsal"] = {"file": BANK_FILE, "sha256": hashlib.sha256(content).hexdigest()}
    (folder / CARD).write_text(json.dumps(card))
