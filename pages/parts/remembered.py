"""Choices of the live page that the browser remembers."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import streamlit as st

from emojify.vision.annotators import STYLES
from emojify.vision.detectors.haar import Method
from emojify.vision.placement import MAX_RISE, MAX_SIZE, MIN_SIZE
from pages.parts.browser_storage import parse_text, request_text, store_text
from pages.parts.live_controls import MAX_THRESHOLD, MAX_TIME_CONSTANT_S

STORED_AS = "emojify-choices"


def _is_between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "style": lambda value: value in STYLES,
    "mirror": lambda value: isinstance(value, bool),
    "per_person": lambda value: isinstance(value, bool),
    "size": _is_between(MIN_SIZE, MAX_SIZE),
    "rise": _is_between(-MAX_RISE, MAX_RISE),
    "smoothing": _is_between(0, MAX_TIME_CONSTANT_S),
    "threshold": _is_between(0, MAX_THRESHOLD),
    "detector": lambda value: value in [method.value for method in Method],
    "scale_factor": _is_between(1.05, 1.5),
    "min_neighbors": lambda value: isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10,
}
"""The remembered widgets by their key, besides the pack, and what may be stored for each."""


def has_restored_choices() -> bool:
    """Return True once this session knows what the browser has stored."""
    return bool(st.session_state.get("choices_restored"))


def restore_choices(packs: Collection[str]) -> None:
    """Ask the browser for its choices. The page runs again with them, and shows its widgets only then.

    Args:
        packs: the ids of the packs that can be chosen.
    """
    request_text(STORED_AS, lambda stored: restore(stored, packs))


def remember_choices() -> None:
    """Store the choices in the browser."""
    store_text(STORED_AS, json.dumps({key: st.session_state.get(key) for key in ("pack", *_CHECKS)}))


def restore(stored: object, packs: Collection[str]) -> None:
    """Choose what the browser has stored. Choices in the page's address are kept."""
    st.session_state.choices_restored = True
    for key, value in read_choices(stored, packs).items():
        if key not in st.query_params:
            st.session_state[key] = value
            if key == "style":
                st.session_state.style_restored = True  # its widget must get no default then


def read_choices(stored: object, packs: Collection[str]) -> dict[str, Any]:
    """Return the valid ones of the stored choices.

    Args:
        stored: JSON text, if nobody has changed it.
        packs: the ids of the packs that can be chosen.
    """
    values = parse_text(stored)
    if not isinstance(values, dict):
        return {}
    checks = _CHECKS | {"pack": lambda value: value in packs}
    valid = {
        key: values[key]
        for key, is_valid in checks.items()
        if isinstance(values.get(key), (str, int, float, bool)) and is_valid(values[key])
    }
    if "detector" in valid:
        valid["detector"] = Method(valid["detector"])
    return valid
