"""Model cards: honest text about data, and tables for old and new cards."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emojify.settings import ROOT
from emojify.training.card import figure_entries, make_card, markdown_tables
from emojify.training.dataset import Dataset
from emojify.training.figures import Figures, measure

HAPPY, SAD = 3, 5


def dataset(name: str) -> Dataset:
    return Dataset(
        images=np.zeros((7, 48, 48), np.uint8),
        labels=np.arange(7),
        splits=np.array(["train"] * 7),
        files=np.array([f"{row}.png" for row in range(7)]),
        votes=np.zeros((7, 10), np.uint8),
        clean=None,
        name=name,
    )


def figures(*, votes: bool) -> Figures:
    """Figures of two pictures read as happy: one is labeled sad, and all raters see happy in both."""
    seen = np.zeros((2, 10), np.uint8)
    seen[:, HAPPY] = 10 if votes else 0
    return measure(np.eye(7, dtype=np.float32)[[HAPPY, HAPPY]], np.array([HAPPY, SAD]), seen)


def test_make_card_of_own_pictures_does_not_claim_fer2013() -> None:
    card = make_card({"id": "mine"}, dataset("holiday"), {}, {"private": figures(votes=False)})
    assert "FER" not in json.dumps(card)
    assert card["data"]["name"] == "holiday"
    assert "provided by the person who trained this model" in card["data"]["license"]
    assert any("only measured on pictures of this data set" in caveat for caveat in card["caveats"])


def test_make_card_of_joined_data_names_both_licenses() -> None:
    data = make_card({"id": "mine"}, dataset("FER-2013 and holiday"), {}, {"private": figures(votes=False)})["data"]
    assert "Nobody cleared the rights" in data["license"]
    assert "provided by the person who trained this model" in data["license"]


@pytest.mark.parametrize(("votes", "judged_by", "badly"), [(True, "FER+ majority", []), (False, "labels", ["sad"])])
def test_figure_entries_judge_by_votes_if_there_are_any(votes: bool, judged_by: str, badly: list[str]) -> None:
    entries = figure_entries({"public": figures(votes=votes), "private": figures(votes=votes)})
    assert (entries["judged_by"], entries["reads_well"], entries["reads_badly"]) == (judged_by, ["happy"], badly)
    assert ("FER+" in entries["figures_note"]) is votes


def test_markdown_tables_show_labels_and_votes() -> None:
    card = {"name": "Mine", **figure_entries({"private": figures(votes=True)})}
    lines = markdown_tables(card).splitlines()
    assert lines[0] == "### Mine"
    assert "| private | 2 | 50.0 % | 50.0 % | 0.50 | 2 | 100.0 % | 100.0 % | 0.00 | 0.00 |" in lines
    assert "| private, FER+ majority | - | - | - | 1.00 | - | - | - |" in lines
    assert "| private, labels | - | - | - | 1.00 | - | 0.00 | - |" in lines


def test_markdown_tables_read_cards_of_version_0_1_0() -> None:
    old = {"n": 3589, "accuracy": 0.711, "macro_recall": 0.713, "ferplus_n": 3137, "ferplus_accuracy": 0.719}
    text = markdown_tables({"id": "old", "figures": {"private": old | {"recall": {"happy": 0.88}}}})
    assert "| private | 3,589 | 71.1 % | 71.3 % | - | 3,137 | 71.9 % | - | - | - |" in text
    assert markdown_tables({"id": "none"}).startswith("### none")


@pytest.mark.parametrize("model", ["compact", "residual", "seed"])
def test_shipped_cards_have_all_figures(model: str) -> None:
    text = markdown_tables(json.loads((ROOT / "models" / model / "card.json").read_text(encoding="utf-8")))
    assert " - " not in text
    assert "private, clean, FER+ majority" in text
