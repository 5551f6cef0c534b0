"""A drawn face that moves through the seven emotions, in place of a camera."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache, lru_cache

import av
import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.packs.drawing.appearance import Background, Beard, Clothes, Earrings, Hair, HairColor, Hat, Person, Skin
from emojify.packs.drawing.expression import blend
from emojify.packs.drawing.person_renderer import PersonRenderer
from emojify.vision.annotators import overlay
from emojify.vision.readings import Image

FPS = 20
HOLD_S, CHANGE_S = 2.4, 0.6
"""How long each expression stays, and how long the change to the next one takes."""

# Chosen among some hundred drawn people: the detectors find each of its faces, and `compact` reads five of seven as
# they are meant (the disgusted one as angry, the neutral one as surprised).
_PERSON = Person(
    skin=Skin.BRONZE,
    hair=Hair.BUN,
    hair_color=HairColor.TEAL,
    hat=Hat.CAP,
    hat_color=Clothes.SKY,
    beard=Beard.GOATEE,
    earrings=Earrings.STUDS,
    clothes=Clothes.SLATE,
    background=Background.NONE,
)
_FACE_PX, _TOP_PX = 340, 80
_SIZE = (640, 480)
_BACKGROUND_BGR = (245, 245, 245)
_STEPS_PER_CHANGE = 6


def sample_frame(pts: int, time_base: Fraction) -> av.VideoFrame:
    """Return the frame of a time, as :func:`streamlit_webrtc.create_video_source_track` asks for it.

    Args:
        pts: the time in units of ``time_base``, which is in seconds.
    """
    return av.VideoFrame.from_ndarray(draw_frame(float(pts * time_base)), format="bgr24")


def draw_frame(time_s: float) -> Image:
    """Return the sample face at a time in seconds, (480, 640, 3) uint8 BGR."""
    width, height = _SIZE
    image = np.full((height, width, 3), _BACKGROUND_BGR, np.uint8)
    overlay(image, _draw_face(*_emotions_at(time_s)), (width - _FACE_PX) // 2, _TOP_PX)
    return np.ascontiguousarray(image[:, ::-1])  # live video is mirrored again; the face was chosen as it is shown then


def _emotions_at(time_s: float) -> tuple[Emotion, Emotion, int]:
    """Return the present and the next emotion, and how many steps of the change between them are done."""
    number, into_s = divmod(time_s, HOLD_S + CHANGE_S)
    emotions = list(Emotion)
    now, following = (emotions[(int(number) + offset) % len(emotions)] for offset in (Emotion.HAPPY, Emotion.HAPPY + 1))
    return now, following, max(0, math.ceil(_STEPS_PER_CHANGE * (into_s - HOLD_S) / CHANGE_S))


@lru_cache(maxsize=16)  # all sessions show the same drawings, 0.4 MB each
def _draw_face(now: Emotion, following: Emotion, step: int) -> NDArray[np.uint8]:
    """Return the drawn face in the format of :func:`~emojify.vision.annotators.overlay`."""
    weights = np.zeros(len(Emotion))
    weights[following] += step / _STEPS_PER_CHANGE
    weights[now] += 1 - step / _STEPS_PER_CHANGE
    drawing = _renderer().render(blend(weights))
    np.subtract(255, drawing[:, :, 3], out=drawing[:, :, 3])
    return drawing


@cache
def _renderer() -> PersonRenderer:
    return PersonRenderer(_PERSON, _FACE_PX)
