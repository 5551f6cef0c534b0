"""Measure the time of drawing a live avatar. Print figures; assert nothing.

python -m benchmarks.avatar
"""

from __future__ import annotations

import itertools
import time

import numpy as np
from numpy.typing import NDArray

from emojify.emotions import Emotion
from emojify.packs.avatar import AnimatedAvatar, Avatar
from emojify.packs.drawing.appearance import Person
from emojify.vision.readings import Box, Face, Reading

SIZE_PX = 256
FRAMES_PER_CHANGE = 30  # one second from one expression to the next
WARM_UP_FRAMES = 40


def measure(name: str, avatar: AnimatedAvatar, blends: NDArray[np.float64]) -> None:
    costs_ms = []
    for blend in blends.astype(np.float32):
        reading = Reading(Face(Box(0, 0, 100, 100), 1), blend, Emotion(int(blend.argmax())), sure=True)
        started_s = time.thread_time()
        avatar.picture(reading, SIZE_PX)
        costs_ms.append((time.thread_time() - started_s) * 1000)
    p50, p90 = np.percentile(costs_ms, [50, 90])
    print(f"{name:28} p50 {p50:5.2f}  p90 {p90:5.2f}  mean {np.mean(costs_ms):5.2f} ms of one core")


def main() -> None:
    rng = np.random.default_rng(0)
    avatar = AnimatedAvatar(Avatar(Person()))
    random_faces = rng.dirichlet(np.full(7, 0.4), 300)
    stops = rng.dirichlet(np.full(7, 0.3), 11)
    smooth_faces = np.concatenate([np.linspace(a, b, FRAMES_PER_CHANGE) for a, b in itertools.pairwise(stops)])
    measure("warming up", avatar, random_faces[:WARM_UP_FRAMES])
    measure("another face every frame", avatar, random_faces)
    measure("one change of face a second", avatar, smooth_faces)


if __name__ == "__main__":
    main()
