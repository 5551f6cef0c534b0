"""The last layer of a model's file: read, run up to, and replaced where it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emojify.errors import EmojifyError
from emojify.teaching.head import Head, HeadedModel
from emojify.training.evaluate import run
from tests.browser.conftest import ROOT
from tests.teaching.bank import lfw_faces


@pytest.fixture(params=["patches", "seed"])
def tflite(request: pytest.FixtureRequest, data_folder: Path) -> bytes:
    """One of floats, and an int8 one."""
    seed = ROOT / "models" / "seed" / "model.tflite"
    return (data_folder / "patches.tflite" if request.param == "patches" else seed).read_bytes()


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_features_and_head_give_what_the_model_gives(tflite: bytes) -> None:
    model, faces = HeadedModel(tflite), lfw_faces()
    assert np.abs(softmax(model.head.logits(model.features(faces))) - run(tflite, faces)).max() < 0.03


def test_the_same_head_again_is_the_same_model(tflite: bytes) -> None:
    model, faces = HeadedModel(tflite), lfw_faces()
    again = model.replaced(model.head, model.features(faces))
    assert len(again) == len(tflite)
    assert np.abs(run(again, faces) - run(tflite, faces)).max() < 0.05


def test_another_head_is_what_the_file_then_does(tflite: bytes) -> None:
    model, faces = HeadedModel(tflite), lfw_faces()
    turned = Head(np.ascontiguousarray(model.head.kernel[:, ::-1]), model.head.bias[::-1].copy())
    answers = run(model.replaced(turned, model.features(faces)), faces)
    assert np.abs(answers[:, ::-1] - run(tflite, faces)).max() < 0.05


def test_the_file_that_was_read_stays_as_it_is(tflite: bytes) -> None:
    model, faces = HeadedModel(tflite), lfw_faces()[:5]
    before = model.features(faces)
    model.replaced(Head(model.head.kernel * 2, model.head.bias), before)
    assert np.array_equal(model.features(faces), before)
    assert np.array_equal(HeadedModel(tflite).head.kernel, model.head.kernel)


def test_a_head_of_another_shape_is_refused(tflite: bytes) -> None:
    with pytest.raises(ValueError, match="shape"):
        HeadedModel(tflite).replaced(
            Head(np.zeros((3, 7), np.float32), np.zeros(7, np.float32)), np.zeros((1, 3), np.float32)
        )


@pytest.mark.parametrize("content", [b"", b"no model at all, but long enough to be read as one" * 20])
def test_what_is_no_such_model_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(EmojifyError, match="can't be taught"):
        HeadedModel(content)
