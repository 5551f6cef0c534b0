"""The flash of a snapshot."""

from __future__ import annotations

import numpy as np

from emojify.live.flash import FLASH_S, Flash
from tests.helpers.live_frames import processed_frame


def test_flash_is_white_and_short() -> None:
    flash, image = Flash(), np.zeros((24, 32, 3), np.uint8)
    assert flash.add_frame(processed_frame(image, 5.0)) is image
    flash.fire()
    assert (flash.add_frame(processed_frame(image, 6.0)) == 255).all()
    assert (flash.add_frame(processed_frame(image, 6.0 + 0.9 * FLASH_S)) == 255).all()
    assert flash.add_frame(processed_frame(image, 6.0 + 1.1 * FLASH_S)) is image
    assert not image.any()


def test_flash_ends_with_the_stream() -> None:
    flash, image = Flash(), np.zeros((24, 32, 3), np.uint8)
    flash.fire()
    flash.end_stream()
    assert flash.add_frame(processed_frame(image, 1.0)) is image
