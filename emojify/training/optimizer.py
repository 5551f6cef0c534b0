"""The optimizer of a fit and its learning-rate schedule."""

from __future__ import annotations

import keras

from emojify.runs.config import FitConfig


def make_optimizer(config: FitConfig, batches: int) -> keras.optimizers.Optimizer:
    """Return the optimizer that the settings describe.

    Args:
        config: names it, its schedule and their numbers.
        batches: how many an epoch has; schedules count in batches.
    """
    rate = _schedule(config, batches)
    weight_decay = config.weight_decay or None
    if config.optimizer == "adam":
        optimizer = keras.optimizers.Adam(rate, weight_decay=weight_decay)
    else:
        optimizer = keras.optimizers.SGD(rate, config.momentum, nesterov=True, weight_decay=weight_decay)
    if weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _schedule(config: FitConfig, batches: int) -> keras.optimizers.schedules.LearningRateSchedule:
    schedules = keras.optimizers.schedules
    if config.schedule == "decay":
        return schedules.InverseTimeDecay(config.learning_rate, 1, config.decay)
    warmup = round(config.warmup_epochs * batches)
    return schedules.CosineDecay(
        0.0 if warmup else config.learning_rate,
        max(config.epochs * batches - warmup, 1),
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
