import pytest

from emojify.emotions import LABELS, Emotion, parse_emotion
from emojify.errors import EmojifyError


def test_emotions_are_in_order_of_network_outputs() -> None:
    assert LABELS == ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
    assert [emotion.value for emotion in Emotion] == list(range(7))


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("happy", Emotion.HAPPY),
        ("disgust", Emotion.DISGUSTED),  # FER-2013's folder
        ("fear", Emotion.FEARFUL),
        ("surprise", Emotion.SURPRISED),
        ("Anger", Emotion.ANGRY),  # FER+'s column
        ("happiness", Emotion.HAPPY),
        (" Sad\n", Emotion.SAD),
    ],
)
def test_parse_emotion_accepts_label_noun_and_case(name: str, emotion: Emotion) -> None:
    assert parse_emotion(name) is emotion


@pytest.mark.parametrize("name", ["", "joy", "happyy", "3"])
def test_parse_emotion_rejects_other_words(name: str) -> None:
    with pytest.raises(EmojifyError, match=r"is not an emotion.*angry, disgusted, fearful.*surprised"):
        parse_emotion(name)


def test_colors_and_symbols_are_distinct() -> None:
    assert len({emotion.color for emotion in Emotion}) == 7
    assert len({emotion.symbol for emotion in Emotion}) == 7
