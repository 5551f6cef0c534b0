"""A LiteRT model's last dense layer: what it is given, what it is, and a copy of the model with another one.

All before it, quantised on thousands of faces, stays as it is to the byte. So a taught model is as small and as quick
as the one it came from, and no TensorFlow is needed to make it. The format is TensorFlow's ``schema.fbs``; its numbers
are overwritten where they stand, so nothing in the file moves.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from emojify.errors import EmojifyError

_INT8_STEPS = 127


@dataclass(frozen=True, eq=False)
class Head:
    """The last dense layer: ``logits = features @ kernel + bias``.

    Attributes:
        kernel: (d, 7) float32.
        bias: (7,) float32.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(features @ self.kernel + self.bias, np.float32)


class HeadedModel:
    """A model's file, opened at its last dense layer.

    Raises:
        EmojifyError: if it is no LiteRT model that ends in a dense layer and a softmax.
    """

    def __init__(self, content: bytes) -> None:
        self._content = bytearray(content)
        try:
            parts = _Parts(self._content)
        except (IndexError, KeyError, ValueError, TypeError, AttributeError, struct.error) as error:
            raise EmojifyError("This model can't be taught: it does not end in a dense layer and a softmax.") from error
        self.head = parts.head()
        self.step = parts.step(parts.source)
        """Scale and zero of the features in an int8 model; None in one of floats."""

    def replaced(self, head: Head, features: NDArray[np.float32]) -> bytes:
        """The model's file with another last layer.

        Args:
            head: of the same shape.
            features: (n, d) float32, such as it will meet: their logits say how much room an int8 model must give them.
        """
        if head.kernel.shape != self.head.kernel.shape:
            raise ValueError(f"the layer has the shape {self.head.kernel.shape}, not {head.kernel.shape}")
        content = bytearray(self._content)
        _Parts(content).write(head, head.logits(features))
        return bytes(content)

    def features(
        self, crops: NDArray[np.uint8], on_progress: Callable[[float], None] | None = None
    ) -> NDArray[np.float32]:
        """What the last layer is given for each picture: (n, 48, 48) uint8 to (n, d) float32.

        Args:
            on_progress: called now and then with the share that is done.
        """
        stump = bytearray(self._content)
        parts = _Parts(stump)
        parts.graph.OutputsAsNumpy()[0] = parts.source  # the same graph, read one layer earlier
        interpreter = Interpreter(model_content=bytes(stump), num_threads=1)
        interpreter.allocate_tensors()
        (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
        raw = np.empty((len(crops), len(self.head.kernel)), target["dtype"])
        for row, crop in enumerate(crops):
            interpreter.set_tensor(source["index"], crop[None, :, :, None])
            interpreter.invoke()
            raw[row] = interpreter.get_tensor(target["index"])[0]
            if on_progress is not None and row % 100 == 0:
                on_progress(row / len(crops))
        scale, zero = self.step or (1.0, 0)
        return np.asarray((raw.astype(np.float32) - zero) * scale, np.float32)


class _Parts:
    """The last dense layer's tensors in a file; arrays that it hands out are the file itself."""

    def __init__(self, content: bytearray) -> None:
        self.model = schema.Model.GetRootAs(content)
        self.graph = self.model.Subgraphs(0)
        made_by = {}
        for number in range(self.graph.OperatorsLength()):
            operator = self.graph.Operators(number)
            made_by[int(operator.OutputsAsNumpy()[0])] = operator
        kinds = schema.BuiltinOperator
        softmax = made_by[int(self.graph.OutputsAsNumpy()[0])]
        if self._kind(softmax) == kinds.DEQUANTIZE:
            softmax = made_by[int(softmax.InputsAsNumpy()[0])]
        dense = made_by[int(softmax.InputsAsNumpy()[0])]
        if (self._kind(softmax), self._kind(dense)) != (kinds.SOFTMAX, kinds.FULLY_CONNECTED):
            raise ValueError("another end")
        self.source, self.kernel, self.bias = (int(index) for index in dense.InputsAsNumpy())
        self.target = int(dense.OutputsAsNumpy()[0])

    def _kind(self, operator: schema.Operator) -> int:
        return int(self.model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode())

    def step(self, tensor: int) -> tuple[float, int] | None:
        """Scale and zero of a tensor as a whole; None for one of floats."""
        if self.graph.Tensors(tensor).Type() == schema.TensorType.FLOAT32:
            return None
        quantisation = self.graph.Tensors(tensor).Quantization()
        return float(quantisation.ScaleAsNumpy()[0]), int(quantisation.ZeroPointAsNumpy()[0])

    def _scales(self, tensor: int) -> NDArray[np.float32]:
        return np.asarray(self.graph.Tensors(tensor).Quantization().ScaleAsNumpy())

    def _numbers(self, tensor: int) -> NDArray[np.generic]:
        """A constant's numbers in their own type and shape."""
        kinds = {schema.TensorType.FLOAT32: "<f4", schema.TensorType.INT8: "<i1", schema.TensorType.INT32: "<i4"}
        about = self.graph.Tensors(tensor)
        numbers: NDArray[np.generic] = self.model.Buffers(about.Buffer()).DataAsNumpy().view(kinds[about.Type()])
        return numbers.reshape(about.ShapeAsNumpy())

    def head(self) -> Head:
        kernel, bias = (self._numbers(tensor).astype(np.float32) for tensor in (self.kernel, self.bias))
        if self._numbers(self.kernel).dtype == np.int8:
            kernel = kernel * self._scales(self.kernel)[:, None]
            bias = bias * self._scales(self.bias)
        return Head(np.ascontiguousarray(kernel.T), bias)

    def write(self, head: Head, logits: NDArray[np.float32]) -> None:
        kernel, bias = self._numbers(self.kernel), self._numbers(self.bias)
        if kernel.dtype == np.float32:
            kernel[...], bias[...] = head.kernel.T, head.bias
            return
        scales = self._scales(self.kernel)  # one, or one for each emotion
        reach = np.abs(head.kernel).max(axis=0)
        scales[...] = np.maximum(reach if len(scales) > 1 else reach.max(), 1e-8) / _INT8_STEPS
        kernel[...] = np.clip(np.rint(head.kernel.T / scales[:, None]), -_INT8_STEPS, _INT8_STEPS)
        bias_scales = self._scales(self.bias)
        bias_scales[...] = scales * self._scales(self.source)
        bias[...] = np.rint(head.bias / bias_scales)
        low, high = min(0.0, float(logits.min())), max(0.0, float(logits.max()))
        step = max(high - low, 1e-3) / 255
        target = self.graph.Tensors(self.target).Quantization()
        target.ScaleAsNumpy()[...] = step
        target.ZeroPointAsNumpy()[...] = round(-128 - low / step)
