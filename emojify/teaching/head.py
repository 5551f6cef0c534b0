"""A LiteRT model's last dense layer: what it is given, what it is, and a copy of the model with a branch beside it.

All before it, quantised on thousands of faces, stays as it is to the byte. So a taught model is as small and as quick
as the one it came from, and no TensorFlow is needed to make it. The format is TensorFlow's ``schema.fbs``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from emojify.errors import EmojifyError

_KINDS, _TYPES = schema.BuiltinOperator, schema.TensorType
_NUMBERS = {_TYPES.FLOAT32: "<f4", _TYPES.INT8: "<i1", _TYPES.INT32: "<i4"}
_ALIGNMENT = 16  # of constants, as the schema demands


@dataclass(frozen=True, eq=False)
class Branch:
    """A small hidden layer beside the last one: ``relu(features @ inner + bias) @ outer`` is added to its logits.

    Attributes:
        inner: (d, h) float32.
        bias: (h,) float32.
        outer: (h, 7) float32.
    """

    inner: NDArray[np.float32]
    bias: NDArray[np.float32]
    outer: NDArray[np.float32]

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(np.maximum(features @ self.inner + self.bias, 0) @ self.outer, np.float32)


@dataclass(frozen=True, eq=False)
class Head:
    """The last dense layer: ``logits = features @ kernel + bias``, and what is taught beside it.

    Attributes:
        kernel: (d, 7) float32.
        bias: (7,) float32.
        branch: None in a model that was not taught.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    branch: Branch | None = None

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        logits = np.asarray(features @ self.kernel + self.bias, np.float32)
        return logits if self.branch is None else logits + self.branch.logits(features)

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        return softmax(self.logits(features))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


