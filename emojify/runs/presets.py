"""Presets for a new fit, an estimate of how long it takes on this machine, and the command line that does the same."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from emojify.runs.config import FLAGS, INPUTS, FitConfig, default_config
from emojify.runs.machine import cpu_name
from emojify.runs.networks import NETWORKS, get_network
from emojify.runs.placement import Placement
from emojify.runs.progress import read_progress
from emojify.runs.reading import read_json_or_empty
from emojify.runs.run import Run

TRIAL_PICTURES = 3000
TRIAL_S = 100
"""Time for the epochs of the trial preset: two minutes, less the time that TensorFlow takes to start."""

START_S = 20
_MAX_PICTURES = 1e12
"""No data set has as many pictures, but an edited file may say so."""

MAX_SIZE_RATIO = 12
"""A speed holds for data sets up to this many times the size that it was measured with. Small fits mostly wait."""

_FORWARD_COST = 1 / 3
"""Time to classify a picture, as a share of the time to train on it."""


@dataclass(frozen=True)
class Preset:
    """A starting point for a fit. ``key`` is its id, ``name`` and ``description`` are what users see."""

    key: str
    name: str
    description: str
    network: str


PRESETS = (
    Preset("trial", "A quick trial", "Some of the pictures and a few epochs: see the curves move.", "seed"),
    Preset(
        "tutorial",
        "As in the tutorial",
        "The small network of the tutorial that Emojify began with, and its settings.",
        "seed",
    ),
    Preset("best", "The best recipe", "The most accurate network, with everything that helps it.", "compact"),
)


@dataclass(frozen=True)
class TrainingSpeed:
    """How quickly this machine trains a network.

    Attributes:
        pictures_per_s: training pictures per second.
        measured: whether the number comes from a run on this machine; otherwise it is a guess.
    """

    pictures_per_s: float
    measured: bool

    def epoch_s(self, train: int, public: int) -> float:
        """Return the seconds of an epoch that trains on ``train`` pictures and evaluates ``public`` pictures."""
        return (train + public * _FORWARD_COST) / self.pictures_per_s


def recipe(network: str, has_votes: bool) -> dict[str, Any]:
    """Return the best known settings for a network and a data set with or without FER+ votes."""
    settings = dict(get_network(network).recipe)
    if not has_votes:
        settings |= {"ferplus_weight": 0.0, "ferplus_head": 0.0}
        if settings.get("choose_by") == "ferplus":
            settings["choose_by"] = "balanced"
    return settings


def preset_config(
    preset: Preset, data: Path, *, speed: TrainingSpeed, pictures: dict[str, int], has_votes: bool
) -> FitConfig:
    """Return the settings of a preset.

    Args:
        preset: one of :data:`PRESETS`.
        data: the data set.
        speed: of the preset's network on this machine; the trial has as many epochs as fit into two minutes.
        pictures: number of pictures by split.
        has_votes: whether the data set has FER+ votes.
    """
    settings = recipe(preset.network, has_votes)
    if preset.key == "trial":
        train = min(TRIAL_PICTURES, pictures["train"])
        epochs = min(max(int(TRIAL_S / speed.epoch_s(train, pictures["public"])), 3), 12)
        settings |= {"pictures": TRIAL_PICTURES, "epochs": epochs, "learning_rate": 1e-3}
    return default_config(str(data.absolute()), preset.network, **settings)


def estimated_s(config: FitConfig, speed: TrainingSpeed, pictures: dict[str, int]) -> float:
    """Estimate the seconds from the click to the end of a fit, with nothing else running.

    Args:
        config: the fit's settings.
        speed: of the config's network on this machine.
        pictures: number of pictures by split.
    """
    train = min(config.pictures or pictures["train"], pictures["train"])
    return START_S + config.epochs * speed.epoch_s(train, pictures["public"])


def training_speed(network: str, runs: Iterable[Run], train: int) -> TrainingSpeed:
    """Return the speed of the first run that trained this network on this machine for two epochs; else a guess.

    Args:
        network: the network's name.
        runs: the newest first.
        train: number of training pictures of the planned fit. Runs with far fewer are passed over.
    """
    for run in runs:
        if run.config is None or run.config.network != network or run.config.teachers or run.epochs_done < 2:
            continue
        speed = _measured_speed(run.folder)
        if speed is not None and train <= speed[0] * MAX_SIZE_RATIO < _MAX_PICTURES:
            return TrainingSpeed(speed[0] / speed[1], measured=True)
    slowest = min(network.images_per_s for network in NETWORKS.values())
    per_core = NETWORKS[network].images_per_s if network in NETWORKS else slowest
    return TrainingSpeed(per_core * (os.cpu_count() or 1), measured=False)


def _measured_speed(run: Path) -> tuple[float, float] | None:
    """Return the training pictures of an epoch and its seconds; None if the run is from another machine.

    Pictures that were only evaluated count as ``_FORWARD_COST`` of a training picture.
    """
    environment = read_json_or_empty(run / "environment.json")
    pictures = environment.get("pictures")
    if environment.get("cpu") != cpu_name() or not isinstance(pictures, dict):
        return None
    # The first epoch is slower: TensorFlow compiles the network in it.
    seconds = [epoch.seconds for epoch in read_progress(run).epochs[1:] if epoch.seconds > 0]
    try:
        work = float(pictures["train"]) + float(pictures["public"]) * _FORWARD_COST
    except (KeyError, TypeError, ValueError):
        return None
    return (work, median(seconds)) if seconds else None


def command_line(config: FitConfig, placement: Placement | None = None) -> str:
    """Return the shell command for the same fit. Initial weights, if there are any, are left out."""
    defaults = default_config(config.data, config.network)
    words = ["python", "-m", "emojify", "train", "--data", config.data, "--network", config.network]
    if config.added_data:
        words += ["--data", config.added_data]
    for field in fields(FitConfig):
        value = getattr(config, field.name)
        if field.name in INPUTS or value == getattr(defaults, field.name):
            continue
        if field.name in FLAGS:
            words += [f"--{field.name.replace('_', '-')}", str(value)]
        else:
            words += ["--set", f"{field.name}={str(value).lower() if isinstance(value, bool) else value}"]
    if placement:
        words += ["--address", placement.address]
    return shlex.join(words)


def format_duration(seconds: float) -> str:
    """Return a duration for users, as precise as is useful: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" if hours >= 10 or minutes < 5 else f"{hours} h {minutes} min"
