"""The last layer of a model's file: its input, its weights, and the branch added beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from emojify.errors import EmojifyError
from emojify.settings import ROOT
from emojify.teaching.head import Branch, Head, TeachableModel, softmax
from emojify.training.evaluate import predict
from tests.helpers.rehearsal_bank import lfw_faces

pytestmark = pytest.mark.slow


@pytest.fixture(params=["patches", "seed", "compact"])
def tflite(request: pytest.FixtureRequest, data_folder: Path) -> bytes:
    """The files of a float model and two int8 models."""
    shipped = ROOT / "models" / request.param / "model.tflite"
    return (data_folder / "patches.tflite" if request.param == "patches" else shipped).read_bytes()


def some_branch(features: np.ndarray, seed: int = 0, units: int = 5) -> Branch:
    """Return a random branch whose units are active for about half of the faces."""
    rng = np.random.default_rng(seed)
    inner = rng.normal(0, 1 / np.sqrt((features**2).sum(axis=1).mean()), (features.shape[1], units))
    bias = -np.median(features @ inner, axis=0)
    outer = rng.normal(0, 2, (units, 7))
    return Branch(inner.astype(np.float32), bias.astype(np.float32), outer.astype(np.float32))


def test_features_and_head_match_model(tflite: bytes) -> None:
    model, faces = TeachableModel(tflite), lfw_faces()
    assert np.abs(model.head.probabilities(model.features(faces)) - predict(tflite, faces)).max() < 0.03


def test_with_branch_adds_branch_logits(tflite: bytes) -> None:
    model = TeachableModel(tflite)
    faces = np.concatenate([lfw_faces(), np.random.default_rng(0).integers(0, 255, (50, 48, 48)).astype(np.uint8)])
    features = model.features(faces)
    branch = some_branch(features)
    file = model.with_branch(branch)
    hidden = np.maximum(features @ branch.inner + branch.bias, 0)
    expected = softmax(features @ model.head.kernel + model.head.bias + hidden @ branch.outer)
    answers = predict(file, faces)
    assert np.abs(answers - expected).max() < 0.001
    assert np.abs(answers - predict(tflite, faces)).max() > 0.1
    assert np.abs(Head(model.head.kernel, model.head.bias, branch).probabilities(features) - expected).max() < 0.001


def test_inactive_branch_changes_rounding_only(tflite: bytes) -> None:
    model, faces = TeachableModel(tflite), lfw_faces()
    active = some_branch(model.features(faces))
    inactive = Branch(active.inner, active.bias - np.float32(1e6), active.outer)
    assert np.abs(predict(model.with_branch(inactive), faces) - predict(tflite, faces)).max() < 0.03


def test_with_branch_keeps_earlier_layers(tflite: bytes) -> None:
    model = TeachableModel(tflite)
    taught = model.with_branch(some_branch(model.features(lfw_faces()[:20])))
    before, after = (schema.ModelT.InitFromPackedBuf(file) for file in (tflite, taught))
    kept = len(before.subgraphs[0].operators) - (2 if model.quantization is None else 3)
    used = {
        int(index)
        for operator in before.subgraphs[0].operators[:kept]
        for index in (*operator.inputs, *operator.outputs)
    }
    for index in used:
        one, other = before.subgraphs[0].tensors[index], after.subgraphs[0].tensors[index]
        assert (one.name, one.type, one.buffer) == (other.name, other.type, other.buffer)
        assert np.array_equal(before.buffers[one.buffer].data, after.buffers[other.buffer].data)
    read = [[operator.inputs.tolist() for operator in it.subgraphs[0].operators[:kept]] for it in (before, after)]
    assert read[0] == read[1]


def test_with_branch_aligns_constants(tflite: bytes) -> None:
    model = TeachableModel(tflite)
    taught = model.with_branch(some_branch(model.features(lfw_faces()[:20])))
    file, start = schema.Model.GetRootAs(taught), np.frombuffer(taught, np.uint8).ctypes.data
    buffers = [file.Buffers(number) for number in range(file.BuffersLength())]
    places = [one.DataAsNumpy().ctypes.data - start for one in buffers if not one.DataIsNone()]
    assert len(places) >= 6
    assert all(place % 16 == 0 for place in places)


def test_with_branch_keeps_inputs_and_outputs(tflite: bytes) -> None:
    model = TeachableModel(tflite)
    taught = Interpreter(model_content=model.with_branch(some_branch(model.features(lfw_faces()[:20]))))
    before = Interpreter(model_content=tflite)
    for method in ("get_input_details", "get_output_details"):
        (one,), (other,) = getattr(before, method)(), getattr(taught, method)()
        assert (one["dtype"], one["shape"].tolist()) == (other["dtype"], other["shape"].tolist())
    assert list(before.get_signature_list()) == list(taught.get_signature_list())


def test_with_branch_leaves_original_unchanged(tflite: bytes) -> None:
    model, faces = TeachableModel(tflite), lfw_faces()[:5]
    before, copy = model.features(faces), bytes(bytearray(tflite))
    model.with_branch(some_branch(before))
    assert tflite == copy
    assert np.array_equal(model.features(faces), before)
    assert np.array_equal(TeachableModel(tflite).head.kernel, model.head.kernel)


@pytest.mark.parametrize(("width", "emotions"), [(3, 7), (None, 6)])
def test_with_branch_refuses_wrong_shape(tflite: bytes, width: int | None, emotions: int) -> None:
    model = TeachableModel(tflite)
    inner = np.zeros((width or len(model.head.kernel), 2), np.float32)
    with pytest.raises(ValueError, match="shape"):
        model.with_branch(Branch(inner, np.zeros(2, np.float32), np.zeros((2, emotions), np.float32)))


@pytest.mark.parametrize("content", [b"", b"no model at all, but long enough to be read as one" * 20])
def test_model_refuses_other_files(content: bytes) -> None:
    with pytest.raises(EmojifyError, match="can't be taught"):
        TeachableModel(content)


def test_model_refuses_taught_model(tflite: bytes) -> None:
    model = TeachableModel(tflite)
    with pytest.raises(EmojifyError, match="can't be taught"):
        TeachableModel(model.with_branch(some_branch(model.features(lfw_faces()[:20]))))
