"""Sentences, labels and tables of the training page, made without Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from emojify.printable import printable
from emojify.runs.config import FitConfig
from emojify.runs.run import Run

FIT_HELP = (
    "A fit trains a network on a data set: it shows the network all training pictures again and again. "
    "One pass over all pictures is an epoch."
)
SPLITS_HELP = (
    "The network learns from the **train** pictures. The **public** pictures choose its best epoch. "
    "The **private** pictures are used once, to measure the finished model."
)
FIGURE_TITLES = {"private": "Private", "private_clean": "Private, without copies", "public": "Public"}
"""What the accuracies on a model's card are called, by their key in the card."""
FIGURES_HELP = (
    "The share of pictures that the model gets right. **Private**: pictures that played no part in training. "
    "**Without copies**: the private pictures that are not also among the training pictures, nearly or exactly. "
    "**Public**: pictures that chose the best epoch, so this figure is a little too high."
)
CONFUSION_HELP = (
    "Each row is a label, each column an answer of the network. A perfect network has 100% on the diagonal; "
    "every other cell shows the share of a label's pictures that it mistakes for another emotion."
)
SETTINGS_HELP = {
    "epochs": "How many times the network sees all training pictures.",
    "batch_size": "How many pictures the network sees before it changes its weights.",
    "pictures": "Train on at most this many pictures, with the same share of each emotion. 0: all.",
    "drop_no_face": "Leave out training pictures that are blank or that people marked as not a face.",
    "drop_copies": "Leave out training pictures that are nearly the same as a public or private one.",
    "seed": "Fixes everything random, so that the same fit can be repeated.",
    "precision": "bfloat16 calculates with fewer digits: faster on processors that support it. auto: if they do.",
    "optimizer": "How the weights are changed: adam adapts its step size, sgd is plain descent with momentum.",
    "momentum": "Only for sgd: the share of the previous step that is added to the next one.",
    "learning_rate": "The size of a step. Too large: the loss jumps. Too small: it hardly falls.",
    "schedule": "How the learning rate falls: decay divides it a little more after each batch, cosine lowers it to 0.",
    "decay": "Only for the schedule decay: how quickly the learning rate falls. 0: not at all.",
    "warmup_epochs": "Only for the schedule cosine: the learning rate rises from 0 over this many epochs.",
    "weight_decay": "Pulls the weights toward 0, to prevent memorizing the pictures.",
    "average": "Measure and keep a running average of the weights, for example 0.999 per batch. 0: off.",
    "label_smoothing": "The share of a target that is spread over the other emotions. It makes the network less sure.",
    "ferplus_weight": "The share of the FER+ votes in a target; the rest is the label.",
    "ferplus_head": "Weight of a second output that learns the FER+ votes during the fit only. 0: none.",
    "class_balance": "1: every emotion counts the same. 0: every picture counts the same.",
    "logit_adjustment": "Makes up for rare emotions. At 1 the network answers as if all emotions were equally common.",
    "flip": "Mirror half of the pictures.",
    "shift": "Move pictures at random, up to this share of their width.",
    "rotation": "Turn pictures at random, up to this many degrees.",
    "scale": "Shrink or enlarge pictures at random, up to this share.",
    "brightness": "Make pictures darker or brighter at random, up to this share.",
    "contrast": "Change the contrast at random, up to this share.",
    "lighting": "Darken one side of the face and brighten the other at random, up to this share.",
    "dim": "Take away light at random, up to this share.",
    "gamma": "Change the gamma curve at random. 0.5: exponents from 1 / 1.5 to 1.5.",
    "blur": "Blur pictures at random, up to this many pixels.",
    "low_resolution": "Probability that a picture loses resolution, down to a third.",
    "noise": "Add noise at random, up to this share of full brightness.",
    "jpeg": "Probability of strong JPEG compression.",
    "erase": "Probability of a gray rectangle over a part of the picture.",
    "mixup": "Blend pairs of pictures and their labels; larger values blend more. 0: off.",
    "cutmix": "Probability that a rectangle of another picture is pasted in; the labels are mixed by its area.",
    "small_epochs": "The first epochs that use shrunken pictures, which takes less than half the time.",
    "small_side": "Width of the shrunken pictures in pixels.",
    "choose_by": "What makes an epoch the best: accuracy, the mean of accuracy and macro recall (balanced), or "
    "the FER+ votes with the same weight for every emotion (ferplus).",
    "patience": "Stop when this many epochs in a row bring no improvement. 0: never.",
}
"""A short help for the settings of a fit, by field of :class:`~emojify.runs.config.FitConfig`."""


def run_label(run: Run) -> str:
    """Return a line of printable text about a run, for menus."""
    run_id = printable(run.id)
    if run.config is None or run.state.has_process:  # the page shows the progress of a running fit below the menu
        return f"{run_id} · {run.state.value}"
    accuracy = f" · {run.best_accuracy:.1%}" if run.best_accuracy is not None else ""
    return f"{run_id} · {run.state.value} · {run.epochs_done} of {run.config.epochs} epochs{accuracy}"


