"""Checking data sets: the copies and leaks that a test plants are the ones that are found."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emojify.training import check as checking
from emojify.training.check import check, load_to_check, mark_clean
from emojify.training.dataset import Dataset, load


@pytest.fixture
def data() -> Dataset:
    """Noise without any copies: 70 pictures in train, 14 in public, 14 in private, equally many of every class."""
    splits = np.array(["train"] * 70 + ["public"] * 14 + ["private"] * 14)
    smooth = np.random.default_rng(5).integers(0, 256, (98, 12, 12)).astype(np.uint8)
    return Dataset(
        images=smooth.repeat(4, axis=1).repeat(4, axis=2),
        labels=np.arange(98) % 7,
        splits=splits,
        files=np.array([f"{split}/{row}.png" for row, split in enumerate(splits)]),
        votes=np.zeros((98, 10), np.uint8),
        clean=None,
        name="noise",
    )


def copy(data: Dataset, source: int, target: int, change: int = 0) -> None:
    """Replace a picture by a copy of another one, with noise of that many gray levels."""
    noise = np.random.default_rng(1).integers(-change, change + 1, (48, 48))
    data.images[target] = np.clip(data.images[source].astype(int) + noise, 0, 255)


def test_check_reports_clean_data_as_clean(data: Dataset) -> None:
    report = check(data)
    assert report.counts["train"] == dict.fromkeys(report.counts["train"], 10)
    assert (report.duplicates, report.near_duplicates, report.blank, report.conflicting) == ([], [], [], 0)
    assert [(leak.exact, leak.near) for leak in report.leaks] == [(0, 0), (0, 0)]
    assert report.clean == {"public": 14, "private": 14}
    assert "no private picture is also in train" in str(report)


def test_check_finds_planted_copies(data: Dataset) -> None:
    copy(data, 3, 17)  # within train, same label
    copy(data, 4, 12)  # within train, another label
    copy(data, 5, 72)  # from train into public
    copy(data, 6, 90, change=20)  # nearly, from train into private
    copy(data, 75, 92)  # from public into private: no leak from train
    report = check(data)
    assert report.duplicates == [
        ["train/3.png", "train/17.png"],
        ["train/4.png", "train/12.png"],
        ["train/5.png", "public/72.png"],
        ["public/75.png", "private/92.png"],
    ]
    assert report.conflicting == 3
    assert report.near_duplicates == [("train/6.png", "private/90.png")]
    assert [(leak.split, leak.pictures, leak.exact, leak.near) for leak in report.leaks] == [
        ("public", 14, 1, 1),
        ("private", 14, 0, 1),
    ]
    assert report.clean == {"public": 13, "private": 13}
    assert "LEAK: 1 of 14 public pictures (7.1%) are also in train, 1 of them byte for byte" in str(report)


def test_check_finds_copies_across_blocks(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    copy(data, 2, 69, change=10)
    whole = check(data)
    monkeypatch.setattr(checking, "_BLOCK", 8)
    assert check(data) == whole
    assert whole.near_duplicates == [("train/2.png", "train/69.png")]


def test_check_names_blank_pictures_but_not_as_copies(data: Dataset) -> None:
    data.images[[1, 80, 81]] = np.array([90, 90, 120], np.uint8)[:, None, None]
    report = check(data)
    assert report.blank == ["train/1.png", "public/80.png", "public/81.png"]
    assert report.near_duplicates == []
    assert report.clean["public"] == 12


def test_mark_clean_excludes_pictures_voted_no_face(data: Dataset) -> None:
    data.votes[90, 9] = 8
    assert mark_clean(data).split("private", clean=True).files.tolist() == [
        f"private/{row}.png" for row in range(84, 98) if row != 90
    ]


def test_mark_clean_keeps_existing_marks(data: Dataset) -> None:
    given = replace(data, clean=np.zeros(98, np.bool_))
    assert mark_clean(given) is given


def test_split_clean_needs_marks(data: Dataset) -> None:
    with pytest.raises(ValueError, match="mark_clean"):
        data.split("public", clean=True)


def test_check_counts_skipped_and_converted_files(faces: Path) -> None:
    data = replace(load(faces), unreadable=("a.png",), converted=("b.png", "c.png"))
    report = check(data)
    assert (report.unreadable, report.converted) == (["a.png"], ["b.png", "c.png"])
    assert "1 can't be opened: a.png" in str(report)
    assert report.as_dict()["counts"]["train"]["happy"] == 20


def test_load_to_check_accepts_sets_that_lack_emotions(faces: Path, tmp_path: Path) -> None:
    assert load_to_check(faces)[1] == ""
    shutil.copytree(faces / "train" / "happy", tmp_path / "mine" / "happy")
    data, reason = load_to_check(tmp_path / "mine")
    assert len(data) == 20
    assert "has no pictures of: angry, disgusted" in reason
    assert check(data).counts["public"]["happy"] == 2
