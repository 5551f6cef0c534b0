"""The settings of a fit. The defaults are the tutorial's recipe; each network's own recipe is in ``networks.py``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.files import read_json
from emojify.runs.networks import get_network

FLAGS = ("epochs", "batch_size", "learning_rate", "seed", "precision", "patience")
"""Settings that have a command-line flag of their own. All other numbers are set by ``--set NAME=VALUE``."""

INPUTS = ("data", "added_data", "network", "begin_with", "teachers")
"""Settings that name what a fit works with. All others are the recipe."""

CHOICES = {
    "precision": ("float32", "bfloat16", "auto"),
    "optimizer": ("adam", "sgd"),
    "schedule": ("decay", "cosine"),
    "choose_by": ("accuracy", "balanced", "ferplus"),
}
"""Allowed values of the settings that are words."""

_LIMITS: dict[str, tuple[float, float]] = {
    "epochs": (1, 100_000),
    "batch_size": (1, 65_536),
    "pictures": (0, 10_000_000),
    "seed": (0, 2_000_000),  # batches use 1,000 seeds an epoch, which must fit into 32 bits
    "momentum": (0, 0.9999),
    "learning_rate": (1e-9, 100),
    "decay": (0, 10),
    "warmup_epochs": (0, 100_000),
    "weight_decay": (0, 10),
    "average": (0, 0.99999),
    "label_smoothing": (0, 0.9),
    "ferplus_weight": (0, 1),
    "ferplus_head": (0, 10),
    "teacher_weight": (0, 1),
    "class_balance": (0, 1),
    "logit_adjustment": (0, 5),
    "shift": (0, 1),
    "rotation": (0, 180),
    "scale": (0, 0.9),
    "brightness": (0, 1),
    "contrast": (0, 1),
    "lighting": (0, 1),
    "dim": (0, 0.95),
    "gamma": (0, 3),
    "blur": (0, 5),
    "low_resolution": (0, 1),
    "noise": (0, 1),
    "jpeg": (0, 1),
    "erase": (0, 1),
    "mixup": (0, 10),
    "cutmix": (0, 1),
    "small_epochs": (0, 100_000),
    "small_side": (16, 48),
    "patience": (0, 100_000),
}

_OLD_NAMES = {"crowd_head": "ferplus_head", "lean": "logit_bias"}
"""Settings that older versions wrote under another name."""


@dataclass(frozen=True)
class FitConfig:
    """The settings of a fit.

    Shares of the picture are shares of its width, which is its height. ::

        config = FitConfig("fer2013.zip", network="residual", epochs=60, flip=True)

    Raises:
        EmojifyError: on creation, if a value is outside of its limits.
    """

    data: str
    network: str = "seed"
    added_data: str = ""  # a second data set, joined to the first split by split; empty: none
    begin_with: str = ""  # file with weights of the same network to begin with; empty: random weights
    epochs: int = 50
    batch_size: int = 64
    pictures: int = 0  # train on at most this many, the same share of every emotion, for a quick try; 0: all
    drop_no_face: bool = False  # leave out training pictures that are blank or that FER+ voted "not a face"
    drop_copies: bool = False  # leave out training pictures that nearly copy a public or private one
    seed: int = 1  # fixes the first weights, the order of the pictures, dropout and augmentation
    precision: str = "float32"  # "bfloat16": mixed, for CPUs with AVX512-BF16 and for GPUs; "auto": if they have it

    # Optimizer
    optimizer: str = "adam"  # or "sgd": Nesterov
    momentum: float = 0.9  # sgd only
    learning_rate: float = 1e-4
    schedule: str = "decay"  # learning_rate / (1 + decay * batches), the old Keras "decay"; or "cosine", down to 0
    decay: float = 1e-6  # schedule "decay" only; 0: constant
    warmup_epochs: float = 0.0  # schedule "cosine" only: linear rise from 0
    # Keras subtracts learning_rate * weight_decay of a kernel at every batch, outside of the momentum. In papers weight
    # decay passes through the momentum: with momentum 0.9, their 5e-4 is 5e-3 here.
    weight_decay: float = 0.0
    average: float = 0.0  # decay per batch, e.g. 0.999: evaluate and keep a running average of the weights; 0: off

    # Targets
    label_smoothing: float = 0.0
    ferplus_weight: float = 0.0  # share of the FER+ votes in the target, 0 to 1; the rest is the label
    ferplus_head: float = 0.0  # loss weight of a second head that learns the FER+ votes during the fit; 0: none
    teachers: tuple[str, ...] = ()  # folders of runs or models whose mean probabilities are targets (distillation)
    teacher_weight: float = 0.0  # share of the teachers in the target, 0 to 1; the rest is labels and votes
    class_balance: float = 0.0  # 1: every emotion has the same weight in the loss; 0: every picture has
    # Menon et al. 2020, "Long-tail learning via logit adjustment": adds this times log(class share) to the logits in
    # the loss, so that the network itself does not prefer frequent emotions. 1 aims at macro recall.
    logit_adjustment: float = 0.0

    # Augmentation; each picture is changed anew in every epoch
    flip: bool = False  # left and right, half of the time
    shift: float = 0.0  # up to this share of the picture, each way
    rotation: float = 0.0  # up to this many degrees, each way
    scale: float = 0.0  # 0.1: from 10 % smaller to 10 % larger
    brightness: float = 0.0  # up to this share of 255, each way
    contrast: float = 0.0  # 0.3: from 30 % less to 30 % more
    lighting: float = 0.0  # a slope of light across the face: one edge brighter, the other darker by this share
    dim: float = 0.0  # 0.6: light from 40 to 100 %
    gamma: float = 0.0  # 0.5: exponent from 1 / 1.5 to 1.5
    blur: float = 0.0  # Gaussian, standard deviation up to this many pixels
    low_resolution: float = 0.0  # chance of being shrunk to between a third and the full size, and enlarged again
    noise: float = 0.0  # Gaussian, standard deviation up to this share of 255
    jpeg: float = 0.0  # chance of JPEG compression with a quality of 10 to 50
    erase: float = 0.0  # chance of a random gray rectangle over 2 to 20 % of the picture (Zhong et al. 2017)
    mixup: float = 0.0  # alpha of Zhang et al. 2017; 0: none
    cutmix: float = 0.0  # chance of a rectangle from another picture, targets mixed by area (Yun et al. 2019)

    # Howard 2018, "Training ImageNet in 3 hours for 25 minutes": the first epochs use shrunken pictures, which cost
    # less than half (32 px: 4.5 ms of a core a picture instead of 8, network "residual").
    small_epochs: int = 0
    small_side: int = 32  # pixels; a multiple of 16, so that the stages halve it evenly

    # Stopping and choosing, always on the public split. "accuracy": on labels; "balanced": mean of accuracy and macro
    # recall on labels; "ferplus": class-balanced cross-entropy against the FER+ votes.
    choose_by: str = "accuracy"
    patience: int = 0  # epochs without a new best after which the fit ends; 0: never

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise EmojifyError(f"{name} is {getattr(self, name)!r}; it must be {' or '.join(allowed)}.")
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise EmojifyError(f"{name} is {getattr(self, name)}; it must lie between {low} and {high}.")
        if self.small_side % 16:
            raise EmojifyError(f"small_side is {self.small_side}; it must be a multiple of 16.")
        if bool(self.teachers) != (self.teacher_weight > 0):
            raise EmojifyError("teachers and teacher_weight belong together: set both, or neither.")

    @classmethod
    def read(cls, run: Path) -> FitConfig:
        """Read the settings of a run. A setting that an old run does not name gets its default.

        Raises:
            EmojifyError: if ``run`` is not a run, or was made by a later version.
        """
        try:
            content = read_json(run / "config.json")
        except (OSError, ValueError) as error:
            raise EmojifyError(f"{run} is no training run: it has no readable config.json.") from error
        edited = f"{run / 'config.json'} was edited, and its settings are not valid any more."
        if not isinstance(content, dict):
            raise EmojifyError(edited)
        content = with_current_names(content)
        unknown = set(content) - {field.name for field in fields(cls)}
        if unknown:
            raise EmojifyError(f"{run} was made by another version of Emojify: it sets {', '.join(sorted(unknown))}.")
        teachers = content.get("teachers", [])
        if not isinstance(teachers, list):
            raise EmojifyError(edited)
        try:
            config = cls(**{**content, "teachers": tuple(teachers)})
        except TypeError as error:  # text in place of a number
            raise EmojifyError(edited) from error
        texts = (config.data, config.added_data, config.network, config.begin_with, *config.teachers)
        if not all(isinstance(text, str) for text in texts):
            raise EmojifyError(edited)
        return config


def with_current_names(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings that any version wrote, in a ``config.json`` or a model's card, under their current names."""
    return {_OLD_NAMES.get(name, name): value for name, value in settings.items()}


def default_config(data: str, network: str, **settings: Any) -> FitConfig:
    """Return a network's recipe for a data set, with ``settings`` in place of its own.

    Raises:
        EmojifyError: if there is no such network, or a value is outside of its limits.
    """
    return FitConfig(**{**get_network(network).recipe, "data": data, "network": network, **settings})
