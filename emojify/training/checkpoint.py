"""Checkpoints: everything that a fit needs to continue exactly, and the running average of the weights.

checkpoint.json           :class:`Checkpoint`, written last
checkpoint-*.weights.h5   weights and optimizer after that epoch
checkpoint-*.average.npz  the running average of the weights, if there is one
best.weights.h5           the network at its best epoch
"""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.files import read_json, write_json

BEST_WEIGHTS = "best.weights.h5"
_STATE = "checkpoint.json"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a fit after its last whole epoch.

    Attributes:
        epoch: whole epochs.
        best_epoch: the best of them on public, counted from 1; 0 before the first.
        best_public_accuracy: accuracy on public at the best epoch, 0 to 1.
        best_score: what epochs are compared by, at the best epoch; larger is better.
        weights: name of the file of weights and optimizer; empty before the first epoch.
        average: name of the file of averaged weights; empty if there is none.
        random: states of the dropout layers' random generators, which Keras does not save.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_public_accuracy: float = 0.0
    best_score: float = 0.0
    weights: str = ""
    average: str = ""
    random: list[list[int]] | None = None

    @classmethod
    def read(cls, run: Path) -> Checkpoint:
        """Read the checkpoint of a run; the initial state if it has none yet.

        Raises:
            EmojifyError: if it is damaged, or its weights are missing.
        """
        if not (run / _STATE).exists():
            return cls()
        try:
            saved = read_json(run / _STATE)
            known = {field.name for field in fields(cls)}
            # The first versions chose by accuracy alone and saved no other score.
            state = cls(
                **{
                    "best_score": saved["best_public_accuracy"],
                    **{name: saved[name] for name in saved if name in known},
                }
            )
            whole = state.epoch >= 0 and (run / saved["weights"]).is_file()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            whole = False
        if not whole:
            raise EmojifyError(f"The checkpoint of {run} is damaged or gone. Start a new fit with the same settings.")
        return state

    def restore(self, run: Path, model: keras.Model, average: WeightAverage | None) -> None:
        """Load weights, optimizer, average and random states into a compiled model."""
        model.load_weights(run / self.weights)
        if average is not None:
            average.restore(run / self.average)
        # Without this, dropout would repeat its first epoch's random numbers.
        for generator, value in zip(_seed_generators(model), self.random or [], strict=False):
            generator.state.assign(value)


def save_checkpoint(run: Path, state: Checkpoint, model: keras.Model, average: WeightAverage | None) -> Checkpoint:
    """Write the checkpoint of ``state.epoch``, then delete older ones.

    Every file is written to a temporary name and renamed, ``checkpoint.json`` last: a kill at any moment leaves a whole
    checkpoint, the old one or the new one.

    Returns:
        The state with the names of its files.
    """
    name = f"checkpoint-{state.epoch:03d}"
    files = {"weights": f"{name}.weights.h5"}
    if average is not None:
        files["average"] = f"{name}.average.npz"
        average.save(run / files["average"])
    save_weights(model, run / files["weights"])
    state = Checkpoint(**{**asdict(state), **files, "random": _random_states(model)})
    write_json(run / _STATE, asdict(state))
    for old in run.glob("checkpoint-*"):
        if not old.name.startswith(name):
            old.unlink()
    return state


def save_weights(model: keras.Model, path: Path) -> None:
    """Write a model's weights, and its optimizer if it is compiled, in Keras' own format.

    Raises:
        OSError: if the disk is full.
    """
    optimizer = getattr(model, "optimizer", None)  # missing before a network is compiled
    variables = [*model.weights, *(optimizer.variables if optimizer else ())]
    needed_bytes = sum(int(np.prod(variable.shape)) for variable in variables) * 4
    if shutil.disk_usage(path.parent).free < needed_bytes:  # HDF5 ends the whole process when the disk is full
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    temporary = path.with_name(f".{path.name}")
    model.save_weights(temporary)
    temporary.replace(path)


class WeightAverage:
    """A running average of a model's weights, including the statistics of batch norm (Polyak averaging)."""

    def __init__(self, model: keras.Model, decay: float) -> None:
        self._model, self._decay = model, decay
        self._averages = [tf.Variable(weight.value, trainable=False) for weight in model.weights]
        self.update = tf.function(self._update)

    def _update(self) -> None:
        batches = tf.cast(self._model.optimizer.iterations.value, tf.float32)
        # Shorter memory in the first batches, or the random initial weights would stay in the average for long.
        decay = tf.minimum(self._decay, (1 + batches) / (10 + batches))
        for average, weight in zip(self._averages, self._model.weights, strict=True):
            average.assign(decay * average + (1 - decay) * tf.cast(weight.value, average.dtype))

    def weights(self) -> list[NDArray[np.float32]]:
        """Return the averages in the order of ``model.weights``."""
        return [average.numpy() for average in self._averages]

    def save(self, path: Path) -> None:
        """Write the averages to a ``.npz``."""
        temporary = path.with_name(f".{path.name}")
        np.savez(temporary, allow_pickle=False, **{f"{i:03d}": weight for i, weight in enumerate(self.weights())})
        temporary.replace(path)

    def restore(self, path: Path) -> None:
        """Read averages that :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as archive:
            for average, key in zip(self._averages, sorted(archive.files), strict=True):
                average.assign(archive[key])


def _random_states(model: keras.Model) -> list[list[int]]:
    return [np.asarray(generator.state).tolist() for generator in _seed_generators(model)]


def _seed_generators(model: keras.Model) -> list[Any]:
    return [layer.seed_generator for layer in model.layers if hasattr(layer, "seed_generator")]
