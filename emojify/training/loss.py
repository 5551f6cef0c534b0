"""The loss of a fit: cross-entropy with the targets, and optionally that of a second head with the FER+ votes.

The second head shares all layers but the last. FER+ votes are far less noisy than FER-2013's labels: through the second
head they shape the features, while the first head still learns to answer as the targets ask. The second head exists
during the fit only; it is neither saved with the best weights nor exported.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.runs.config import FitConfig
from emojify.training.batches import targets
from emojify.training.dataset import Dataset
from emojify.training.figures import MIN_PROBABILITY

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def with_ferplus_head(network: keras.Model) -> keras.Model:
    """Return a model of the same layers with a second head.

    Its output is (n, 14) float32: the network's own seven probabilities, then the second head's seven.
    """
    features = network.layers[-1].input
    votes = keras.layers.Dense(len(LABELS), activation="softmax", dtype="float32", name="ferplus")(features)
    return keras.Model(network.inputs[0], keras.layers.Concatenate(dtype="float32")([network.outputs[0], votes]))


def logit_bias(train: Dataset, config: FitConfig) -> NDArray[np.float32]:
    """Return what logit adjustment adds to the logits in the loss: (7,) float32, zeros if it is off.

    It is ``config.logit_adjustment`` times the log of each emotion's share of the targets. The targets count, not the
    labels: FER+ raters see far less fear than FER-2013's labels say.
    """
    if not config.logit_adjustment:
        return np.zeros(len(LABELS), np.float32)
    shares = targets(train, config)[:, : len(LABELS)].mean(axis=0)
    return np.asarray(config.logit_adjustment * np.log(np.maximum(shares, 1e-6)), np.float32)


def make_loss(config: FitConfig, train: Dataset) -> Loss:
    """Return a function of targets and probabilities, (n, 7) each or (n, 14) with a second head, to (n,) losses."""
    bias = logit_bias(train, config)

    def loss(targets: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
        logits = tf.math.log(tf.maximum(probabilities[:, : len(LABELS)], MIN_PROBABILITY)) + bias
        own = keras.losses.categorical_crossentropy(targets[:, : len(LABELS)], logits, from_logits=True)
        if not config.ferplus_head:
            return own
        votes, read = targets[:, len(LABELS) :], probabilities[:, len(LABELS) :]
        # A picture without votes has a row of zeros, so its loss here is 0.
        log_likelihood = tf.reduce_sum(votes * tf.math.log(tf.maximum(read, MIN_PROBABILITY)), axis=1)
        return own - config.ferplus_head * log_likelihood

    return loss


def accuracy(targets: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    """Return (n,) float32: 1 where the network's own seven probabilities agree with the targets, else 0."""
    return keras.metrics.categorical_accuracy(targets[:, : len(LABELS)], probabilities[:, : len(LABELS)])
