"""The last dense layer of a LiteRT model: compute its input, read its weights, and add a branch beside it.

Everything before the last layer, quantized on thousands of faces, stays byte for byte. So a taught model is as small
and as fast as its base, and no TensorFlow is needed to make it. The file format is TensorFlow's ``schema.fbs``.
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
from emojify.vision.quiet import without_start_up_lines

_OPERATORS, _TYPES = schema.BuiltinOperator, schema.TensorType
_DTYPES = {_TYPES.FLOAT32: "<f4", _TYPES.INT8: "<i1", _TYPES.INT32: "<i4"}
_ALIGNMENT = 16  # bytes; the schema requires it for constants


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
        """Return what is added to the logits: (n, d) float32 to (n, 7) float32."""
        return np.asarray(np.maximum(features @ self.inner + self.bias, 0) @ self.outer, np.float32)


@dataclass(frozen=True, eq=False)
class Head:
    """The last dense layer, ``logits = features @ kernel + bias``, with or without a branch. ::

        model = TeachableModel(tflite)
        probabilities = model.head.probabilities(model.features(crops))

    Attributes:
        kernel: (d, 7) float32.
        bias: (7,) float32.
        branch: None in a model that was not taught.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    branch: Branch | None = None

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits: (n, d) float32 to (n, 7) float32."""
        logits = np.asarray(features @ self.kernel + self.bias, np.float32)
        return logits if self.branch is None else logits + self.branch.logits(features)

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities: (n, d) float32 to (n, 7) float32."""
        return softmax(self.logits(features))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the softmax of each row, (n, k) float32."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


class TeachableModel:
    """A model's file, split before its last dense layer.

    Attributes:
        head: the last layer.
        quantization: scale and zero point of the features in an int8 model; None in a float model.

    Raises:
        EmojifyError: if the file is not a LiteRT model that ends in a dense layer and a softmax.
    """

    head: Head
    quantization: tuple[float, int] | None

    def __init__(self, content: bytes) -> None:
        self._content = content
        try:
            editor = _HeadEditor(content)
            self.head = editor.head()
            self.quantization = editor.quantization()
        except (IndexError, KeyError, ValueError, TypeError, AttributeError, struct.error) as error:
            raise EmojifyError(
                "This model can't be taught: it does not end in a dense layer and a softmax. Put another model live."
            ) from error

    def with_branch(self, branch: Branch) -> bytes:
        """Return a copy of the file with a branch beside the last layer. :meth:`Head.logits` gives the same answers.

        From the features on, the copy computes in float32.

        Raises:
            ValueError: if the branch has another shape than the last layer.
        """
        if (len(branch.inner), branch.outer.shape[1]) != self.head.kernel.shape:
            raise ValueError(f"the last layer has the shape {self.head.kernel.shape}, the branch another one")
        editor = _HeadEditor(self._content)
        editor.add_branch(branch)
        return editor.to_bytes()

    def features(
        self, crops: NDArray[np.uint8], on_progress: Callable[[float], None] | None = None
    ) -> NDArray[np.float32]:
        """Return the input of the last layer for each crop: (n, 48, 48) uint8 to (n, d) float32.

        Args:
            crops: (n, 48, 48) uint8.
            on_progress: called from time to time with the share that is done, 0 to 1.
        """
        editor = _HeadEditor(self._content)
        editor.remove_head()
        with without_start_up_lines():
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
        scale, zero_point = self.quantization or (1.0, 0)
        return np.asarray((raw.astype(np.float32) - zero_point) * scale, np.float32)


