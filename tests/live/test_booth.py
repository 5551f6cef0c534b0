from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emojify.live.booth import BORDER_PX, SHOTS, PhotoBooth, make_strip
from emojify.live.countdown import COUNTDOWN_S
from emojify.vision.readings import Image
from tests.helpers.live_frames import processed_frame


def run(booth: PhotoBooth, seconds: float, size: tuple[int, int] = (240, 320)) -> list[tuple[float, Image]]:
    """Give the booth frames that get lighter; return the time and the shown picture of each."""
    return [
        (time_s, booth.add_frame(processed_frame(np.full((*size, 3), round(10 * time_s), np.uint8), time_s)))
        for time_s in np.arange(0, seconds, 1 / 15)
    ]


def test_booth_takes_four_shots_with_countdowns() -> None:
    booth = PhotoBooth()
    booth.start()
    run(booth, 20)
    strip = booth.strip
    assert strip is not None
    assert strip.shape == (SHOTS * (240 + BORDER_PX) + BORDER_PX, 320 + 2 * BORDER_PX, 3)
    shades = [int(strip[BORDER_PX + 120 + n * (240 + BORDER_PX), BORDER_PX + 160, 0]) for n in range(SHOTS)]
    assert np.diff(shades) == pytest.approx([10 * COUNTDOWN_S] * 3, abs=3)
    assert shades[0] == pytest.approx(10 * COUNTDOWN_S, abs=2)
    assert not booth.is_active


def test_countdown_is_shown_but_not_photographed() -> None:
    booth = PhotoBooth()
    booth.start()
    shown = run(booth, 20)
    counting = [image for time_s, image in shown if time_s < COUNTDOWN_S - 0.1]
    assert all(image.max() == 255 and (image == 255).mean() < 0.2 for image in counting)
    numbers = {image[:120].tobytes() for image in counting}
    assert len(numbers) >= 3
    white = [time_s for time_s, image in shown if image.min() == 255]
    assert len({round(time_s) for time_s in white}) == SHOTS  # a flash at each shot
    assert (shown[-1][1] != 255).all()
    strip = booth.strip
    assert strip is not None
    assert len(np.unique(strip[BORDER_PX : BORDER_PX + 240, BORDER_PX : BORDER_PX + 320])) == 1


def test_booth_returns_frames_unchanged_before_start() -> None:
    booth = PhotoBooth()
    image = np.zeros((24, 32, 3), np.uint8)
    assert booth.add_frame(processed_frame(image, 1.0)) is image
    assert (booth.is_active, booth.strip_shots, booth.strip) == (False, (), None)


def test_end_stream_drops_only_unfinished_strips() -> None:
    booth = PhotoBooth()
    booth.start()
    run(booth, 5)
    booth.end_stream()
    assert (booth.is_active, booth.strip) == (False, None)
    booth.start()
    run(booth, 20)
    booth.end_stream()
    assert len(booth.strip_shots) == SHOTS


@pytest.mark.parametrize("end", [PhotoBooth.end_stream, PhotoBooth.cancel])
def test_unfinished_strip_leaves_the_one_before(end: Callable[[PhotoBooth], None]) -> None:
    booth = PhotoBooth()
    booth.start()
    run(booth, 20)
    before = booth.strip_shots
    booth.start()
    run(booth, 5)
    assert booth.shots_taken == 1
    end(booth)
    assert all(one is other for one, other in zip(booth.strip_shots, before, strict=True))
    booth.discard()
    assert booth.strip is None


def test_make_strip_resizes_to_the_first_shot() -> None:
    strip = make_strip([np.zeros((30, 40, 3), np.uint8), np.zeros((60, 40, 3), np.uint8)])
    assert strip.shape == (2 * (30 + BORDER_PX) + BORDER_PX, 40 + 2 * BORDER_PX, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 640), (720, 1280)])
def test_booth_accepts_any_frame_size(size: tuple[int, int]) -> None:
    booth = PhotoBooth()
    booth.start()
    run(booth, 14, size)
    assert len(booth.strip_shots) == SHOTS
