"""The networks that can be trained: how each is built, its default recipe, and how fast it trains.

To add a network, write a builder and an entry in :data:`NETWORKS`, both in this file. The command line and the training
page list it, and a test checks its input, output and size.

The app reads recipes from here and never imports Keras, so a builder gets the ``keras`` module as its first argument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emojify.emotions import LABELS
from emojify.errors import EmojifyError

SIDE = 48
"""Width and height of the faces that every network reads, in pixels, the size of FER-2013's pictures."""


@dataclass(frozen=True)
class Network:
    """A network that can be trained.

    Attributes:
        build: ``build(keras, side)`` returns a ``keras.Model``. Its input is (n, side, side, 1) uint8, gray; it
            rescales the pixels itself. Its last layer is a Dense layer with softmax: (n, 7) float32 probabilities in
            the order of :class:`~emojify.emotions.Emotion`. ``side`` is 48, or None for a network that reads faces of
            any size; a builder of a network for one size raises EmojifyError.
        description: one sentence for people who choose a network.
        images_per_s: guessed training speed of one processor core, used until a fit on this machine was timed. The
            numbers below are for an AMD EPYC with AVX2 in float32.
        recipe: settings of :class:`~emojify.runs.config.FitConfig` that differ from its defaults.
    """

    build: Callable[[Any, int | None], Any]
    description: str
    images_per_s: float
    recipe: dict[str, Any] = field(default_factory=dict)


def get_network(name: str) -> Network:
    """Return the network with this name.

    Raises:
        EmojifyError: if there is none.
    """
    if name not in NETWORKS:
        raise EmojifyError(f"There is no network called {name!r}. Choose one of: {', '.join(NETWORKS)}.")
    return NETWORKS[name]


def seed(keras: Any, side: int | None) -> Any:
    """Build the tutorial's network: four 3x3 convolutions without padding, one wide dense layer; 2.3 M parameters.

    Raises:
        EmojifyError: if ``side`` is not 48. The size of the dense layer depends on it.
    """
    if side != SIDE:
        raise EmojifyError(f"The network 'seed' reads {SIDE}x{SIDE} pictures only. Set small_epochs to 0.")
    layers = keras.layers
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


def residual(keras: Any, side: int | None) -> Any:
    """Build a residual network with squeeze and excitation for 48x48 pictures; 2.9 M parameters.

    Each stage halves the size and doubles the channels (He et al. 2016, Hu et al. 2018). Only one cheap layer works at
    full resolution: a second one there would cost as much time as a whole later stage. In LiteRT int8 on one thread
    the network takes 1.6 times as long as ``seed`` (measured side by side on a CPU with AVX2).

    Args:
        keras: the module.
        side: width and height of the pictures in pixels; None for any size.
    """
    return _residual_network(keras, side, "residual", stem=24, stages=((48, 2), (96, 2), (192, 2), (288, 1)))


def compact(keras: Any, side: int | None) -> Any:
    """Build a smaller ``residual``: half of its multiplications, for processors without AVX-512; 2.4 M parameters.

    The stages at 24x24 and 12x12, whose pixels cost most, are narrow and the later ones wide. In LiteRT int8 with AVX2
    the network executes half as many instructions as ``residual`` (18.0 and 36.1 million, counted by Valgrind's
    callgrind); on an Intel Xeon with AVX-512 it takes 0.7 times as long.

    Args:
        keras: the module.
        side: width and height of the pictures in pixels; None for any size.
    """
    return _residual_network(keras, side, "compact", stem=16, stages=((32, 1), (64, 2), (160, 2), (320, 1)))


def _residual_network(
    keras: Any, side: int | None, name: str, *, stem: int, stages: tuple[tuple[int, int], ...]
) -> Any:
    """Build a residual network from the width of its first layer and the (width, blocks) of each later stage."""
    layers = keras.layers
    pixels = keras.Input((side, side, 1), dtype="uint8", name="pixels")
    x = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    x = layers.ReLU()(_convolution(keras, x, stem))
    for width, blocks in stages:  # at 24x24, 12x12, 6x6, 3x3
        for block in range(blocks):
            x = _residual_block(keras, x, width, strides=2 if block == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.4)(x)
    probabilities = layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(pixels, probabilities, name=name)


