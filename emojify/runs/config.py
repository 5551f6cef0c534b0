"""Every number of a fit, in one place. The defaults are the tutorial's recipe."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from emojify.errors import EmojifyError
from emojify.files import parse_json

_OLD_NAMES = {"crowd_head": "ferplus_head"}
"""Settings that older versions wrote to ``config.json`` under another name."""


@dataclass(frozen=True)
class FitConfig:
    """What a fit is asked to do.

    Raises:
        EmojifyError: on creation, for a value that can't be meant.
    """

    data: str
    network: str = "seed"
    added_data: str = ""  # a second data set, joined to the first split by split; empty: none
    begin_with: str = ""  # a file of weights of the same network to begin with; empty: random ones
    epochs: int = 50
    batch_size: int = 64
    pictures: int = 0  # train on at most so many, the same share of every emotion, for a quick taste; 0: all
    seed: int = 1  # fixes the first weights, the order of the pictures, dropout and augmentation
    precision: str = "float32"  # or "bfloat16": mixed, for CPUs with AVX512-BF16 and for GPUs; "auto": if they have it

    # Descent
    optimizer: str = "adam"  # or "sgd": Nesterov
    momentum: float = 0.9  # sgd only
    learning_rate: float = 1e-4
    schedule: str = "decay"  # learning_rate / (1 + decay * batches), the old Keras "decay"; or "cosine", down to 0
    decay: float = 1e-6  # schedule "decay" only; 0: constant
    warmup_epochs: float = 0.0  # schedule "cosine" only: a straight rise from 0
    # Keras takes learning_rate * weight_decay of a kernel off at every batch, beside the momentum. The papers' weight
    # decay goes through it: with momentum 0.9, their 5e-4 is 5e-3 here.
    weight_decay: float = 0.0
    average: float = 0.0  # per batch, e.g. 0.999: judge and keep a running average of the weights; 0: the weights

    # Targets
    label_smoothing: float = 0.0
    ferplus_weight: float = 0.0  # share of FER+'s votes in the target, 0 to 1; the rest is the label
    ferplus_head: float = 0.0  # weight of the loss of a second head, which learns the votes during the fit; 0: none
    class_balance: float = 0.0  # 1: every emotion weighs alike in the loss; 0: every picture does
    # Menon et al. 2020, "Long-tail learning via logit adjustment": adds this times log(class share) to the logits in
    # the loss, so that the network itself does not lean to what is frequent. 1 aims at macro recall.
    logit_adjustment: float = 0.0

    # Augmentation, in shares of the picture's side unless said otherwise; each picture draws anew in every epoch
    flip: bool = False  # left and right, half of the time
    shift: float = 0.0  # up to this much, each way
    rotation: float = 0.0  # up to this many degrees, each way
    scale: float = 0.0  # 0.1: from 10 % smaller to 10 % larger
    brightness: float = 0.0  # up to this share of 255, each way
    contrast: float = 0.0  # 0.3: from 30 % less to 30 % more
    lighting: float = 0.0  # a slope of light across the face: one edge brighter, the other darker by this share
    erase: float = 0.0  # chance of a random gray rectangle over 2 to 20 % of the picture (Zhong et al. 2017)
    mixup: float = 0.0  # alpha of Zhang et al. 2017; 0: none

    # Howard 2018, "Training ImageNet in 3 hours for 25 minutes": the first epochs see shrunken pictures, which cost
    # less than half (32 px: 4.5 ms of a core a picture instead of 8, network "residual").
    small_epochs: int = 0
    small_side: int = 32  # pixels; a multiple of 16, so that the stages halve it evenly

    # Stopping
    choose_by: str = "accuracy"  # on public; or "balanced": the mean of accuracy and macro recall
    patience: int = 0  # epochs without a new best before the fit ends early; 0: never

    def __post_init__(self) -> None:
        choices = {
            "precision": ("float32", "bfloat16", "auto"),
            "optimizer": ("adam", "sgd"),
            "schedule": ("decay", "cosine"),
            "choose_by": ("accuracy", "balanced"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise EmojifyError(f"{name} is {getattr(self, name)!r}; it must be {' or '.join(allowed)}.")
        limits = {
            "epochs": (1, 100_000),
            "batch_size": (1, 65_536),
            "pictures": (0, 10_000_000),
            "learning_rate": (1e-9, 100),
            "momentum": (0, 0.9999),
        }
        limits |= {"average": (0, 0.99999), "label_smoothing": (0, 0.9), "rotation": (0, 180), "mixup": (0, 10)}
        limits |= dict.fromkeys(("ferplus_weight", "class_balance", "shift", "brightness", "contrast"), (0, 1))
        limits |= {"lighting": (0, 1), "erase": (0, 1), "scale": (0, 0.9), "weight_decay": (0, 10), "decay": (0, 10)}
        limits |= {"logit_adjustment": (0, 5), "warmup_epochs": (0, 100_000), "patience": (0, 100_000)}
        limits |= {"small_epochs": (0, 100_000), "small_side": (16, 48), "ferplus_head": (0, 10)}
        limits |= {"seed": (0, 2_000_000)}  # batches draw from 1,000 of them an epoch, in 32 bits
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise EmojifyError(f"{name} is {getattr(self, name)}; it must lie between {low} and {high}.")
        if self.small_side % 16:
            raise EmojifyError(f"small_side is {self.small_side}; it must be a multiple of 16.")

    @classmethod
    def read(cls, run: Path) -> FitConfig:
        """The config of an old run. What it does not mention was not there yet, and is off.

        Raises:
            EmojifyError: if ``run`` is no run, or was made by a later version.
        """
        try:
            content: Any = parse_json((run / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EmojifyError(f"{run} is no training run: it has no readable config.json.") from error
        edited = f"{run / 'config.json'} was edited, and its settings make no sense any more."
        if not isinstance(content, dict):
            raise EmojifyError(edited)
        content = {_OLD_NAMES.get(name, name): value for name, value in content.items()}
        unknown = set(content) - {field.name for field in fields(cls)}
        if unknown:
            raise EmojifyError(f"{run} was made by another version of Emojify: it sets {', '.join(sorted(unknown))}.")
        try:
            config = cls(**content)
        except TypeError as error:  # text for a number
            raise EmojifyError(edited) from error
        if not (
            isinstance(config.data, str) and isinstance(config.added_data, str) and isinstance(config.network, str)
        ):
            raise EmojifyError(edited)
        return config


FLAGS = ("epochs", "batch_size", "learning_rate", "seed", "precision", "patience")
"""Settings that have a flag of their own on the command line; all others go through ``--set``."""

RECIPES: dict[str, dict[str, Any]] = {
    "seed": {},
    # What three shorter fits suggest (docs/experiments.md), not yet fitted in one go. Nesterov, cosine and strong
    # augmentation are what the papers on FER-2013 have in common (Pramerdorfer and Kampel 2016, Khaireddin and Chen
    # 2021).
    "residual": {
        "epochs": 120,
        "batch_size": 128,
        "precision": "auto",
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "schedule": "cosine",
        "warmup_epochs": 3.0,
        "weight_decay": 4e-3,
        "average": 0.999,
        "label_smoothing": 0.05,
        "ferplus_weight": 0.1,
        "ferplus_head": 0.5,
        "logit_adjustment": 0.8,
        "flip": True,
        "shift": 0.1,
        "rotation": 12.0,
        "scale": 0.15,
        "brightness": 0.15,
        "contrast": 0.3,
        "lighting": 0.2,
        "erase": 0.3,
        "choose_by": "balanced",
    },
}
"""What a network is trained with unless something else is asked for; what is not named is ``FitConfig``'s default."""
