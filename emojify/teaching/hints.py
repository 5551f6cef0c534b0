"""What to record next: how a model reads the stored pictures, and which pictures are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emojify.emotions import Emotion
from emojify.teaching.samples import Sample
from emojify.vision.classifier import Classifier

MIN_PICTURES = 8  # of an emotion; less than half a recording
GOOD_ACCURACY = 0.8


@dataclass(frozen=True)
class ReadingStats:
    """How a model reads the pictures of one emotion.

    Attributes:
        pictures: number of pictures.
        accuracy: share of them that the model reads as the emotion, 0 to 1.
        confused_with: the emotion that most of the others are read as; None if there are no others.
    """

    pictures: int
    accuracy: float
    confused_with: Emotion | None


def read_pictures(samples: Sequence[Sample], classifier: Classifier) -> dict[Emotion, ReadingStats]:
    """Classify the pictures. Return the statistics of each emotion that has pictures.

    Raises:
        EmojifyError: if a picture is damaged.
    """
    confusion = np.zeros((len(Emotion), len(Emotion)), np.int64)  # by label, then by reading
    for sample in samples:
        crop = sample.cutout().crop(classifier.crop_margin)
        confusion[sample.emotion, int(classifier.classify(crop).argmax())] += 1
    stats = {}
    for emotion in Emotion:
        row = confusion[emotion].copy()
        pictures = int(row.sum())
        if pictures:
            accuracy = float(row[emotion] / pictures)
            row[emotion] = 0
            stats[emotion] = ReadingStats(pictures, accuracy, Emotion(int(row.argmax())) if row.any() else None)
    return stats


def advice(samples: Sequence[Sample]) -> list[str]:
    """Return sentences that say what to record before teaching; empty if nothing is missing."""
    recordings: dict[Emotion, set[str]] = {}
    pictures: dict[Emotion, int] = {}
    for sample in samples:
        recordings.setdefault(sample.emotion, set()).add(sample.recording)
        pictures[sample.emotion] = pictures.get(sample.emotion, 0) + 1
    sentences = [
        f"There are only {number} pictures of {emotion.label}: record some more."
        if number > 1
        else f"There is only one picture of {emotion.label}: record some more."
        for emotion, number in pictures.items()
        if number < MIN_PICTURES
    ]
    missing = [emotion for emotion in Emotion if emotion not in pictures]
    if pictures and missing:
        taught = next(iter(pictures)).label if len(pictures) == 1 else "one that you record"
        ask = "Record the other faces that you use as well"
        if Emotion.NEUTRAL in missing:
            ask = "Record neutral as well, and the other faces that you use"
        sentences.append(f"{ask}: those that you leave out may be taken for {taught}.")
    single = [emotion.label for emotion in Emotion if len(recordings.get(emotion, ())) == 1]
    if single:
        sentences.append(
            f"Recorded once: {', '.join(single)}. Record a second time, perhaps in another light: one recording is "
            "then held out to measure the accuracy."
        )
    return sentences
