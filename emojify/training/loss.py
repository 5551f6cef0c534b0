"""What a fit descends on: the targets' cross-entropy, and beside it, if wanted, a second head's for FER+'s votes.

The second head shares everything below the last layer. It lets the crowd of FER+, whose votes are far less noisy than
FER-2013's labels, shape what the network sees, while the first head still learns to answer as the labels do. It is for
the fit alone: nothing of it is kept or exported.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from emojify.emotions import LABELS
from emojify.runs.config import FitConfig
from emojify.training.batches import targets
from emojify.training.dataset import Dataset

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def with_ferplus_head(network: keras.Model) -> keras.Model:
    """The same layers, with a second head: (b, 14) float32 probabilities, the network's own seven first."""
    features = network.layers[-1].input
    crowd = keras.layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="crowd")(features)
    return keras.Model(network.inputs[0], keras.layers.Concatenate(dtype="float32")([network.outputs[0], crowd]))


def loss(config: FitConfig, train: Dataset) -> Loss:
    """(b, 7) targets and probabilities, or (b, 14) with a second head, to (b,) losses."""
    lean = np.zeros(len(LABELS), np.float32)
    if config.logit_adjustment:
        # How much of what the network is to say is each emotion: the crowd of FER+ sees far less fear than the labels.
        shares = targets(train, config)[:, : len(LABELS)].mean(axis=0)
        lean = config.logit_adjustment * np.log(np.maximum(shares, 1e-6))

    def both(wanted: tf.Tensor, said: tf.Tensor) -> tf.Tensor:
        logits = tf.math.log(tf.maximum(said[:, : len(LABELS)], 1e-7)) + lean
        own = keras.losses.categorical_crossentropy(wanted[:, : len(LABELS)], logits, from_logits=True)
        if not config.ferplus_head:
            return own
        votes, guessed = wanted[:, len(LABELS) :], said[:, len(LABELS) :]
        # Where nobody voted the row is all zeros, and so is its loss.
        return own - config.ferplus_head * tf.reduce_sum(votes * tf.math.log(tf.maximum(guessed, 1e-7)), axis=1)

    return both


def accuracy(wanted: tf.Tensor, said: tf.Tensor) -> tf.Tensor:
    """(b,) float32: 1 where the network's own seven agree with the targets."""
    return keras.metrics.categorical_accuracy(wanted[:, : len(LABELS)], said[:, : len(LABELS)])
