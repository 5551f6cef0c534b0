"""A model's card: what it is, what it was trained on, what it reads well and badly, and for whom it may fail."""

from __future__ import annotations

from typing import Any

from emojify.training.dataset import Dataset
from emojify.training.evaluate import Figures

READS_WELL = 0.75
READS_BADLY = 0.50
"""Recall on private from which an emotion counts as read well, and below which as read badly."""

_FER2013 = "FER-2013"

_LICENSE = {
    _FER2013: "FER-2013 was gathered from image searches for a contest in 2013 and is handed round for research. "
    "Nobody cleared the rights of its pictures one by one; none of them is part of this project."
}
_LEAK = {
    _FER2013: "The official split leaks: about 8 % of the public and private pictures copy a training picture. "
    "'private' is what papers quote; 'private_clean' leaves out copies, blanks and pictures that show no face."
}
_CAVEATS = {
    _FER2013: [
        "The labels are noisy: people agree with them on about 65 % of the pictures (Goodfellow et al. 2013).",
        "The pictures are from web searches. Nobody recorded skin tone or age; most seem to show light-skinned adults.",
        "How well it reads darker skin, children, the old, or covered faces was not measured: expect more mistakes.",
    ]
}
_OWN_DATA = "Pictures given by whoever trained this model; their rights and terms are theirs to know."
_ALWAYS = [
    "It reads what a face shows, not what a person feels. It is a toy: use it for no decision about anyone.",
]


def make_card(
    *,
    model_id: str,
    name: str,
    network: str,
    parameters: int,
    created: str,
    tflite: dict[str, Any],
    weights: dict[str, Any],
    rehearsal: dict[str, Any],
    emotions: list[str],
    crop_margin: float,
    data: Dataset,
    recipe: dict[str, Any],
    figures: dict[str, Figures],
) -> dict[str, Any]:
    """The content of ``card.json``. What is read well and badly follows from the recall on the last of ``figures``'
    splits that is not cleaned: private where there is one."""
    judged = figures.get("private") or figures["public"]
    recall = {label: value for label, value in judged.recall.items() if value is not None}
    return {
        "id": model_id,
        "name": name,
        "network": network,
        "parameters": parameters,
        "created": created,
        "tflite": tflite,
        "weights": weights,
        "rehearsal": rehearsal,
        "emotions": emotions,
        "crop_margin": crop_margin,
        "data": {
            "name": data.name,
            "train_n": len(data.split("train")),
            "leak": _LEAK.get(data.name, "Pictures with a near copy in train are left out of the clean figures."),
            "license": _LICENSE.get(data.name, _OWN_DATA),
        },
        "recipe": recipe,
        "figures": {split: split_figures.as_dict() for split, split_figures in figures.items()},
        "reads_well": [label for label, value in recall.items() if value >= READS_WELL],
        "reads_badly": [label for label, value in recall.items() if value < READS_BADLY],
        "caveats": _CAVEATS.get(data.name, []) + _ALWAYS,
    }
