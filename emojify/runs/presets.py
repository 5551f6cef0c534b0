"""Ways to begin: three presets, what they cost on this machine, and the command line that does the same."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from emojify.runs.config import FLAGS, RECIPES, FitConfig
from emojify.runs.machine import cpu_name
from emojify.runs.progress import read_progress
from emojify.runs.run import Run, read_json_or_empty

TRIAL_PICTURES = 3000
TRIAL_S = 100
"""What is left of two minutes when TensorFlow has started."""

START_S = 20
_MAX_PICTURES = 1e12  # pictures: no data set has as many, but a file that was edited may say so

MAX_SIZE_RATIO = 12
"""Epochs that differ by more than that in size are not of one pace."""

FER2013_PICTURES = {"train": 28709, "public": 3589}

# Pictures a second that one core trains on, on an AMD EPYC with AVX2, float32, measured for seed and taken as half of
# that for residual; without a run on this machine that is all there is to go by.
_ASSUMED_PICTURES_PER_S = {"seed": 110.0, "residual": 55.0}
_FORWARD_COST = 1 / 3  # only reading a picture takes about a third of training on it


@dataclass(frozen=True)
class Preset:
    """A way to begin."""

    key: str
    name: str
    description: str
    network: str


PRESETS = (
    Preset("trial", "A two-minute trial", "A part of the pictures and a few epochs: see the curves move.", "seed"),
    Preset("tutorial", "The tutorial's fit", "The network and the settings of the original tutorial.", "seed"),
    Preset("best", "The best recipe", "The network that reads best, with everything that helps it.", "residual"),
)


@dataclass(frozen=True)
class TrainingSpeed:
    """How quickly this machine trains a network, in pictures a second, and where that is from."""

    pictures_per_s: float
    measured: bool

    def epoch_s(self, train: int, public: int) -> float:
        return (train + public * _FORWARD_COST) / self.pictures_per_s


def recipe(network: str, voted: bool) -> dict[str, Any]:
    """What a network is best trained with, where there are FER+ votes or none."""
    return RECIPES[network] | ({} if voted else {"ferplus_weight": 0.0, "ferplus_head": 0.0})


def preset_config(
    preset: Preset, data: Path, *, rate: TrainingSpeed, pictures: dict[str, int], voted: bool
) -> FitConfig:
    """The settings of a preset.

    Args:
        data: the data set.
        rate: of the preset's network on this machine; the taste has as many epochs as two minutes hold.
        pictures: how many there are, by split.
        voted: whether the data set has FER+ votes.
    """
    settings = recipe(preset.network, voted)
    if preset.key == "trial":
        train = min(TRIAL_PICTURES, pictures["train"])
        epochs = min(max(int(TRIAL_S / rate.epoch_s(train, pictures["public"])), 3), 12)
        settings |= {"pictures": TRIAL_PICTURES, "epochs": epochs, "learning_rate": 1e-3}
    return FitConfig(**{**settings, "data": str(data.absolute()), "network": preset.network})


def estimated_s(config: FitConfig, rate: TrainingSpeed, pictures: dict[str, int]) -> float:
    """Seconds from the click to the end, with nothing else running."""
    train = min(config.pictures or pictures["train"], pictures["train"])
    return START_S + config.epochs * rate.epoch_s(train, pictures["public"])


def training_speed(network: str, runs: Iterable[Run], train: int) -> TrainingSpeed:
    """From the newest run of this network on this machine that has two whole epochs; else a rough guess.

    Args:
        train: how many pictures are to be trained on. A run with far fewer says little: it mostly waited.
    """
    for run in runs:
        if run.config is None or run.config.network != network or run.epochs_done < 2:
            continue
        environment = read_json_or_empty(run.folder / "environment.json")
        pictures = environment.get("pictures")
        if environment.get("cpu") != cpu_name() or not isinstance(pictures, dict):
            continue
        seconds = [epoch.seconds for epoch in read_progress(run.folder).epochs[1:] if epoch.seconds > 0]
        try:
            work = float(pictures["train"]) + float(pictures["public"]) * _FORWARD_COST
        except (KeyError, TypeError, ValueError):
            continue
        if seconds and train <= work * MAX_SIZE_RATIO < _MAX_PICTURES:
            return TrainingSpeed(work / median(seconds), measured=True)
    cores = os.cpu_count() or 1
    return TrainingSpeed(
        _ASSUMED_PICTURES_PER_S.get(network, min(_ASSUMED_PICTURES_PER_S.values())) * cores, measured=False
    )


def command_line(config: FitConfig) -> str:
    """What to type in a terminal for the very same fit, of those that begin with random weights."""
    defaults = FitConfig(**{**RECIPES.get(config.network, {}), "data": config.data, "network": config.network})
    words = ["python", "-m", "emojify", "train", "--data", config.data, "--network", config.network]
    if config.added_data:
        words += ["--data", config.added_data]
    for field in fields(FitConfig):
        value = getattr(config, field.name)
        if field.name in ("data", "added_data", "network", "begin_with") or value == getattr(defaults, field.name):
            continue
        if field.name in FLAGS:
            words += [f"--{field.name.replace('_', '-')}", str(value)]
        else:
            words += ["--set", f"{field.name}={str(value).lower() if isinstance(value, bool) else value}"]
    return shlex.join(words)


def format_duration(seconds: float) -> str:
    """For people: ``40 seconds``, ``12 minutes``, ``3 hours 20 minutes``."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" if hours >= 10 or minutes < 5 else f"{hours} h {minutes} min"
