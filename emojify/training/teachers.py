"""Teachers: trained networks whose mean answer becomes part of the targets (Hinton et al. 2015, "Distilling...").

They read the very pictures that the fitted network sees, augmentation included (Beyer et al. 2022, "Knowledge
distillation: A good teacher is patient and consistent").
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.emotions import LABELS
from emojify.runs.config import FitConfig
from emojify.training.trained import find_trained
from emojify.training.weights import load_network


class Teachers:
    """Trained networks that answer together.

    Args:
        config: names the teachers and their weight.
        bias: (7,) float32, what the loss adds to the logits. It is added to the teachers' logits too: a network that
            answers as they do then has the lowest loss, whether logit adjustment is on or off.

    Raises:
        EmojifyError: if a teacher is missing, or its weights are damaged.
    """

    def __init__(self, config: FitConfig, bias: NDArray[np.float32]) -> None:
        self._weight, self._bias = config.teacher_weight, bias
        self._networks: list[keras.Model] = []
        for folder in config.teachers:
            trained = find_trained(folder)
            self._networks.append(load_network(trained.network, trained.weights))

    def mix(self, images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Mix the teachers' mean answer into the targets.

        Args:
            images: (b, 48, 48, 1) uint8.
            targets: (b, 7) float32, or (b, 14) with a second head, whose part stays as it is.
        """
        mean = tf.add_n([network(images, training=False) for network in self._networks]) / len(self._networks)
        answer = tf.nn.softmax(tf.math.log(tf.maximum(mean, 1e-7)) + self._bias)
        own = self._weight * answer + (1 - self._weight) * targets[:, : len(LABELS)]
        return tf.concat([own, targets[:, len(LABELS) :]], axis=1)
