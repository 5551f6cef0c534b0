"""The networks, by name. Each takes raw uint8 gray 48x48 and rescales inside the graph.

Those that end in a global mean can be built for any size, which training uses; the weights are the same.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from emojify.emotions import LABELS
from emojify.errors import EmojifyError
from emojify.training.dataset import SIDE


def seed(side: int | None = SIDE) -> keras.Model:
    """The tutorial's network: four 3x3 convolutions without padding, one wide dense layer; 2.3 M parameters.

    Raises:
        EmojifyError: for another size than 48x48, for which its dense layer would be another one.
    """
    if side != SIDE:
        raise EmojifyError(f"The network 'seed' takes {SIDE}x{SIDE} pictures only: set small_epochs to 0.")
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1), dtype="uint8", name="pixels"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="probabilities"),
        ],
        name="seed",
    )


def residual(side: int | None = SIDE) -> keras.Model:
    """A residual network with squeeze and excitation, drawn for 48x48; 2.9 M parameters.

    Half the size at every stage, twice the channels (He et al. 2016, Hu et al. 2018). Full resolution sees only one
    cheap layer: a second one there would cost as much time as a whole stage later on. In LiteRT int8 on one thread it
    takes 1.6 times as long as ``seed`` (measured side by side on a CPU with AVX2).

    Args:
        side: width and height of the pictures in pixels; None: any.
    """
    pixels = keras.Input((side, side, 1), dtype="uint8", name="pixels")
    x = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    x = layers.ReLU()(_convolution(x, 24))
    for width, blocks in ((48, 2), (96, 2), (192, 2), (288, 1)):  # at 24x24, 12x12, 6x6, 3x3
        for block in range(blocks):
            x = _residual_block(x, width, strides=2 if block == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.4)(x)
    probabilities = layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(pixels, probabilities, name="residual")


def _residual_block(x: keras.KerasTensor, width: int, strides: int) -> keras.KerasTensor:
    y = layers.ReLU()(_convolution(x, width, strides=strides))
    y = _squeeze_and_excite(_convolution(y, width))
    if strides > 1:
        # Averaging first uses every pixel; a strided 1x1 convolution would drop three of four (He et al. 2019).
        x = _convolution(layers.AveragePooling2D(strides)(x), width, size=1)
    return layers.ReLU()(layers.Add()([x, y]))


def _convolution(x: keras.KerasTensor, width: int, *, size: int = 3, strides: int = 1) -> keras.KerasTensor:
    """A convolution with batch norm; on export the two become one."""
    x = layers.Conv2D(width, size, strides, "same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization(momentum=0.9)(x)


def _squeeze_and_excite(x: keras.KerasTensor) -> keras.KerasTensor:
    width = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(width // 8, 1, activation="relu")(gate)
    gate = layers.Conv2D(width, 1, activation="sigmoid")(gate)
    return layers.Multiply()([x, gate])


NETWORKS: dict[str, Callable[..., keras.Model]] = {"seed": seed, "residual": residual}
