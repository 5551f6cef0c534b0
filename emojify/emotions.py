"""The seven emotions: their order, labels, folder names, colors and symbols. Every other module uses this one.

The order is alphabetical. It is the order of the network's outputs and of every array of probabilities.
"""

from enum import IntEnum

from emojify.errors import EmojifyError


class Emotion(IntEnum):
    """One of the seven classes of FER-2013. The value is the index of the network's output. ::

    emotion = Emotion(probabilities.argmax())
    print(emotion.label, emotion.symbol)
    """

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
    def color(self) -> str:
        """The color in charts and on labels: ``"#E69F00"``.

        The colors are from the palette of Okabe and Ito, which people with any of the common forms of color blindness
        can tell apart (Okabe and Ito 2008, "Color Universal Design"). Always show the label or the symbol as well.
        """
        return _COLORS[self]

    @property
    def symbol(self) -> str:
        """The emoji character shown next to the label."""
        return _SYMBOLS[self]


_COLORS = {
    Emotion.ANGRY: "#D55E00",
    Emotion.DISGUSTED: "#009E73",
    Emotion.FEARFUL: "#CC79A7",
    Emotion.HAPPY: "#E69F00",
    Emotion.NEUTRAL: "#8A8A8A",
    Emotion.SAD: "#0072B2",
    Emotion.SURPRISED: "#56B4E9",
}
_SYMBOLS = {
    Emotion.ANGRY: "😠",
    Emotion.DISGUSTED: "🤢",
    Emotion.FEARFUL: "😨",
    Emotion.HAPPY: "😄",
    Emotion.NEUTRAL: "😐",
    Emotion.SAD: "😢",
    Emotion.SURPRISED: "😮",
}

LABELS: tuple[str, ...] = tuple(emotion.label for emotion in Emotion)

# FER-2013 names three of its folders by the noun, FER+ all of its columns; people use both forms.
_NOUNS = {"disgust": "disgusted", "fear": "fearful", "surprise": "surprised"}
_NOUNS |= {"anger": "angry", "happiness": "happy", "sadness": "sad"}


def parse_emotion(name: str) -> Emotion:
    """Return the emotion called ``name``: a label or its noun, in upper or lower case.

    Raises:
        EmojifyError: if ``name`` is none of the seven.
    """
    label = name.strip().lower()
    label = _NOUNS.get(label, label)
    if label not in LABELS:
        raise EmojifyError(f"{name!r} is not an emotion. The seven are: {', '.join(LABELS)}.")
    return Emotion(LABELS.index(label))
