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
from emojify.teaching.rehearsal import BANK_FILE, TEST, TRAIN, VALIDATION, BankFaces, make_bank
from emojify.training.evaluate import predict

MIN_CONFIDENCE = 0.6


def lfw_faces() -> NDArray[np.uint8]:
    """Return faces of LFW, (100, 48, 48) uint8."""
    faces = data.lfw_subset()[:100]  # the other hundred pictures show no face
    return np.stack([np.asarray(cv2.resize(np.asarray(face * 255, np.uint8), (48, 48)), np.uint8) for face in faces])


def add_bank(folder: Path) -> None:
    """Put a bank into a model's folder, made from LFW's faces in six versions each.

    Only faces are used that the model reads with a confidence of ``MIN_CONFIDENCE``; their label is what it reads.
    """
    tflite = (folder / Model(folder).card["tflite"]["file"]).read_bytes()
    pictures, _ = augment(lfw_faces())
    probabilities = predict(tflite, pictures)
    confident = probabilities.max(axis=1) >= MIN_CONFIDENCE
    pictures, labels = pictures[confident], probabilities[confident].argmax(axis=1).astype(np.int64)
    splits = np.resize(np.array([TRAIN, TRAIN, VALIDATION, TEST], np.uint8), len(pictures))
    content = make_bank(tflite, BankFaces(pictures, labels, splits))
    (folder / BANK_FILE).write_bytes(content)
    card = json.loads((folder / CARD).read_text())
    card["rehearsal"] = {"file": BANK_FILE, "sha256": hashlib.sha256(content).hexdigest()}
    (folder / CARD).write_text(json.dumps(card))
