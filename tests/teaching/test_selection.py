"""Diverse pictures and duplicates."""

import numpy as np

from emojify.teaching.selection import DUPLICATE_CORRELATION, find_duplicates, normalize, pick_diverse
from tests.helpers.recordings import noise


def test_pick_diverse_keeps_one_of_copies() -> None:
    frame = noise(1)
    many = np.repeat(frame, 30, axis=0)
    assert pick_diverse(many, 30) == [0]


def test_brightness_does_not_hide_duplicates() -> None:
    frame = noise(1) // 2 + 20
    assert find_duplicates(frame + 30, frame).all()
    assert len(pick_diverse(np.concatenate([frame, frame + 30]), 30)) == 1


def test_pick_diverse_keeps_order() -> None:
    assert pick_diverse(noise(1, 10), 30) == list(range(10))


def test_pick_diverse_prefers_most_different() -> None:
    frames = noise(2, 3)
    near = np.clip(frames[0].astype(int) + np.random.default_rng(0).normal(0, 20, (48, 48)), 0, 255).astype(np.uint8)
    picked = pick_diverse(np.stack([frames[0], near, frames[1], frames[2]]), 3)
    assert picked == [0, 2, 3]


def test_pick_diverse_returns_no_duplicates() -> None:
    moving = np.stack(
        [np.roll(np.tile(np.arange(0, 240, 5).astype(np.uint8), (48, 1)), step // 3, axis=1) for step in range(30)]
    )
    rows = normalize(moving[pick_diverse(moving, 30)])
    correlation = rows @ rows.T - 2 * np.eye(len(rows))
    assert correlation.max() < DUPLICATE_CORRELATION


def test_selection_accepts_empty_input() -> None:
    empty = np.zeros((0, 48, 48), np.uint8)
    assert pick_diverse(empty, 30) == []
    assert find_duplicates(empty, noise(1)).shape == (0,)
    assert not find_duplicates(noise(1), empty).any()
