import numpy as np
import pytest

from emojify.emotions import Emotion
from emojify.video.outcome import RenderStyle
from emojify.vision.annotators import StaticEmoji, Sticker
from emojify.vision.classifier import Classifier
from tests.helpers.sample_videos import COLORS


@pytest.fixture
def stills() -> StaticEmoji:
    return StaticEmoji({emotion: np.full((64, 64, 4), (*COLORS[emotion], 255), np.uint8) for emotion in Emotion})


@pytest.fixture
def style(classifier: Classifier, stills: StaticEmoji) -> RenderStyle:
    return RenderStyle(classifier, Sticker(stills))
