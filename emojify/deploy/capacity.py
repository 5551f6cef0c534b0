"""How many sessions with live video an app process can serve at a full frame rate, measured on this machine."""

from __future__ import annotations

import math
import os
import time

import av

from emojify.bench.scene import draw_scene
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.models import ModelStore
from emojify.packs.store import list_packs
from emojify.settings import Settings
from emojify.vision.annotators import Sticker

FPS = 20
"""Frames per second that each session shall get."""

_SCENE_PACK, _STICKER_PACK = "person", "classic"
_SIZE = 640, 480
_WARM_UP_FRAMES, _FRAMES = 20, 60
# Receiving, decoding, encoding and sending a frame cost more than what is measured here. docs/benchmarks.md has the
# measurements behind both factors: times of a frame in the processor, per frame that a visitor receives.
_LOCKED_FACTOR = 2.7  # time in which a process serves one frame, since Python's lock lets one thread run at a time
_CPU_FACTOR = 4.0  # processor time, of all threads together


def count_sessions(frame_s: float, cores: int, processes: int) -> int:
    """Return how many sessions each of several equal processes can serve with :data:`FPS` frames per second.

    Args:
        frame_s: processor time of a frame in the video processor, in seconds.
        cores: processor cores of the machine.
        processes: app processes that share them.
    """
    lock_bound = 1 / (FPS * frame_s * _LOCKED_FACTOR)
    core_bound = cores / processes / (FPS * frame_s * _CPU_FACTOR)
    return max(1, math.floor(min(lock_bound, core_bound)))


def measure_frame_s(settings: Settings) -> float:
    """Return the processor time of a frame with one face, in seconds, with the live model. Takes about a second.

    Other processes on the machine change processor time little, so several may measure at once.

    Raises:
        EmojifyError: if the model or a pack is missing.
    """
    classifier = ModelStore(settings.models).open().classifier
    live = LiveSettings(classifier, Sticker(list_packs(settings.emojis).get(_STICKER_PACK).emoji))
    images = draw_scene(settings.emojis / _SCENE_PACK, *_SIZE, faces=1)
    now_s = 0.0
    processor = EmojiVideoProcessor(live, clock_s=lambda: now_s)
    began_s = 0.0
    for number in range(_WARM_UP_FRAMES + _FRAMES):
        if number == _WARM_UP_FRAMES:
            began_s = time.thread_time()
        now_s = number / FPS
        processor.process(av.VideoFrame.from_ndarray(images[number % len(images)], format="bgr24"))
    return (time.thread_time() - began_s) / _FRAMES


def measure_sessions(settings: Settings) -> int:
    """Return how many sessions this process can serve beside ``settings.processes`` - 1 others.

    Raises:
        EmojifyError: as :func:`measure_frame_s`.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return count_sessions(measure_frame_s(settings), cores, settings.processes)
