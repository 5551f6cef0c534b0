"""Training a branch: it learns the person, keeps other people, and is dropped if it learned nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emojify.teaching import fit as module
from emojify.teaching.fit import MAX_TOTAL_VERSIONS, REHEARSAL_WEIGHTS, accuracy, augment, fit
from emojify.teaching.head import Branch, Head
from emojify.teaching.rehearsal import TEST, TRAIN, VALIDATION, Bank
from tests.helpers.recordings import noise

pytestmark = pytest.mark.slow

WIDTH = 40


@pytest.fixture(scope="module")
def head() -> Head:
    """A head whose logits are the first seven of the forty features."""
    return Head(np.eye(WIDTH, 7, dtype=np.float32) * 3, np.zeros(7, np.float32))


@pytest.fixture(scope="module")
def bank(head: Head) -> Bank:
    """Faces of other people, four in five of which the head reads right. Their last ten features are nearly 0."""
    rng = np.random.default_rng(0)
    labels = np.arange(700) % 7
    features = np.abs(rng.normal(0, 0.3, (700, WIDTH)))
    features[:, 30:] *= 0.05
    features[np.arange(700), labels] += 1
    noisy = np.where(rng.random(700) < 0.2, (labels + 1) % 7, labels)
    return Bank(features.astype(np.float32), noisy, np.resize(np.array([TRAIN, VALIDATION, TEST], np.uint8), 700))


def person(seed: int, quirk: int = 3, number: int = 140) -> tuple[np.ndarray, np.ndarray]:
    """Return features and labels of a person.

    Each of their emotions looks like another one, ``quirk`` further. Their last features are not 0.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(number) % 7
    features = np.abs(rng.normal(0, 0.2, (number, WIDTH)))
    features[np.arange(number), (labels + quirk) % 7] += 1
    features[np.arange(number), 30 + labels] += 0.8
    return features.astype(np.float32), labels


def test_fit_learns_person_and_keeps_others(head: Head, bank: Bank) -> None:
    taught = fit(head, *person(1), bank)
    later = person(2)
    assert accuracy(head, *later) < 0.1
    assert accuracy(taught.head, *later) > 0.85
    assert accuracy(taught.head, *bank.split(TEST)) >= accuracy(head, *bank.split(TEST)) - 0.02
    assert taught.accuracy_loss <= 1 / 233


def test_fit_learns_single_emotion(head: Head, bank: Bank) -> None:
    features, labels = person(1, number=420)
    only = labels == 0
    taught = fit(head, features[only], labels[only], bank)
    later, truth = person(2)
    assert accuracy(taught.head, later[truth == 0], truth[truth == 0]) > 0.95


def test_fit_rejects_branch_that_forgets_others(head: Head, bank: Bank) -> None:
    features, labels = bank.split(VALIDATION)
    wrong = (labels + 3) % 7  # other people's faces with wrong labels
    taught = fit(head, np.repeat(features, 3, axis=0), np.repeat(wrong, 3), bank)
    after = accuracy(taught.head, *bank.split(VALIDATION))
    assert after >= accuracy(head, *bank.split(VALIDATION)) - 0.005
    if not np.isfinite(taught.rehearsal):
        assert taught.head is head


def test_fit_is_invariant_to_feature_scale(head: Head, bank: Bank) -> None:
    features, labels = person(1)
    large = Head(head.kernel / np.float32(100), head.bias)
    scaled = Bank(bank.features * np.float32(100), bank.labels, bank.splits)
    first, second = fit(head, features, labels, bank), fit(large, features * 100, labels, scaled)
    assert first.rehearsal == second.rehearsal
    assert first.head.branch is not None
    assert second.head.branch is not None
    np.testing.assert_allclose(first.head.branch.inner, second.head.branch.inner * 100, atol=1e-3)
    np.testing.assert_allclose(first.head.branch.outer, second.head.branch.outer, atol=1e-3)


def test_fit_is_deterministic(head: Head, bank: Bank) -> None:
    first, second = (fit(head, *person(1), bank).head.branch for _ in range(2))
    assert first is not None
    assert second is not None
    assert np.array_equal(first.inner, second.inner)
    assert np.array_equal(first.outer, second.outer)


def test_fit_keeps_layer_and_float32(head: Head, bank: Bank) -> None:
    taught = fit(head, *person(1), bank)
    assert np.array_equal(taught.head.kernel, head.kernel)
    assert np.array_equal(taught.head.bias, head.bias)
    branch = taught.head.branch
    assert branch is not None
    assert {part.dtype for part in (branch.inner, branch.bias, branch.outer)} == {np.dtype(np.float32)}
    assert taught.head.logits(person(2)[0]).dtype == np.float32


def test_branch_is_active_for_person_only(head: Head, bank: Bank) -> None:
    branch = fit(head, *person(1), bank).head.branch
    assert branch is not None

    def effect(features: np.ndarray) -> float:
        return float(np.abs(branch.logits(features)).max(axis=1).mean())

    assert effect(person(2)[0]) > 5 * effect(bank.split(TEST)[0])


@pytest.mark.parametrize("harm", ["dead", "NaN", "inverted"])
def test_fit_discards_branch_that_did_not_learn(
    head: Head, bank: Bank, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_branch = module._train_branch

    def broken(*arguments: Any) -> Branch:
        branch = train_branch(*arguments)
        factor = {"dead": 0, "NaN": np.nan, "inverted": -1}[harm]
        return replace(branch, outer=branch.outer * np.float32(factor))

    monkeypatch.setattr(module, "_train_branch", broken)
    taught = fit(head, *person(1), bank)
    assert taught.head is head
    assert taught.rehearsal == np.inf


def test_fit_accepts_correctly_read_pictures(head: Head, bank: Bank) -> None:
    features, labels = bank.split(TEST)
    correct = head.logits(features).argmax(axis=1) == labels
    assert np.isfinite(fit(head, features[correct], labels[correct], bank).rehearsal)


def test_fit_progress_is_increasing(head: Head, bank: Bank) -> None:
    shares: list[float] = []
    fit(head, *person(1), bank, shares.append)
    assert shares == sorted(shares)
    assert 0 < len(shares) <= len(REHEARSAL_WEIGHTS)


@pytest.mark.parametrize("number", [1, 10, 400, 2000])
def test_augment_keeps_originals_and_limits_total(number: int) -> None:
    crops = noise(1, number)
    versions, rows = augment(crops)
    assert np.array_equal(versions[:number], crops)
    assert np.array_equal(rows[number : 2 * number], np.arange(number))
    difference = np.abs(versions[number:].astype(int) - crops[rows[number:]]).mean(axis=(1, 2))
    assert (difference > 1).all()  # no version equals its crop
    assert len(versions) == len(rows) <= max(2 * number, MAX_TOTAL_VERSIONS)
    assert (versions.dtype, versions.shape[1:]) == (np.uint8, (48, 48))
    again, _ = augment(crops)
    assert np.array_equal(versions, again)
