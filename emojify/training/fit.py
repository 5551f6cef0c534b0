"""One fit, from a config to a folder under ``runs/`` that tells its whole story.

    runs/<run>/checkpoint.json, checkpoint-*    everything to go on from: weights, optimizer, dropout's random state
    runs/<run>/best.weights.h5                  the network at its best on public
    runs/<run>/best.json                        what it read there: figures, and the pictures that it got most wrong
    runs/<run>/result.json                      written last
    runs/<run>/...                              see :mod:`~emojify.training.rundir`

Every file is written beside its place and renamed into it, so a kill at any moment leaves the last whole epoch; and
going on from there gives the very numbers that an uninterrupted fit would have given.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.runs.config import FitConfig
from emojify.runs.control import Control
from emojify.training.batches import train_batches
from emojify.training.dataset import Dataset, load_joined
from emojify.training.evaluate import measure
from emojify.training.live_figures import LIVE_FIGURES, added_figures, write_live_figures
from emojify.training.loss import accuracy, loss, with_ferplus_head
from emojify.training.networks import NETWORKS
from emojify.training.plots import most_wrong
from emojify.training.rundir import Journal, environment, has_bfloat16, write_json
from emojify.training.weights import fill_weights


def start(config: FitConfig, run: Path, control: Control | None = None) -> dict[str, Any]:
    """Begin a new run in the folder ``run``, which must not exist yet. Returns the result.

    Raises:
        EmojifyError: if the folder exists, the network is unknown or the data can't be used.
    """
    if config.network not in NETWORKS:
        raise EmojifyError(f"There is no network called {config.network!r}. There are: {', '.join(NETWORKS)}.")
    data = _load(config)
    try:
        run.mkdir(parents=True)
    except FileExistsError as error:
        raise EmojifyError(f"There is a run in {run} already. Go on with it (--resume), or choose another.") from error
    write_json(run / "config.json", asdict(config))
    control = control or Control()
    control.begin(run)
    return _fit(config, data, run, control)


def resume(run: Path, control: Control | None = None) -> dict[str, Any]:
    """Go on with a run that was stopped or killed, from its last whole epoch. Returns the result.

    Raises:
        EmojifyError: if there is no such run, its network is unknown, its data gone or its checkpoint damaged.
    """
    config = FitConfig.read(run)
    if config.network not in NETWORKS:
        raise EmojifyError(f"There is no network called {config.network!r}. There are: {', '.join(NETWORKS)}.")
    control = control or Control()
    control.phase("reading the pictures")
    return _fit(config, _load(config), run, control)


def _load(config: FitConfig) -> Dataset:
    return load_joined(Path(config.data), Path(config.added_data) if config.added_data else None)


def _fit(config: FitConfig, data: Dataset, run: Path, control: Control) -> dict[str, Any]:
    keras.utils.set_random_seed(config.seed)
    train, public = _at_most(config.pictures, data.split("train"), config.seed), data.split("public")
    state = _saved_state(run)
    with Journal(run, state["epoch"]) as journal:
        control.phase("building the network")
        precision = ("bfloat16" if has_bfloat16() else "float32") if config.precision == "auto" else config.precision
        pictures = {"data": data.name, "train": len(train), "public": len(public)}
        write_json(run / "environment.json", {**environment(precision), "pictures": pictures})
        if public.added_name and not (run / LIVE_FIGURES).exists():
            control.phase("measuring the live model")
            write_live_figures(run, public)
        network, model = _compiled(config, train, precision, begins="weights" not in state)
        average = Average(model, config.average) if config.average else None
        if "weights" in state:
            _restore(model, average, run, state)
        parameters = network.count_params()
        journal.say(f"{config.network}, {parameters:,} parameters, {precision}, {len(train):,} pictures")
        for epoch in range(state["epoch"], config.epochs):
            if config.patience and epoch - state["best_epoch"] >= config.patience:
                journal.say(f"no new best in {config.patience} epochs: stopping early")
                break
            state = _fit_epoch(network, model, average, config, train, public, state, run, journal, control)
            control.batch()
        journal.say(f"best on public: {state['best_public_accuracy']:.4f} after epoch {state['best_epoch']}")
    result = {key: state[key] for key in ("best_epoch", "best_public_accuracy")}
    result |= {"epochs": state["epoch"], "parameters": parameters}
    write_json(run / "result.json", result)
    return result


def _saved_state(run: Path) -> dict[str, Any]:
    state: dict[str, Any] = {"epoch": 0, "best_epoch": 0, "best_public_accuracy": 0.0, "best_score": 0.0}
    if not (run / "checkpoint.json").exists():
        return state
    try:
        saved = json.loads((run / "checkpoint.json").read_text())
        state |= {"best_score": saved["best_public_accuracy"], **saved}
        whole = (run / state["weights"]).is_file() and state["epoch"] >= 0
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise EmojifyError(
            f"The checkpoint of {run} is damaged or gone, so there is nothing to go on from. Start anew."
        )
    return state


def _at_most(pictures: int, train: Dataset, seed: int) -> Dataset:
    """So many of the pictures, about the same share of every emotion; all of them if 0."""
    if not 0 < pictures < len(train):
        return train
    order = np.random.default_rng(seed).permutation(len(train))
    order = order[np.argsort(train.labels[order], kind="stable")]  # by emotion, shuffled within each
    # Every so many-th of them; the first of each emotion as well, so that none goes missing.
    firsts = order[np.unique(train.labels[order], return_index=True)[1]]
    evenly = order[np.linspace(0, len(order) - 1, pictures).astype(np.int64)]
    return train.rows(np.unique(np.concatenate([evenly, firsts])))


def _compiled(config: FitConfig, train: Dataset, precision: str, begins: bool) -> tuple[keras.Model, keras.Model]:
    """The network, and what is fitted: the same, or the same with a second head.

    Args:
        begins: whether nothing is fitted yet, so that it may begin with another's weights.
    """
    batches = -(-len(train) // config.batch_size)
    several_gpus = len(tf.config.list_physical_devices("GPU")) > 1
    strategy = tf.distribute.MirroredStrategy() if several_gpus else tf.distribute.get_strategy()
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        with strategy.scope():
            build = NETWORKS[config.network]
            network = build(side=None) if config.small_epochs else build()
            if begins and config.begin_with:
                fill_weights(network, config.network, Path(config.begin_with))
            model = with_ferplus_head(network) if config.ferplus_head else network
            optimizer = _optimizer(config, batches)
            model.compile(optimizer, loss(config, train), metrics=[accuracy])
            optimizer.build(model.trainable_variables)
    finally:
        keras.config.set_dtype_policy(policy)
    return network, model


def _optimizer(config: FitConfig, batches: int) -> keras.optimizers.Optimizer:
    schedules = keras.optimizers.schedules
    if config.schedule == "cosine":
        warmup = round(config.warmup_epochs * batches)
        rate = schedules.CosineDecay(
            0.0 if warmup else config.learning_rate,
            max(config.epochs * batches - warmup, 1),
            warmup_target=config.learning_rate if warmup else None,
            warmup_steps=warmup,
        )
    else:
        rate = schedules.InverseTimeDecay(config.learning_rate, 1, config.decay)
    weight_decay = config.weight_decay or None
    if config.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, weight_decay=weight_decay)
    else:
        optimizer = keras.optimizers.SGD(rate, config.momentum, nesterov=True, weight_decay=weight_decay)
    if weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _fit_epoch(
    network: keras.Model,
    model: keras.Model,
    average: Average | None,
    config: FitConfig,
    train: Dataset,
    public: Dataset,
    state: dict[str, Any],
    run: Path,
    journal: Journal,
    control: Control,
) -> dict[str, Any]:
    started, epoch = time.monotonic(), state["epoch"]
    batches = -(-len(train) // config.batch_size)

    def on_batch_end(batch: int, logs: dict[str, float] | None = None) -> None:
        if average is not None:
            average.update()
        journal.batch(epoch, batch + 1, batches, logs or {})
        control.batch()

    said = keras.callbacks.LambdaCallback(on_train_batch_end=on_batch_end)
    rate = float(model.optimizer.learning_rate)
    logs = model.fit(train_batches(train, config, epoch), shuffle=False, verbose=0, callbacks=[said]).history
    raw = model.get_weights()
    if average is not None:
        model.set_weights(average.weights())
    probabilities = network.predict(public.images[..., None], batch_size=256, verbose=0)
    if not (np.isfinite(logs["loss"][-1]) and np.isfinite(probabilities).all()):
        raise EmojifyError("The fit blew up: the learning rate is too high. Start again with a lower one.")
    public_figures = measure(probabilities, public.labels, public.votes)
    right, macro_recall = public_figures.accuracy, public_figures.macro_recall
    score = right if config.choose_by == "accuracy" else (right + macro_recall) / 2

    name = f"checkpoint-{epoch + 1:03d}"
    state = {**state, "epoch": epoch + 1, "weights": f"{name}.weights.h5", "random": _random_states(model)}
    if score > state["best_score"]:
        state |= {"best_epoch": epoch + 1, "best_public_accuracy": right, "best_score": score}
        _save_weights(network, run / "best.weights.h5")
        figures_at_best = {**public_figures.as_dict(), "data": public.name, "split": "public"}
        wrong = most_wrong(probabilities, public)
        content = {"epoch": epoch + 1, "figures": figures_at_best, "wrong": wrong}
        write_json(run / "best.json", content | added_figures(probabilities, public))
    if average is not None:
        model.set_weights(raw)
        state["average"] = f"{name}.average.npz"
        average.save(run / state["average"])
    _save_weights(model, run / state["weights"])
    figures = {"loss": float(logs["loss"][-1]), "accuracy": float(logs["accuracy"][-1])}
    figures |= {"val_loss": _crossentropy(probabilities, public.labels), "val_accuracy": right}
    figures |= {"val_macro_recall": macro_recall, "learning_rate": rate}
    journal.epoch(epoch + 1, config.epochs, {**figures, "seconds": round(time.monotonic() - started, 1)})
    write_json(run / "checkpoint.json", state)
    for old in run.glob("checkpoint-*"):
        if not old.name.startswith(name):
            old.unlink()
    return state


class Average:
    """A running average of a network's weights, batch norm's statistics included (Polyak averaging)."""

    def __init__(self, model: keras.Model, decay: float) -> None:
        self._model, self._decay = model, decay
        self._averages = [tf.Variable(weight.value, trainable=False) for weight in model.weights]
        self.update = tf.function(self._update)

    def _update(self) -> None:
        batches = tf.cast(self._model.optimizer.iterations.value, tf.float32)
        # In the first batches a shorter memory, or the random beginning would stay in the average for long.
        decay = tf.minimum(self._decay, (1 + batches) / (10 + batches))
        for average, weight in zip(self._averages, self._model.weights, strict=True):
            average.assign(decay * average + (1 - decay) * tf.cast(weight.value, average.dtype))

    def weights(self) -> list[NDArray[np.float32]]:
        return [average.numpy() for average in self._averages]

    def save(self, path: Path) -> None:
        temporary = path.with_name(f".{path.name}")
        np.savez(temporary, allow_pickle=False, **{f"{i:03d}": weight for i, weight in enumerate(self.weights())})
        temporary.replace(path)

    def restore(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as archive:
            for average, key in zip(self._averages, sorted(archive.files), strict=True):
                average.assign(archive[key])


def _restore(model: keras.Model, average: Average | None, run: Path, state: dict[str, Any]) -> None:
    model.load_weights(run / state["weights"])
    if average is not None:
        average.restore(run / state["average"])
    # Keras saves no random state: without this, dropout would begin its first epoch's draws again.
    for generator, value in zip(_seed_generators(model), state.get("random", []), strict=False):
        generator.state.assign(value)


def _random_states(model: keras.Model) -> list[list[int]]:
    return [np.asarray(generator.state).tolist() for generator in _seed_generators(model)]


def _seed_generators(model: keras.Model) -> list[keras.random.SeedGenerator]:
    return [layer.seed_generator for layer in model.layers if hasattr(layer, "seed_generator")]


def _crossentropy(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-7)).mean())


def _save_weights(model: keras.Model, path: Path) -> None:
    optimizer = getattr(model, "optimizer", None)  # not there before a network is compiled
    variables = [*model.weights, *(optimizer.variables if optimizer else ())]
    needed = sum(int(np.prod(variable.shape)) for variable in variables) * 4
    if shutil.disk_usage(path.parent).free < needed:  # HDF5 ends the whole process where it meets a full disk
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    temporary = path.with_name(f".{path.name}")
    model.save_weights(temporary)
    temporary.replace(path)
