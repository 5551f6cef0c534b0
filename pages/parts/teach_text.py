"""Sentences and tables of the teaching page, made without Streamlit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from emojify.emotions import Emotion, parse_emotion
from emojify.teaching.hints import GOOD_ACCURACY, ReadingStats


def count_pictures(number: int) -> str:
    """Return "1 picture", "2 pictures" and so on."""
    return "1 picture" if number == 1 else f"{number} pictures"


def count_recordings(number: int) -> str:
    """Return "1 recording", "2 recordings" and so on."""
    return "1 recording" if number == 1 else f"{number} recordings"


def accuracy_sentence(stats: ReadingStats) -> str:
    """Return how the model reads the pictures of one emotion, as a sentence."""
    if stats.confused_with is None:
        return "It gets all of these right."
    if stats.accuracy >= GOOD_ACCURACY:
        return f"It gets {stats.accuracy:.0%} of these right."
    share = f"{stats.accuracy:.0%}" if stats.accuracy > 0 else "none"
    return f"It gets {share} of these right and mostly sees {stats.confused_with.label} instead."


def recording_time(recording: str) -> str:
    """Return when a recording was made, from its folder's name; the name itself if a person chose it."""
    try:
        return f"{datetime.strptime(recording[:15], '%Y%m%d-%H%M%S'):%d %B, %H:%M}"
    except ValueError:
        return recording


def comparison_table(result: dict[str, Any]) -> str:
    """Return a Markdown table of the accuracies before and after teaching.

    Args:
        result: as :func:`emojify.teaching.teach.teach` returns it: ``own`` (None if it could not be measured) and
            ``others``, each with ``n``, ``before`` and ``after``.
    """
    lines = ["| | pictures | before | after |", "|---|--:|--:|--:|"]
    if own := result["own"]:
        lines.append(_row("**You**, held-out recordings", own, ".0%"))
        for label, accuracies in own["emotions"].items():
            lines.append(_row(f"{parse_emotion(label).symbol} {label}", accuracies, ".0%"))
    lines.append(_row("**Everyone else**, held-out faces", result["others"], ".1%"))
    return "\n".join(lines)


def _row(name: str, accuracies: dict[str, Any], number_format: str) -> str:
    before, after = (f"{accuracies[key]:{number_format}}" for key in ("before", "after"))
    return f"| {name} | {accuracies['n']} | {before} | {after} |"


def emotion_option(emotion: Emotion, pictures: int) -> str:
    """Return the label of an emotion in the choice of what to record, with its number of pictures."""
    return f"{emotion.symbol} {emotion.label}" + (f" · {pictures}" if pictures else "")
