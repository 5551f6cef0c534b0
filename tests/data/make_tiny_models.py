"""Write the LiteRT models of this folder byte by byte, so that no test needs TensorFlow or a trained model.

    python tests/data/make_tiny_models.py

``tiny.tflite`` reads the crop's mean brightness. Each emotion has a seventh of the range from black to white, in the
order of ``Emotion``, and a probability of 99 % in the middle of it: 18 is angry, 55 disgusted, 91
fearful, 128 happy, 165 neutral, 201 sad, 238 surprised. Half way between two of them both have 50 %.

``patches.tflite`` reads the mean brightness of 144 patches with lower probabilities: its last layer has enough inputs
for teaching. The other files are valid LiteRT models with other inputs or outputs than Emojify's.
"""

import math
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

EMOTIONS = 7
STEP = 256 / EMOTIONS
SHARPNESS = math.log(200) / STEP**2  # in the middle of a band its neighbors are 200 times less probable


def tensor(name: str, shape: list[int], kind: int, buffer: int = 0) -> schema.TensorT:
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name.encode(), shape, kind, buffer
    return made


def operator(code: int, inputs: list[int], output: int, options: object, options_type: int) -> schema.OperatorT:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, inputs, [output]
    made.builtinOptions, made.builtinOptionsType = options, options_type
    return made


def tiny_model(side_px: int = 48, outputs: int = EMOTIONS, pixel_type: int = schema.TensorType.UINT8) -> bytes:
    """Cast, mean, softmax of ``-SHARPNESS * (mean - middle) ** 2`` (less the square of the mean, which cancels)."""
    middles = (np.arange(outputs) + 0.5) * STEP
    constants = [
        np.array([1, 2], np.int32),
        (2 * SHARPNESS * middles).astype(np.float32),
        (-SHARPNESS * middles**2).astype(np.float32),
    ]
    mean, options = schema.ReducerOptionsT(), schema.BuiltinOptions
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    floats = schema.TensorType.FLOAT32
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("pixels", [1, side_px, side_px, 1], pixel_type),
        tensor("floats", [1, side_px, side_px, 1], floats),
        tensor("height_and_width", [2], schema.TensorType.INT32, 1),
        tensor("mean", [1, 1], floats),
        tensor("slope", [outputs, 1], floats, 2),
        tensor("offset", [outputs], floats, 3),
        tensor("logits", [1, outputs], floats),
        tensor("probabilities", [1, outputs], floats),
    ]
    graph.inputs, graph.outputs = [0], [7]
    graph.operators = [
        operator(0, [0], 1, schema.CastOptionsT(), options.CastOptions),
        operator(1, [1, 2], 3, mean, options.ReducerOptions),
        operator(2, [3, 4, 5], 6, schema.FullyConnectedOptionsT(), options.FullyConnectedOptions),
        operator(3, [6], 7, softmax, options.SoftmaxOptions),
    ]
    kinds = schema.BuiltinOperator
    return packed(graph, [kinds.CAST, kinds.MEAN, kinds.FULLY_CONNECTED, kinds.SOFTMAX], constants)


def patches_model(patch_px: int = 4, sharpness: float = SHARPNESS / 4) -> bytes:
    """Cast, mean of each patch, then a dense layer over all patches that weighs them alike, softmax."""
    patches = (48 // patch_px) ** 2
    middles = (np.arange(EMOTIONS) + 0.5) * STEP
    constants = [
        np.array([1, patches], np.int32),
        np.repeat((2 * sharpness * middles / patches)[:, None], patches, axis=1).astype(np.float32),
        (-sharpness * middles**2).astype(np.float32),
    ]
    options, floats, side = schema.BuiltinOptions, schema.TensorType.FLOAT32, 48 // patch_px
    pool, softmax = schema.Pool2DOptionsT(), schema.SoftmaxOptionsT()
    pool.strideH = pool.strideW = pool.filterHeight = pool.filterWidth = patch_px
    pool.padding = schema.Padding.VALID
    softmax.beta = 1.0
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("pixels", [1, 48, 48, 1], schema.TensorType.UINT8),
        tensor("floats", [1, 48, 48, 1], floats),
        tensor("patches", [1, side, side, 1], floats),
        tensor("one_row", [2], schema.TensorType.INT32, 1),
        tensor("features", [1, patches], floats),
        tensor("slope", [EMOTIONS, patches], floats, 2),
        tensor("offset", [EMOTIONS], floats, 3),
        tensor("logits", [1, EMOTIONS], floats),
        tensor("probabilities", [1, EMOTIONS], floats),
    ]
    graph.inputs, graph.outputs = [0], [8]
    graph.operators = [
        operator(0, [0], 1, schema.CastOptionsT(), options.CastOptions),
        operator(1, [1], 2, pool, options.Pool2DOptions),
        operator(2, [2, 3], 4, schema.ReshapeOptionsT(), options.ReshapeOptions),
        operator(3, [4, 5, 6], 7, schema.FullyConnectedOptionsT(), options.FullyConnectedOptions),
        operator(4, [7], 8, softmax, options.SoftmaxOptions),
    ]
    kinds = schema.BuiltinOperator
    codes = [kinds.CAST, kinds.AVERAGE_POOL_2D, kinds.RESHAPE, kinds.FULLY_CONNECTED, kinds.SOFTMAX]
    return packed(graph, codes, constants)


def packed(graph: schema.SubGraphT, codes: list[int], constants: list[np.ndarray]) -> bytes:
    model = schema.ModelT()
    model.version, model.subgraphs = 3, [graph]
    model.operatorCodes = []
    for kind in codes:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = 1
        model.operatorCodes.append(code)
    model.buffers = [schema.BufferT()]
    for constant in constants:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(constant.tobytes(), np.uint8)
        model.buffers.append(buffer)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


if __name__ == "__main__":
    folder = Path(__file__).parent
    (folder / "tiny.tflite").write_bytes(tiny_model())
    (folder / "patches.tflite").write_bytes(patches_model())
    (folder / "takes_24x24.tflite").write_bytes(tiny_model(side_px=24))
    (folder / "takes_floats.tflite").write_bytes(tiny_model(pixel_type=schema.TensorType.FLOAT32))
    (folder / "gives_five.tflite").write_bytes(tiny_model(outputs=5))
