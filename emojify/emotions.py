"""The seven emotions: their order, labels, folder and file names, colors. Said here and nowhere else.

The order is alphabetical; it is the order of the network's outputs and of every array of probabilities.
"""

from dataclasses import dataclass
from enum import IntEnum

from emojify.errors import EmojifyError


class Emotion(IntEnum):
    """One of the seven classes of FER-2013. The value is the index of the network's output."""

    ANGRY = 0
    DISGUSTED = 1
    FEARFUL = 2
    HAPPY = 3
    NEUTRAL = 4
    SAD = 5
    SURPRISED = 6

    @property
    def label(self) -> str:
        """The name used in every output, file name and page: ``"happy"``."""
        return self.name.lower()

    @property
    def look(self) -> "Look":
        return _LOOKS[self]


@dataclass(frozen=True)
class Look:
    """How an emotion is shown in text and charts.

    ``color`` is from Okabe and Ito's palette, which people with any of the common forms of color
    blindness tell apart (Okabe and Ito 2008, "Color Universal Design"). Never the only sign: the
    label or the symbol always stands beside it.
    """

    color: str
    symbol: str


_LOOKS = {
    Emotion.ANGRY: Look("#D55E00", "😠"),
    Emotion.DISGUSTED: Look("#009E73", "🤢"),
    Emotion.FEARFUL: Look("#CC79A7", "😨"),
    Emotion.HAPPY: Look("#E69F00", "😄"),
    Emotion.NEUTRAL: Look("#8A8A8A", "😐"),
    Emotion.SAD: Look("#0072B2", "😢"),
    Emotion.SURPRISED: Look("#56B4E9", "😮"),
}

LABELS: tuple[str, ...] = tuple(emotion.label for emotion in Emotion)

# FER-2013's folders are called by the noun, ours by the adjective; people mix them freely.
_NOUNS = {"disgust": "disgusted", "fear": "fearful", "surprise": "surprised"}


def parse_emotion(name: str) -> Emotion:
    """The emotion called ``name``, in any case, by adjective or by FER-2013's noun.

    Raises:
        EmojifyError: if it is none of the seven.
    """
    label = name.strip().lower()
    label = _NOUNS.get(label, label)
    if label not in LABELS:
        raise EmojifyError(f"{name!r} is not an emotion. The seven are: {', '.join(LABELS)}.")
    return Emotion(LABELS.index(label))