def _residual_block(keras: Any, x: Any, width: int, strides: int) -> Any:
    layers = keras.layers
    y = layers.ReLU()(_convolution(keras, x, width, strides=strides))
    y = _squeeze_and_excite(keras, _convolution(keras, y, width))
    if strides > 1:
        # Averaging first uses every pixel; a strided 1x1 convolution would drop three of four (He et al. 2019).
        x = _convolution(keras, layers.AveragePooling2D(strides)(x), width, size=1)
    return layers.ReLU()(layers.Add()([x, y]))


def _convolution(keras: Any, x: Any, width: int, *, size: int = 3, strides: int = 1) -> Any:
    """Add a convolution and batch norm. The export merges them into one layer."""
    layers = keras.layers
    x = layers.Conv2D(width, size, strides, "same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization(momentum=0.9)(x)


def _squeeze_and_excite(keras: Any, x: Any) -> Any:
    layers = keras.layers
    width = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(width // 8, 1, activation="relu")(gate)
    gate = layers.Conv2D(width, 1, activation="sigmoid")(gate)
    return layers.Multiply()([x, gate])


NETWORKS: dict[str, Network] = {
    "seed": Network(
        build=seed,
        description="The network of the original tutorial: four convolutions, quick to train.",
        images_per_s=110,
    ),
    "residual": Network(
        build=residual,
        description="A residual network: reads faces better, takes twice as long to train.",
        images_per_s=55,  # taken as half of seed's, not measured
        # What three shorter fits suggest (docs/experiments.md), not yet fitted in one go. Nesterov, cosine and strong
        # augmentation are what the papers on FER-2013 have in common (Pramerdorfer and Kampel 2016, Khaireddin and
        # Chen 2021).
        recipe={
            "epochs": 120,
            "batch_size": 128,
            "precision": "auto",
            "optimizer": "sgd",
            "learning_rate": 0.1,
            "schedule": "cosine",
            "warmup_epochs": 3.0,
            "weight_decay": 4e-3,
            "average": 0.999,
            "label_smoothing": 0.05,
            "ferplus_weight": 0.1,
            "ferplus_head": 0.5,
            "logit_adjustment": 0.8,
            "flip": True,
            "shift": 0.1,
            "rotation": 12.0,
            "scale": 0.15,
            "brightness": 0.15,
            "contrast": 0.3,
            "lighting": 0.2,
            "erase": 0.3,
            "choose_by": "balanced",
        },
    ),
    "compact": Network(
        build=compact,
        description="A smaller residual network: as good as residual when it learns from FER+ votes, and faster.",
        images_per_s=100,  # guessed from the multiplications, not measured
        # The shipped model's recipe (docs/experiments.md) without its teachers: FER+ votes as targets, logit
        # adjustment against the votes' bias to neutral, and augmentation by what webcams do to a picture.
        recipe={
            "epochs": 100,
            "batch_size": 256,
            "precision": "auto",
            "drop_copies": True,
            "optimizer": "sgd",
            "learning_rate": 0.2,
            "schedule": "cosine",
            "warmup_epochs": 3.0,
            "weight_decay": 4e-3,
            "average": 0.999,
            "ferplus_weight": 1.0,
            "logit_adjustment": 0.5,
            "flip": True,
            "shift": 0.1,
            "rotation": 20.0,
            "scale": 0.15,
            "brightness": 0.15,
            "contrast": 0.3,
            "lighting": 0.2,
            "gamma": 0.25,
            "blur": 1.0,
            "low_resolution": 0.12,
            "noise": 0.03,
            "jpeg": 0.2,
            "erase": 0.3,
            "choose_by": "ferplus",
        },
    ),
}
