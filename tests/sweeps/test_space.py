"""What a sweep may try."""

from __future__ import annotations

import pytest

from emojify.errors import EmojifyError
from emojify.sweeps.space import Choice, Range, check_space, parse_space


def test_ranges_choices_and_fixed_values_are_read() -> None:
    space = parse_space(["learning_rate=0.001..0.1", "ferplus_weight=0.5..1.0", "epochs=10..30", "optimizer=adam,sgd",
                         "flip=true,false", "batch_size=32"])  # fmt: skip
    assert space == {
        "learning_rate": Range(0.001, 0.1), "ferplus_weight": Range(0.5, 1.0), "epochs": Range(10, 30),
        "optimizer": Choice(("adam", "sgd")), "flip": Choice((True, False)), "batch_size": Choice((32,)),
    }  # fmt: skip


def test_wide_ranges_are_searched_by_order_of_magnitude() -> None:
    assert Range(0.001, 0.01).is_logarithmic
    assert not Range(0.5, 1.0).is_logarithmic
    assert not Range(0.0, 1.0).is_logarithmic


def test_whole_numbers_stay_whole() -> None:
    assert Range(1, 30).is_whole
    assert not Range(0.1, 0.9).is_whole


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("nope=1", "no setting 'nope'"),
        ("data=x.zip", "no setting 'data'"),
        ("learning_rate=0.1..0.01", "must be the lower one"),
        ("learning_rate=0.1..0.1", "must be the lower one"),
        ("learning_rate=a..b", "must be a number"),
        ("learning_rate=", "must be a number"),
        ("epochs=1.5", "must be a whole number"),
        ("flip=true..false", "is no number"),
        ("optimizer=adam..sgd", "is no number"),
    ],
)
def test_bad_setting_is_refused(setting: str, sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        parse_space([setting])


def test_setting_given_twice_is_refused() -> None:
    with pytest.raises(EmojifyError, match="set twice"):
        parse_space(["epochs=1", "epochs=2"])


@pytest.mark.parametrize("setting", ["ferplus_weight=0.5..1.5", "optimizer=adam,rms", "dim=0.1,0.99"])
def test_value_that_no_fit_can_have_is_refused(setting: str) -> None:
    with pytest.raises(EmojifyError, match="must"):
        check_space(parse_space([setting]), "faces", "seed")