class TeachableModel:
    """A model's file, opened at its last dense layer.

    Raises:
        EmojifyError: if it is no LiteRT model that ends in a dense layer and a softmax.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        try:
            editor = _HeadEditor(content)
            self.head = editor.head()
            self.quantization = editor.quantization()
            """Scale and zero of the features in an int8 model; None in one of floats."""
        except (IndexError, KeyError, ValueError, TypeError, AttributeError, struct.error) as error:
            raise EmojifyError("This model can't be taught: it does not end in a dense layer and a softmax.") from error

    def with_branch(self, branch: Branch) -> bytes:
        """The model's file with a branch beside its last layer.

        From the features on it is of floats, so it reads what :meth:`Head.logits` says. What the last layer was is
        still in it.
        """
        if (len(branch.inner), branch.outer.shape[1]) != self.head.kernel.shape:
            raise ValueError(f"the layer has the shape {self.head.kernel.shape}, the branch is for another one")
        editor = _HeadEditor(self._content)
        editor.add_branch(branch)
        return editor.to_bytes()

    def features(
        self, crops: NDArray[np.uint8], on_progress: Callable[[float], None] | None = None
    ) -> NDArray[np.float32]:
        """What the last layer is given for each picture: (n, 48, 48) uint8 to (n, d) float32.

        Args:
            on_progress: called now and then with the share that is done.
        """
        editor = _HeadEditor(self._content)
        editor.remove_head()
        interpreter = Interpreter(model_content=editor.to_bytes(), num_threads=1)
        interpreter.allocate_tensors()
        (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
        raw = np.empty((len(crops), len(self.head.kernel)), target["dtype"])
        for row, crop in enumerate(crops):
            interpreter.set_tensor(source["index"], crop[None, :, :, None])
            interpreter.invoke()
            raw[row] = interpreter.get_tensor(target["index"])[0]
            if on_progress is not None and row % 100 == 0:
                on_progress(row / len(crops))
        scale, zero = self.quantization or (1.0, 0)
        return np.asarray((raw.astype(np.float32) - zero) * scale, np.float32)


class _HeadEditor:
    """A file, unpacked, and its last operators: a dense layer, a softmax, in an int8 model what makes it floats."""

    def __init__(self, content: bytes) -> None:
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
        self.graph = self.model.subgraphs[0]
        made_by = {int(operator.outputs[0]): operator for operator in self.graph.operators}
        self.answer = int(self.graph.outputs[0])
        last = softmax = made_by[self.answer]
        if self._kind(softmax) == _KINDS.DEQUANTIZE:
            softmax = made_by[int(softmax.inputs[0])]
        dense = made_by[int(softmax.inputs[0])]
        if (self._kind(softmax), self._kind(dense)) != (_KINDS.SOFTMAX, _KINDS.FULLY_CONNECTED):
            raise ValueError("another end")
        self.source, self.kernel, self.bias = (int(index) for index in dense.inputs)
        if self.bias < 0:  # the converter leaves out one of zeros, which no trained layer has
            raise ValueError("no bias")
        self.operators = [dense, softmax] if last is softmax else [dense, softmax, last]

    def _kind(self, operator: Any) -> int:
        return int(self.model.operatorCodes[operator.opcodeIndex].builtinCode)

    def _numbers(self, index: int) -> NDArray[np.generic]:
        """A constant's numbers in their own type and shape."""
        about = self.graph.tensors[index]
        numbers: NDArray[np.generic] = np.asarray(self.model.buffers[about.buffer].data).view(_NUMBERS[about.type])
        return numbers.reshape(about.shape)

    def quantization(self) -> tuple[float, int] | None:
        """Scale and zero of the features; None if they are floats."""
        about = self.graph.tensors[self.source]
        if about.type == _TYPES.FLOAT32:
            return None
        return float(about.quantization.scale[0]), int(about.quantization.zeroPoint[0])

    def head(self) -> Head:
        kernel, bias = (self._numbers(index) for index in (self.kernel, self.bias))
        if kernel.dtype == np.int8:  # one scale, or one for each emotion
            kernel = kernel * np.asarray(self.graph.tensors[self.kernel].quantization.scale)[:, None]
            bias = bias * np.asarray(self.graph.tensors[self.bias].quantization.scale)
        return Head(np.ascontiguousarray(kernel.T, np.float32), np.asarray(bias, np.float32))

    def remove_head(self) -> None:
        """Let the file end with the features."""
        self.graph.operators = [one for one in self.graph.operators if one not in self.operators]
        self.graph.outputs = [self.source]

    def add_branch(self, branch: Branch) -> None:
        """Write the editor anew, in floats, with a branch. The tensors of the old one stay behind without content."""
        head = self.head()
        width = len(branch.inner)
        wide = head.kernel.shape[1]
        features = self.source
        is_float = self.quantization() is None
        self.remove_head()
        for index in (self.kernel, self.bias):
            self.model.buffers[self.graph.tensors[index].buffer].data = None
        if not is_float:
            features = self._tensor("taught/features", (1, width))
            self._operator(_KINDS.DEQUANTIZE, [self.source], features, "Dequantize")
        layers = (
            ("logits", features, head.kernel, head.bias, False),
            ("units", features, branch.inner, branch.bias, True),
        )
        logits, units = (self._dense(*layer) for layer in layers)
        more = self._dense("more", units, branch.outer, np.zeros(wide, np.float32), False)
        total = self._tensor("taught/total", (1, wide))
        self._operator(_KINDS.ADD, [logits, more], total, "Add")
        self._operator(_KINDS.SOFTMAX, [total], self.answer, "Softmax", beta=1.0)
        self.graph.outputs = [self.answer]

    def to_bytes(self) -> bytes:
        builder = _AlignedBuilder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _dense(self, name: str, source: int, kernel: NDArray[np.float32], bias: NDArray[np.float32], relu: bool) -> int:
        """A dense layer, its kernel (inputs, outputs); returns what it makes."""
        target = self._tensor(f"taught/{name}", (1, len(bias)))
        given = [source, self._tensor(f"taught/{name}/kernel", kernel.T.shape, kernel.T)]
        given.append(self._tensor(f"taught/{name}/bias", bias.shape, bias))
        activation = schema.ActivationFunctionType.RELU if relu else schema.ActivationFunctionType.NONE
        self._operator(_KINDS.FULLY_CONNECTED, given, target, "FullyConnected", fusedActivationFunction=activation)
        return target

    def _tensor(self, name: str, shape: tuple[int, ...], numbers: NDArray[np.float32] | None = None) -> int:
        """A tensor of floats; a constant if there are ``numbers``. Returns its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, np.array(shape, np.int32), _TYPES.FLOAT32
        if numbers is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(numbers.astype("<f4").tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _operator(self, kind: int, given: list[int], target: int, options: str, **settings: Any) -> None:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(kind)
        operator.inputs, operator.outputs = np.array(given, np.int32), np.array([target], np.int32)
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, f"{options}Options")
        operator.builtinOptions = getattr(schema, f"{options}OptionsT")()
        for name, value in settings.items():
            setattr(operator.builtinOptions, name, value)
        self.graph.operators.append(operator)

    def _code(self, kind: int) -> int:
        """Where the file lists a kind of operator; it is added if it is not there."""
        kinds = [int(code.builtinCode) for code in self.model.operatorCodes]
        if kind not in kinds:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = kind
            code.version = 1
            self.model.operatorCodes.append(code)
            kinds.append(kind)
        return kinds.index(kind)


class _AlignedBuilder(flatbuffers.Builder):
    """Keeps constants where the schema wants them, which flatbuffers' own Python does not."""

    def CreateNumpyVector(self, x: NDArray[np.generic]) -> int:  # noqa: N802 - flatbuffers' name
        self.Prep(_ALIGNMENT, x.nbytes)
        return int(super().CreateNumpyVector(x))