def file_kind(path: Path) -> str:
    """Return "folder", or size and type of a file: "12 MB zip"."""
    if path.is_dir():
        return "folder"
    kind = path.suffix[1:].lower()
    try:
        megabytes = path.stat().st_size / 1e6
    except OSError:  # deleted meanwhile
        return kind
    return f"{megabytes:,.{0 if megabytes >= 10 else 1}f} MB {kind}"


def findings(report: Mapping[str, Any]) -> list[str]:
    """Return sentences about a checked data set: copies between its splits, duplicates, unreadable files.

    Args:
        report: the ``report.json`` of a check, see :mod:`emojify.training.check`.
    """
    # The reports of older versions have no notes.
    lines = [*report.get("notes", ()), *(_leak_sentence(leak) for leak in report["leaks"])]
    if report.get("only_to_add"):
        lines.insert(0, f"{report['only_to_add']} It can be added to another data set under Train.")
    copies, near = report["duplicates"]["n"], report["near_duplicates"]["n"]
    conflicting = f"; {report['conflicting']:,} of these groups have different labels" if report["conflicting"] else ""
    lines.append(f"{copies:,} groups of pictures are identical{conflicting}. {near:,} more pairs are nearly identical.")
    for key, description in (
        ("unreadable", "can't be opened and are left out"),
        ("blank", "are blank"),
        ("converted", "were not 48x48 and gray; they are converted"),
        ("without_face", "show no face that the detector finds; they are left out"),
    ):
        found = report.get(key) or {"n": 0}  # the reports of older versions lack a key
        if found["n"]:
            examples = ", ".join(map(str, found["files"][:3]))
            lines.append(f"{found['n']:,} pictures {description}, for example {examples}.")
    if report["voted"]:
        lines.append(f"{report['voted']:,} pictures have FER+ votes: what ten people saw in them.")
    return lines


def _leak_sentence(leak: Mapping[str, Any]) -> str:
    if not leak["near"]:
        return f"No {leak['split']} picture is also in train. That is good."
    share = leak["near"] / max(leak["pictures"], 1)
    return (
        f"{leak['near']:,} of {leak['pictures']:,} {leak['split']} pictures ({share:.0%}) are also in train, "
        f"{leak['exact']:,} of them pixel for pixel. A model has seen their answers, so the figures "
        '"without copies" leave them out.'
    )


_JUDGED_BY = {
    "FER+ majority": "what more than half of ten people saw in each picture",
    "labels": "the data set's own labels",
}


def card_lines(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return title and text of each line of a model's card that has a text."""
    data: Any = card.get("data")
    data = data if isinstance(data, dict) else {}
    lines = [
        ("Network", card.get("network")),
        ("Made", card.get("created")),
        ("Trained on", data.get("name")),
        ("Compared with", _JUDGED_BY.get(str(card.get("judged_by")), "")),
        ("Good at", ", ".join(map(str, card.get("reads_well") or []))),
        ("Weak at", ", ".join(map(str, card.get("reads_badly") or []))),
        ("Copies between train and test", data.get("leak")),
        ("License", data.get("license") or data.get("licence")),
    ]
    return [(title, str(text)) for title, text in lines if text]


def history_row(run: Run) -> dict[str, Any]:
    """Return the row of a run in the table of all runs."""
    return {
        "run": printable(run.id),
        "state": run.state.value,
        "started": _started_at(run),
        "network": run.config.network if run.config else "",
        "data": printable(run.data_name),
        "epochs": run.epochs_done,
        "of": run.config.epochs if run.config else None,
        "best epoch": run.best_epoch or None,
        "accuracy": None if run.best_accuracy is None else 100 * run.best_accuracy,
        "macro recall": None if run.best_recall is None else 100 * run.best_recall,
    }


def _started_at(run: Run) -> datetime | None:
    try:
        return datetime.fromtimestamp((run.folder / "config.json").stat().st_mtime)
    except OSError:
        return None


def setting_differences(configs: Sequence[tuple[str, FitConfig]]) -> dict[str, list[str]]:
    """Return the columns of a table of the settings in which fits differ: their names, then one column per fit.

    Args:
        configs: id and settings of each fit, at least one.

    Returns:
        Empty if all settings are equal.
    """
    settings = {run_id: asdict(config) for run_id, config in configs}
    names = list(next(iter(settings.values())))
    different = [name for name in names if len({str(values[name]) for values in settings.values()}) > 1]
    if not different:
        return {}
    columns = {run_id: [str(values[name]) for name in different] for run_id, values in settings.items()}
    return {"setting": [name.replace("_", " ") for name in different], **columns}


def percent(value: object) -> str:
    """Return a share as a percentage with one decimal, or a dash if it is not a number."""
    return f"{value:.1%}" if isinstance(value, (int, float)) else "–"
