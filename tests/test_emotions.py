import pytest

from emojify.emotions import LABELS, Emotion, parse_emotion
from emojify.errors import EmojifyError


def test_the_order_is_that_of_the_networks_outputs() -> None:
    assert LABELS == ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
    assert [emotion.value for emotion in Emotion] == list(range(7))


@pytest.mark.parametrize(
    ("name", "emotion"),
    [
        ("happy", Emotion.HAPPY),
        ("disgust", Emotion.DISGUSTED),  # FER-2013's folder
        ("fear", Emotion.FEARFUL),
        ("surprise", Emotion.SURPRISED),
        (" Sad\n", Emotion.SAD),
    ],
)
def test_an_emotion_is_known_by_adjective_noun_and_any_case(name: str, emotion: Emotion) -> None:
    assert parse_emotion(name) is emotion


@pytest.mark.parametrize("name", ["", "joy", "happyy", "3"])
def test_another_word_is_refused_with_the_seven_that_exist(name: str) -> None:
    with pytest.raises(EmojifyError, match=r"is not an emotion.*angry, disgusted, fearful.*surprised"):
        parse_emotion(name)


def test_every_emotion_looks_different() -> None:
    assert len({emotion.color for emotion in Emotion}) == 7
    assert len({emotion.symbol for emotion in Emotion}) == 7
