"""The Python API that other programs import."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import emojify
from emojify import api, read_faces
from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.models import SHIPPED_MODELS, ModelStore
from emojify.settings import ROOT
from emojify.vision.classifier import Classifier
from emojify.vision.readings import Box, Image, Reading

GRAY = np.full((120, 160, 3), 90, np.uint8)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[Classifier]:
    """Collects the classifier of each call, in place of reading faces with it."""
    classifiers: list[Classifier] = []

    def collect(image: Image, classifier: Classifier) -> list[Reading]:
        classifiers.append(classifier)
        return []

    monkeypatch.setattr(api, "analyze_photo", collect)
    return classifiers


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped models, which the API uses."""
    shutil.copytree(ROOT / "models", tmp_path / "models", ignore=shutil.ignore_patterns("*.npz"))
    monkeypatch.setenv("EMOJIFY_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_read_faces_returns_box_emotion_and_probabilities(astronaut: Image) -> None:
    before = astronaut.copy()
    (reading,) = read_faces(astronaut)
    assert reading.box.iou(Box(177, 66, 95, 95)) > 0.8
    assert reading.emotion is Emotion.HAPPY
    assert reading.probabilities.shape == (7,)
    assert reading.probabilities.sum() == pytest.approx(1, abs=1e-4)
    assert np.array_equal(astronaut, before)


def test_read_faces_finds_none_in_plain_image() -> None:
    assert read_faces(GRAY) == []


def test_read_faces_follows_the_promoted_model(models: Path, used: list[Classifier]) -> None:
    read_faces(GRAY)
    ModelStore(models).promote("seed")
    read_faces(GRAY)
    assert [classifier.name for classifier in used] == [SHIPPED_MODELS[0], "seed"]


def test_read_faces_opens_the_model_once(models: Path, used: list[Classifier]) -> None:
    read_faces(GRAY)
    read_faces(GRAY)
    assert used[0] is used[1]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (None, "needs a NumPy array, not NoneType"),
        (np.zeros((48, 48), np.uint8), "not (48, 48) uint8"),
        (np.zeros((48, 48, 4), np.uint8), "not (48, 48, 4) uint8"),
        (np.zeros((48, 48, 3), np.float32), "not (48, 48, 3) float32"),
        (np.zeros((0, 48, 3), np.uint8), "not (0, 48, 3) uint8"),
    ],
    ids=["no array", "gray", "alpha", "floats", "empty"],
)
def test_read_faces_rejects_other_inputs(image: object, words: str) -> None:
    with pytest.raises(EmojifyError) as caught:
        read_faces(image)  # type: ignore[arg-type]  # wrong on purpose
    assert words in str(caught.value)


def test_import_emojify_loads_no_libraries() -> None:
    code = "import sys, emojify; print(sorted({'cv2', 'numpy', 'ai_edge_litert', 'streamlit'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_emojify_has_no_other_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = emojify.nothing