class _HeadEditor:
    """An unpacked file with its head: a dense layer, a softmax and, in an int8 model, a dequantization.

    Tensors and operators are named by their index in the file.

    Raises:
        ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error: if the file has no such head.
    """

    def __init__(self, content: bytes) -> None:
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
        self.graph = self.model.subgraphs[0]
        producers = {int(operator.outputs[0]): operator for operator in self.graph.operators}
        self.output = int(self.graph.outputs[0])
        last = softmax = producers[self.output]
        if self._type(softmax) == _OPERATORS.DEQUANTIZE:
            softmax = producers[int(softmax.inputs[0])]
        dense = producers[int(softmax.inputs[0])]
        if (self._type(softmax), self._type(dense)) != (_OPERATORS.SOFTMAX, _OPERATORS.FULLY_CONNECTED):
            raise ValueError("the model does not end in a dense layer and a softmax")
        self.features, self.kernel, self.bias = (int(index) for index in dense.inputs)
        if self.bias < 0:  # the converter leaves out a bias of zeros, which no trained layer has
            raise ValueError("the dense layer has no bias")
        self.operators = [dense, softmax] if last is softmax else [dense, softmax, last]

    def quantization(self) -> tuple[float, int] | None:
        """Return scale and zero point of the features; None if they are floats."""
        tensor = self.graph.tensors[self.features]
        if tensor.type == _TYPES.FLOAT32:
            return None
        return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])

    def head(self) -> Head:
        """Return the dense layer, dequantized."""
        kernel, bias = (self._constant(index) for index in (self.kernel, self.bias))
        if kernel.dtype == np.int8:  # with one scale, or with one for each emotion
            kernel = kernel * np.asarray(self.graph.tensors[self.kernel].quantization.scale)[:, None]
            bias = bias * np.asarray(self.graph.tensors[self.bias].quantization.scale)
        return Head(np.ascontiguousarray(kernel.T, np.float32), np.asarray(bias, np.float32))

    def remove_head(self) -> None:
        """Make the features the model's output."""
        self.graph.operators = [operator for operator in self.graph.operators if operator not in self.operators]
        self.graph.outputs = [self.features]

    def add_branch(self, branch: Branch) -> None:
        """Replace the head by a float one with a branch. The old head's tensors stay in the file, without content."""
        head = self.head()
        width, emotions = head.kernel.shape
        features = self.features
        is_float = self.quantization() is None
        self.remove_head()
        for index in (self.kernel, self.bias):
            self.model.buffers[self.graph.tensors[index].buffer].data = None
        if not is_float:
            features = self._add_tensor("taught/features", (1, width))
            self._add_operator(_OPERATORS.DEQUANTIZE, [self.features], features, "Dequantize")
        logits = self._add_dense("logits", features, head.kernel, head.bias)
        hidden = self._add_dense("units", features, branch.inner, branch.bias, relu=True)
        more = self._add_dense("more", hidden, branch.outer, np.zeros(emotions, np.float32))
        total = self._add_tensor("taught/total", (1, emotions))
        self._add_operator(_OPERATORS.ADD, [logits, more], total, "Add")
        self._add_operator(_OPERATORS.SOFTMAX, [total], self.output, "Softmax", beta=1.0)
        self.graph.outputs = [self.output]

    def to_bytes(self) -> bytes:
        builder = _AlignedBuilder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _type(self, operator: Any) -> int:
        return int(self.model.operatorCodes[operator.opcodeIndex].builtinCode)

    def _constant(self, tensor_index: int) -> NDArray[np.generic]:
        """Return a constant in its own type and shape."""
        tensor = self.graph.tensors[tensor_index]
        values: NDArray[np.generic] = np.asarray(self.model.buffers[tensor.buffer].data).view(_DTYPES[tensor.type])
        return values.reshape(tensor.shape)

    def _add_dense(
        self, name: str, source: int, kernel: NDArray[np.float32], bias: NDArray[np.float32], *, relu: bool = False
    ) -> int:
        """Add a dense layer with a kernel of shape (inputs, outputs). Return the index of its output."""
        output = self._add_tensor(f"taught/{name}", (1, len(bias)))
        inputs = [source, self._add_tensor(f"taught/{name}/kernel", kernel.T.shape, kernel.T)]
        inputs.append(self._add_tensor(f"taught/{name}/bias", bias.shape, bias))
        activation = schema.ActivationFunctionType.RELU if relu else schema.ActivationFunctionType.NONE
        self._add_operator(
            _OPERATORS.FULLY_CONNECTED, inputs, output, "FullyConnected", fusedActivationFunction=activation
        )
        return output

    def _add_tensor(self, name: str, shape: tuple[int, ...], values: NDArray[np.float32] | None = None) -> int:
        """Add a float32 tensor, a constant if there are ``values``. Return its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, np.array(shape, np.int32), _TYPES.FLOAT32
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(values.astype("<f4").tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _add_operator(self, operator_type: int, inputs: list[int], output: int, options: str, **settings: Any) -> None:
        """Add an operator. ``options`` is the name of its options in the schema, ``settings`` their values."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._opcode_index(operator_type)
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, f"{options}Options")
        operator.builtinOptions = getattr(schema, f"{options}OptionsT")()
        for name, value in settings.items():
            setattr(operator.builtinOptions, name, value)
        self.graph.operators.append(operator)

    def _opcode_index(self, operator_type: int) -> int:
        """Return the index of an operator type in the file's list. Add it if it is missing."""
        types = [int(code.builtinCode) for code in self.model.operatorCodes]
        if operator_type not in types:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = operator_type
            code.version = 1
            self.model.operatorCodes.append(code)
            types.append(operator_type)
        return types.index(operator_type)


class _AlignedBuilder(flatbuffers.Builder):
    """Aligns constants as the schema requires. The ``flatbuffers`` package ignores that in its Python code."""

    def CreateNumpyVector(self, x: NDArray[np.generic]) -> int:  # noqa: N802 - the base class's name
        self.Prep(_ALIGNMENT, x.nbytes)
        return int(super().CreateNumpyVector(x))
