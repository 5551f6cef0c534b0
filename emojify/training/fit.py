"""Fit a network, from its settings to a run folder.

    runs/<run>/checkpoint.json, checkpoint-*    state after the last whole epoch, see ``checkpoint.py``
    runs/<run>/best.weights.h5                  the network at its best epoch on public
    runs/<run>/best.json                        its figures there, and the pictures that it got most wrong
    runs/<run>/result.json                      written last
    runs/<run>/...                              see ``rundir.py``

Every file is written to a temporary name and renamed, so a kill at any moment leaves the last whole epoch. A resumed
fit gives the same numbers as an uninterrupted one.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emojify.errors import EmojifyError
from emojify.files import write_json
from emojify.runs.config import FitConfig
from emojify.runs.control import Control
from emojify.runs.figures import LIVE_FIGURES
from emojify.runs.networks import SIDE, get_network
from emojify.training.batches import train_batches
from emojify.training.checkpoint import BEST_WEIGHTS, Checkpoint, WeightAverage, save_checkpoint, save_weights
from emojify.training.dataset import Dataset, load_joined
from emojify.training.ferplus import majority
from emojify.training.figures import MIN_PROBABILITY, Figures, measure
from emojify.training.live_figures import added_figures, write_live_figures
from emojify.training.loss import accuracy, logit_bias, make_loss, with_ferplus_head
from emojify.training.optimizer import make_optimizer
from emojify.training.plots import most_wrong
from emojify.training.rundir import Journal, environment, has_bfloat16
from emojify.training.selection import training_pictures
from emojify.training.teachers import Teachers
from emojify.training.weights import build_network, fill_weights


def start(config: FitConfig, run: Path, control: Control | None = None) -> dict[str, Any]:
    """Start a fit in the new folder ``run``.

    Returns:
        The content of ``result.json``: best_epoch, best_public_accuracy, epochs, parameters.

    Raises:
        EmojifyError: if the folder exists, the network is unknown or the data can't be used.
    """
    get_network(config.network)
    data = _load(config)
    try:
        run.mkdir(parents=True)
    except FileExistsError as error:
        raise EmojifyError(
            f"There is a run in {run} already. Continue it with --resume, or choose another name."
        ) from error
    write_json(run / "config.json", asdict(config))
    control = control or Control()
    control.start_run(run)
    return Trainer(config, data, run, control).fit()


def resume(run: Path, control: Control | None = None) -> dict[str, Any]:
    """Continue a run that was stopped or killed, from its last whole epoch.

    Returns:
        The content of ``result.json``.

    Raises:
        EmojifyError: if there is no such run, its network is unknown, its data is gone or its checkpoint is damaged.
    """
    config = FitConfig.read(run)
    get_network(config.network)
    control = control or Control()
    control.report_phase("reading the pictures")
    return Trainer(config, _load(config), run, control).fit()


def _load(config: FitConfig) -> Dataset:
    return load_joined(Path(config.data), Path(config.added_data) if config.added_data else None)


@dataclass(frozen=True)
class _Evaluation:
    """What the network reads on public after an epoch.

    Attributes:
        probabilities: (n, 7) float32.
        figures: against labels and FER+ votes.
        cross_entropy: against the labels, in nats.
        score: what epochs are compared by; larger is better.
    """

    probabilities: NDArray[np.float32]
    figures: Figures
    cross_entropy: float
    score: float


class Trainer:
    """Fits one network and keeps its run folder up to date.

    A run folder with a checkpoint is continued, another one is begun. ::

        trainer = Trainer(config, data, run, Control())
        result = trainer.fit()

    Args:
        config: the settings, also saved in the run's ``config.json``.
        data: with the splits train and public.
        run: the run's folder, which exists.
        control: receives a call after every batch, and may stop the fit there.

    Raises:
        EmojifyError: if the checkpoint is damaged, or the settings need votes that the data set does not have.
    """

    def __init__(self, config: FitConfig, data: Dataset, run: Path, control: Control) -> None:
        self._config, self._run, self._control = config, run, control
        self._state = Checkpoint.read(run)
        self._train, self._public = training_pictures(data, config), data.split("public")
        if config.choose_by == "ferplus" and not (majority(self._public.votes) >= 0).any():
            raise EmojifyError("This data set has no FER+ votes on public. Set choose_by to accuracy or balanced.")
        auto = "bfloat16" if has_bfloat16() else "float32"
        self._precision = auto if config.precision == "auto" else config.precision
        self._batches = -(-len(self._train) // config.batch_size)

    def fit(self) -> dict[str, Any]:
        """Fit until the last epoch, or until ``patience`` epochs brought no new best.

        Returns:
            The content of ``result.json``.
        """
        config = self._config
        keras.utils.set_random_seed(config.seed)
        with Journal(self._run, self._state.epoch) as self._journal:
            self._control.report_phase("building the network")
            self._write_environment()
            self._measure_live_model()
            self._build()
            parameters = self._network.count_params()
            self._journal.say(
                f"{config.network}, {parameters:,} parameters, {self._precision}, {len(self._train):,} pictures"
            )
            if without_face := self._train.without_face:
                examples = ", ".join(without_face[:5])
                self._journal.say(f"left out: {len(without_face):,} pictures without a detected face, e.g. {examples}")
            while self._state.epoch < config.epochs and not self._is_out_of_patience():
                self._fit_epoch()
                self._control.after_batch()
            best = self._state
            self._journal.say(f"best on public: {best.best_public_accuracy:.4f} after epoch {best.best_epoch}")
        result = {
            "best_epoch": self._state.best_epoch,
            "best_public_accuracy": self._state.best_public_accuracy,
            "epochs": self._state.epoch,
            "parameters": parameters,
        }
        write_json(self._run / "result.json", result)
        return result

    def _write_environment(self) -> None:
        pictures = {"data": self._public.name, "train": len(self._train), "public": len(self._public)}
        write_json(self._run / "environment.json", {**environment(self._precision), "pictures": pictures})

    def _measure_live_model(self) -> None:
        if self._public.added_name and not (self._run / LIVE_FIGURES).exists():
            self._control.report_phase("measuring the live model")
            write_live_figures(self._run, self._public)

    def _build(self) -> None:
        """Build the network and the model that is fitted, which may have a second head; load the checkpoint."""
        config = self._config
        several_gpus = len(tf.config.list_physical_devices("GPU")) > 1
        strategy = tf.distribute.MirroredStrategy() if several_gpus else tf.distribute.get_strategy()
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16" if self._precision == "bfloat16" else "float32")
        try:
            with strategy.scope():
                self._network = build_network(config.network, None if config.small_epochs else SIDE)
                if config.begin_with and not self._state.epoch:
                    fill_weights(self._network, config.network, Path(config.begin_with))
                self._model = with_ferplus_head(self._network) if config.ferplus_head else self._network
                optimizer = make_optimizer(config, self._batches)
                self._model.compile(optimizer, make_loss(config, self._train), metrics=[accuracy])
                optimizer.build(self._model.trainable_variables)
            bias = logit_bias(self._train, config)
            self._teachers = Teachers(config, bias) if config.teachers else None
        finally:
            keras.config.set_dtype_policy(policy)
        self._average = WeightAverage(self._model, config.average) if config.average else None
        if self._state.epoch:
            self._state.restore(self._run, self._model, self._average)

    def _is_out_of_patience(self) -> bool:
        patience = self._config.patience
        if not patience or self._state.epoch - self._state.best_epoch < patience:
            return False
        self._journal.say(f"no new best in {patience} epochs: stopping early")
        return True

    def _fit_epoch(self) -> None:
        started = time.monotonic()
        learning_rate = float(self._model.optimizer.learning_rate)
        logs = self._descend()
        weights = self._model.get_weights()
        if self._average is not None:
            self._model.set_weights(self._average.weights())
        public = self._evaluate(logs["loss"])
        self._state = replace(self._state, epoch=self._state.epoch + 1)
        if public.score > self._state.best_score:
            self._save_best(public)
        if self._average is not None:
            self._model.set_weights(weights)
        figures = {**logs, **_public_figures(public), "learning_rate": learning_rate}
        # Logged before the checkpoint: a kill in between repeats the epoch and forgets this line.
        seconds = round(time.monotonic() - started, 1)
        self._journal.epoch(self._state.epoch, self._config.epochs, {**figures, "seconds": seconds})
        self._state = save_checkpoint(self._run, self._state, self._model, self._average)

    def _descend(self) -> dict[str, float]:
        """Run the batches of one epoch and return their mean loss and accuracy."""
        epoch = self._state.epoch

        def on_batch_end(batch: int, logs: dict[str, float] | None = None) -> None:
            if self._average is not None:
                self._average.update()
            self._journal.batch(epoch, batch + 1, self._batches, logs or {})
            self._control.after_batch()

        callback = keras.callbacks.LambdaCallback(on_train_batch_end=on_batch_end)
        teach = self._teachers.mix if self._teachers else None
        batches = train_batches(self._train, self._config, epoch, teach)
        history = self._model.fit(batches, shuffle=False, verbose=0, callbacks=[callback]).history
        return {name: float(history[name][-1]) for name in ("loss", "accuracy")}

    def _evaluate(self, loss: float) -> _Evaluation:
        public = self._public
        probabilities = self._network.predict(public.images[..., None], batch_size=256, verbose=0)
        if not (math.isfinite(loss) and np.isfinite(probabilities).all()):
            raise EmojifyError("The fit blew up: the learning rate is too high. Start again with a lower one.")
        figures = measure(probabilities, public.labels, public.votes)
        of_labels = probabilities[np.arange(len(public)), public.labels]
        cross_entropy = float(-np.log(np.maximum(of_labels, MIN_PROBABILITY)).mean())
        return _Evaluation(probabilities, figures, cross_entropy, self._score(figures))

    def _score(self, figures: Figures) -> float:
        if self._config.choose_by == "ferplus" and figures.ferplus_cross_entropy is not None:
            return math.exp(-figures.ferplus_cross_entropy)  # a mean probability, 0 to 1 like the other scores
        if self._config.choose_by == "balanced":
            return (figures.accuracy + figures.macro_recall) / 2
        return figures.accuracy

    def _save_best(self, public: _Evaluation) -> None:
        epoch = self._state.epoch
        self._state = replace(
            self._state, best_epoch=epoch, best_public_accuracy=public.figures.accuracy, best_score=public.score
        )
        save_weights(self._network, self._run / BEST_WEIGHTS)
        figures = {**public.figures.as_dict(), "data": self._public.name, "split": "public"}
        wrong = most_wrong(public.probabilities, self._public)
        content = {"epoch": epoch, "figures": figures, "wrong": wrong}
        write_json(self._run / "best.json", content | added_figures(public.probabilities, self._public))


def _public_figures(public: _Evaluation) -> dict[str, float]:
    figures = public.figures
    values = {
        "val_loss": public.cross_entropy,
        "val_accuracy": figures.accuracy,
        "val_macro_recall": figures.macro_recall,
        "val_ferplus_accuracy": figures.ferplus_accuracy,
        "val_ferplus_macro_recall": figures.ferplus_macro_recall,
        "val_ferplus_cross_entropy": figures.ferplus_cross_entropy,
        "val_score": public.score,
    }
    return {name: value for name, value in values.items() if value is not None}
