"""What a sweep may try: settings that vary, and the values of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emojify.errors import EmojifyError
from emojify.runs.config import default_config
from emojify.training.fit_cli import parse_setting

LOG_RATIO = 10.0
"""A range whose upper end is at least this many times its lower one is searched by order of magnitude."""


@dataclass(frozen=True)
class Range:
    """All values from ``low`` to ``high``, both included; whole numbers if both are."""

    low: float
    high: float

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int)

    @property
    def is_logarithmic(self) -> bool:
        return self.low > 0 and self.high / self.low >= LOG_RATIO

    @property
    def ends(self) -> tuple[Any, ...]:
        return self.low, self.high


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        return self.values


Domain = Range | Choice


def parse_space(settings: Sequence[str]) -> dict[str, Domain]:
    """Return the values to try of each setting; a choice of one value where it is fixed.

    Args:
        settings: ``NAME=LOW..HIGH`` for a range, ``NAME=A,B,C`` for a choice, ``NAME=VALUE`` for a fixed value.

    Raises:
        EmojifyError: if a setting is unknown, given twice, or has no valid value.
    """
    space: dict[str, Domain] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name in space:
            raise EmojifyError(f"{name} is set twice.")
        space[name] = _parse_domain(name, text)
    return space


def check_space(space: dict[str, Domain], data: str, network: str) -> None:
    """Refuse a space with a value that no fit can have.

    Raises:
        EmojifyError: if a value is outside of its limits.
    """
    for name, domain in space.items():
        for value in domain.ends:
            default_config(data, network, **{name: value})


def _parse_domain(name: str, text: str) -> Domain:
    low, dots, high = text.partition("..")
    if not dots:
        return Choice(tuple(dict.fromkeys(parse_setting(name, value) for value in text.split(","))))
    first, last = parse_setting(name, low), parse_setting(name, high)
    if isinstance(first, (bool, str)) or isinstance(last, (bool, str)):
        raise EmojifyError(f"{name} is no number: give its values as {name}=A,B.")
    if first >= last:
        raise EmojifyError(f"{name}={text}: the first number of a range must be the lower one.")
    return Range(first, last)
